"""`train generator` and `measure`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Stopping, Ticker, apply_threads, command_line, hardware, only_main
from landscape_core.errors import UserError
from landscape_core.generators.task import load_image_task
from landscape_core.generators.training import recipe as image_recipe
from landscape_core.generators.training.measure import frechet_figures, measure_generator
from landscape_core.generators.training.publish import publish
from landscape_core.generators.training.transfer import Start
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.sets import targets
from landscape_core.options import Assets, BoxOption, Device, Domain, Pictures, Seed, Split, Threads, Work, parse_box
from landscape_core.search.device import check_device
from landscape_core.storage import zoo
from landscape_core.storage.files import check_writable


def generator(
    data: Pictures,
    split: Split = None,
    box: BoxOption = None,
    domain: Domain = "faces",
    recipe: Annotated[str, typer.Option(help=f"One of: {', '.join(image_recipe.RECIPES)}.")] = "laptop",
    origin: Annotated[
        str | None, typer.Option("--from", help="Begin with this domain's published weights, e.g. faces.")
    ] = None,
    last_stage: Annotated[
        bool, typer.Option("--last-stage", help="With --from: go on with the last stage alone, not through all of them.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(help="Seconds for all stages together, in place of the recipe's budget.", min=1.0)
    ] = None,
    val_split: Annotated[
        str | None, typer.Option(help="Folder inside the data whose pictures the samples are compared with as it trains.")
    ] = None,
    looks: Annotated[int, typer.Option(help="Sheets of samples a stage writes as it trains.", min=1)] = 8,
    licence: Annotated[str, typer.Option(help="Licence of the pictures, for the card.")] = "unknown",
    work: Work = Path("runs/generator"),
    assets: Assets = zoo.ASSETS,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Train autoencoder, generator and encoder. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    chosen, start = _recipe(recipe, origin, seconds, last_stage, seed)
    folder, device = check_writable(work / domain / recipe), str(check_device(device))
    sources = {each: ImageSource(data, each, chosen.side, parse_box(box)) for each in (split, val_split)}
    images, val = load_images(sources[split]), None if val_split is None else load_images(sources[val_split])
    with Stopping() as stop:
        training = image_recipe.Training(
            images.to(device), chosen, folder, stop.bar, domain=domain, device=device, start=start, val=val, looks=looks
        )
        trained = training.run_last() if last_stage else training.run()
    stop.leave_if_asked(f"everything so far is in {folder}.")
    assert trained is not None  # only a stop leaves it out
    only_main()
    publish(
        trained, chosen, domain, trained_on=f"{data.name} {split or ''}".strip(), licence=licence,
        command=command_line(), hardware=hardware(device), start=start, assets=assets,
    )  # fmt: skip
    typer.echo(f"Wrote {domain}/generator and {domain}/encoder below {assets}.")


def _recipe(
    name: str, origin: str | None, seconds: float | None, last_stage: bool, seed: int
) -> tuple[image_recipe.ImageRecipe, Start | None]:
    """The recipe with the budget, seed and, where it begins with published weights, the widths of those."""
    if name not in image_recipe.RECIPES:
        raise UserError(f"There is no recipe {name!r}; there are: {', '.join(image_recipe.RECIPES)}.")
    if origin is None and (name == "transfer" or last_stage):
        raise UserError("This goes on from a published domain: name it with --from, e.g. --from faces.")
    chosen, start = image_recipe.RECIPES[name].seeded(seed), None if origin is None else Start.of(origin)
    if start is not None:
        chosen = replace(chosen, architecture=start.architecture)
    return chosen if seconds is None else chosen.within(seconds, last_stage=last_stage), start


def measure(
    train: Annotated[Path, typer.Option("--data", help="Folder or zip with train/ and val/ pictures.")],
    box: BoxOption = None,
    domain: Domain = "faces",
    number: Annotated[int, typer.Option("--targets", help="Pictures of val to judge the encoder on.", min=1)] = 200,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Measure a generator and its encoder, choose X's optimiser on train, and write both on the card."""
    apply_threads(threads)
    task = load_image_task(domain)
    sources = {split: ImageSource(train, split, task.side, parse_box(box)) for split in ("train", "val")}
    pictures = {split: targets(sources[split], n, seed) for split, n in (("train", 12), ("val", number))}
    with Ticker() as tick:
        metrics = measure_generator(task, pictures["train"], pictures["val"], tick)
    metrics |= frechet_figures(task, load_images(sources["val"]), load_images(sources["train"]), seed=seed)
    known = zoo.read_card(f"{domain}/generator").metrics
    if "tuned" in metrics:  # what was tuned from other starts stays
        metrics["tuned"] += [each for each in known.get("tuned", []) if each["start"] != "mean"]
    zoo.add_metrics(f"{domain}/generator", metrics)
    typer.echo(json.dumps(metrics, indent=2))
