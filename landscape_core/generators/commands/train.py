"""`train generator`, `mapping`, `mapping-compare` and `measure`."""

from __future__ import annotations

import json
import platform
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from landscape_core.console import (
    STOPPED,
    Assets,
    Bar,
    BoxOption,
    Device,
    Pictures,
    Seed,
    Split,
    Threads,
    Ticker,
    Work,
    apply_threads,
    command_line,
    parse_box,
)
from landscape_core.errors import UserError
from landscape_core.experiments.comparing import note_on_card, written
from landscape_core.experiments.rows import TableSettings
from landscape_core.generators.datasets import targets
from landscape_core.generators.experiments.compare import compare
from landscape_core.generators.task import load_image_task
from landscape_core.generators.training import recipe as image_recipe
from landscape_core.generators.training.measure import frechet_figures, measure_generator
from landscape_core.generators.training.theta import MAPPING_PRESETS, mapping_trainer, publish_mapping, published_name
from landscape_core.generators.training.transfer import Start
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.storage import zoo
from landscape_core.training.alternating import train_mapping

Domain = Annotated[str, typer.Option(help="Name below the assets folder, e.g. faces.", callback=zoo.check_name)]


def generator(
    data: Pictures,
    split: Split = None,
    box: BoxOption = None,
    domain: Domain = "faces",
    recipe: Annotated[str, typer.Option(help=f"One of: {', '.join(image_recipe.RECIPES)}.")] = "laptop",
    origin: Annotated[
        str | None, typer.Option("--from", help="Begin with this domain's published weights, e.g. faces; for few pictures.")
    ] = None,
    val_split: Annotated[
        str | None, typer.Option(help="Folder inside the data whose pictures the samples are compared with as it trains.")
    ] = None,
    watch_every: Annotated[
        int | None, typer.Option(help="Pictures between two such looks; so many that they take 2-3 % of the time.", min=1)
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the pictures, for the card.")] = "unknown",
    work: Work = Path("runs/generator"),
    assets: Assets = zoo.ASSETS,
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:
    """Train autoencoder, generator and encoder. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    if recipe not in image_recipe.RECIPES:
        raise UserError(f"There is no recipe {recipe!r}; there are: {', '.join(image_recipe.RECIPES)}.")
    if recipe == "transfer" and origin is None:
        raise UserError("The recipe transfer goes on from a published domain: name it with --from, e.g. --from faces.")
    start, chosen = None if origin is None else Start.of(origin), image_recipe.RECIPES[recipe]
    if start is not None:
        chosen = replace(chosen, gan=start.adapt(chosen.gan))
    images = load_images(ImageSource(data, split, 64, parse_box(box)))
    val = None if val_split is None else load_images(ImageSource(data, val_split, 64, parse_box(box)))
    watched = None if val is None else image_recipe.Watched(val, watch_every)
    with ExitStack() as bars:
        trained = image_recipe.train_images(
            images, chosen, work, lambda stage: bars.enter_context(Bar(stage)), device=device, start=start, watched=watched
        )
    if trained is None:
        typer.echo(f"Stopped; everything so far is in {work}. Run the same command to go on.")
        raise typer.Exit(STOPPED)
    image_recipe.publish(
        trained, chosen, domain, trained_on=f"{data.name} {split or ''}".strip(), licence=licence,
        command=command_line(), hardware=f"{device}, {platform.machine()}", start=start, assets=assets,
    )  # fmt: skip
    typer.echo(f"Wrote {domain}/generator and {domain}/encoder below {assets}.")


def mapping(
    data: Pictures,
    split: Split = None,
    box: BoxOption = None,
    domain: Domain = "faces",
    preset: Annotated[str, typer.Option(help=f"One of: {', '.join(MAPPING_PRESETS)}.")] = "residual",
    buffers: Annotated[int | None, typer.Option(help="Buffers B; the preset's where absent.", min=1)] = None,
    work: Work = Path("runs/mapping"),
    assets: Assets = zoo.ASSETS,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn Θ by alternating optimisation (Algorithm 1). Ctrl-C stops and keeps all finished buffers."""
    apply_threads(threads)
    images = load_images(ImageSource(data, split, 64, parse_box(box)))
    with tqdm(desc="curvature", dynamic_ncols=True) as curvature:

        def tick(done: int, total: int) -> None:
            curvature.total = total
            curvature.update(1)

        trainer, config = mapping_trainer(domain, preset, images, work, buffers=buffers, seed=seed, device=device, tick=tick)
    with Bar("buffers") as bar:
        train_mapping(trainer, bar)
    if bar.stopped:
        typer.echo(f"Stopped after {trainer.progress.buffer} buffers, kept in {work}. Run the same command to go on.")
        raise typer.Exit(STOPPED)
    card = publish_mapping(
        trainer, config, domain, preset, trained_on=f"{data.name} {split or ''}".strip(), command=command_line(), assets=assets
    )
    typer.echo(f"Wrote {card.name} below {assets}.")


def measure(
    train: Annotated[Path, typer.Option("--data", help="Folder or zip with train/ and val/ pictures.")],
    box: BoxOption = None,
    domain: Domain = "faces",
    number: Annotated[int, typer.Option("--targets", help="Pictures of val to judge the encoder on.", min=1)] = 200,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Measure a generator and its encoder, choose X's learning rate on train, and write both on the card."""
    apply_threads(threads)
    task = load_image_task(domain)
    sources = {split: ImageSource(train, split, 64, parse_box(box)) for split in ("train", "val")}
    pictures = {split: targets(sources[split], n, seed) for split, n in (("train", 24), ("val", number))}
    ticker = Ticker()
    metrics = measure_generator(task, pictures["train"], pictures["val"], ticker)
    ticker.close()
    metrics |= frechet_figures(task, load_images(sources["val"]), load_images(sources["train"]), seed=seed)
    zoo.update_card(f"{domain}/generator", metrics={**zoo.read_card(f"{domain}/generator").metrics, **metrics})
    typer.echo(json.dumps(metrics, indent=2))


Tuned = Annotated[int, typer.Option("--tune-targets", help="Other held-out pictures, that choose the optimisers.", min=1)]
Steps = Annotated[list[int], typer.Option("--steps", help="After how many steps; give it again for more.", min=1)]


def mapping_compare(
    data: Pictures,
    split: Split = None,
    box: BoxOption = None,
    domain: Annotated[str, typer.Option(help="Whose generator, e.g. faces.")] = "faces",
    presets: Annotated[
        str, typer.Option(help="Candidates; each gets as many evaluations of F as the first.")
    ] = "residual,flow,statistics,plain,paper",
    buffers: Annotated[int, typer.Option(help="Buffers of the first candidate.", min=1)] = 12,
    targets: Annotated[int, typer.Option(help="Held-out pictures to compare on.", min=1)] = 32,
    tuned: Tuned = 6,
    steps: Steps = [2, 20, 200],  # noqa: B006  # typer copies it
    work: Work = Path("runs/mapping-compare"),
    note: Annotated[bool, typer.Option("--note", help="Put the table on the first candidate's card.")] = False,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn several Θ on seven eighths of the pictures and compare them, and X, on the rest."""
    apply_threads(threads)
    names = presets.split(",")
    unknown = [name for name in names if name not in MAPPING_PRESETS]
    if unknown:
        raise UserError(f"There is no preset {unknown[0]!r}; there are: {', '.join(MAPPING_PRESETS)}.")
    images = load_images(ImageSource(data, split, 64, parse_box(box)))
    settings = TableSettings(targets, tuple(sorted(steps)), tuned, seed=seed, work=work / "curves")
    ticker = Ticker()
    table = compare(domain, names, images, buffers, settings, work, ticker)
    ticker.close()
    typer.echo(written(table))
    if note:
        note_on_card(published_name(domain, names[0]), table, command_line())
