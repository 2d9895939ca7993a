"""`train mapping` and `mapping-compare`: Θ for a generator of pictures, or for a network of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from landscape_core.console import (
    TASK_HELP,
    BoxOption,
    Device,
    Seed,
    Split,
    Stopping,
    Threads,
    Ticker,
    Work,
    apply_threads,
    checked_folder,
    command_line,
    parse_box,
)
from landscape_core.domains import domain_for
from landscape_core.errors import UserError
from landscape_core.experiments.comparing import Table, note_on_card, written
from landscape_core.experiments.rows import TableSettings
from landscape_core.generators.experiments.compare import compare
from landscape_core.generators.task import PLUS, load_image_task
from landscape_core.generators.training.theta import MAPPING_PRESETS, mapping_trainer, publish_mapping, published_name
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.plugins.domain import DOMAIN as PLUGINS
from landscape_core.plugins.experiments.compare import compare_plugin
from landscape_core.plugins.task import CODE
from landscape_core.plugins.training.theta import PRESETS, observations, plugin_mapping_trainer, publish_plugin_mapping
from landscape_core.progress import Tick
from landscape_core.storage import zoo
from landscape_core.storage.bundle import write_bundle
from landscape_core.training.alternating import MappingTrainer, train_mapping

DRAWN = "targets drawn from the model"
TaskOption = Annotated[str, typer.Option("--task", "--domain", help=TASK_HELP)]
PicturesOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder or zip of pictures; for a plug-in what was observed. It draws its targets where absent."
    ),
]
Publish = Callable[[str, Path], zoo.Card]
Forward = tuple[str, str]  # name and hash of the model that Θ is for


def mapping(
    data: PicturesOption = None,
    split: Split = None,
    box: BoxOption = None,
    task: TaskOption = "faces",
    preset: Annotated[
        str, typer.Option(help=f"One of: {', '.join(MAPPING_PRESETS)}; for a plug-in {', '.join(PRESETS)}.")
    ] = "residual",
    buffers: Annotated[int | None, typer.Option(help="Buffers B; the preset's where absent.", min=1)] = None,
    work: Work = Path("runs/mapping"),
    assets: Annotated[
        Path | None,
        typer.Option(help=f"Where Θ and its card go; a plug-in's to {zoo.OWN} where absent.", callback=checked_folder),
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="Also write Θ as one zip, for `models --add` elsewhere.")] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn Θ by alternating optimisation (Algorithm 1). Ctrl-C stops and keeps all finished buffers."""
    apply_threads(threads)
    if domain_for(task) is PLUGINS:
        trainer, publish, forward = _for_plugin(task, preset, data, work, buffers, seed, device)
        home = zoo.OWN
    else:
        source = _pictures(data, split, box, task)
        trainer, publish, forward = _for_pictures(task, preset, source, work, buffers, seed, device)
        home = zoo.shelf_of(forward[0])
    with Stopping() as stop:
        train_mapping(trainer, stop.bar("buffers"))
    stop.leave_if_asked(f"{trainer.progress.buffer} buffers are kept in {work}.")
    card = publish(command_line(), assets or home)
    typer.echo(f"Wrote {card.name} below {assets or home}.")
    if bundle is not None:
        write_bundle(bundle, card, *forward, assets or home)
        typer.echo(f"Wrote {bundle}.")


def _pictures(data: Path | None, split: str | None, box: str | None, domain: str) -> ImageSource:
    if data is None:
        raise UserError("Give pictures to train on: --data FOLDER or --data pictures.zip.")
    return ImageSource(data, split, load_image_task(zoo.check_name(domain)).side, parse_box(box))


def _for_pictures(
    domain: str, preset: str, source: ImageSource, work: Path, buffers: int | None, seed: int, device: str
) -> tuple[MappingTrainer, Publish, Forward]:
    images = load_images(source)
    with _measuring() as tick:
        trainer, config = mapping_trainer(domain, preset, images, work, buffers=buffers, seed=seed, device=device, tick=tick)
    trained_on = f"{source.path.name} {source.split or ''}".strip()
    name = f"{domain.removesuffix(PLUS)}/generator"
    generator = zoo.read_card(name, zoo.shelf_of(name))

    def publish(command: str, assets: Path) -> zoo.Card:
        return publish_mapping(trainer, config, domain, preset, trained_on=trained_on, command=command, assets=assets)

    return trainer, publish, (generator.name, generator.sha256)


def _for_plugin(
    spec: str, preset: str, data: Path | None, work: Path, buffers: int | None, seed: int, device: str
) -> tuple[MappingTrainer, Publish, Forward]:
    task = PLUGINS.load(spec, device=device)
    observed = None if data is None else observations(task, data)
    with _measuring() as tick:
        trainer, config = plugin_mapping_trainer(task, preset, observed, work, buffers=buffers, seed=seed, tick=tick)
    trained_on = DRAWN if data is None else f"{data.name}, and {DRAWN}"

    def publish(command: str, assets: Path) -> zoo.Card:
        return publish_plugin_mapping(trainer, config, task, preset, trained_on=trained_on, command=command, assets=assets)

    plugin = f"{task.name}{CODE}"
    return trainer, publish, (plugin, task.hashes[plugin])


@contextmanager
def _measuring() -> Iterator[Callable[[int, int], None]]:
    """A progress bar for the curvature."""
    with tqdm(desc="curvature", dynamic_ncols=True) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(1)

        yield tick


Tuned = Annotated[int, typer.Option("--tune-targets", help="Other held-out targets, that choose the optimisers.", min=1)]
Steps = Annotated[list[int], typer.Option("--steps", help="After how many steps; give it again for more.", min=1)]


def mapping_compare(
    data: PicturesOption = None,
    split: Split = None,
    box: BoxOption = None,
    task: TaskOption = "faces",
    presets: Annotated[
        str | None,
        typer.Option(help="Candidates; each gets as many evaluations of F as the first. All usual ones where absent."),
    ] = None,
    buffers: Annotated[int, typer.Option(help="Buffers of the first candidate.", min=1)] = 12,
    targets: Annotated[int, typer.Option(help="Held-out targets to compare on.", min=1)] = 32,
    tuned: Tuned = 6,
    steps: Steps = [2, 20, 200],  # noqa: B006  # typer copies it
    work: Work = Path("runs/mapping-compare"),
    note: Annotated[bool, typer.Option("--note", help="Put the table on the first candidate's card.")] = False,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn several Θ and compare them, and X, on targets held out: an eighth of the pictures; a plug-in draws others."""
    apply_threads(threads)
    settings = TableSettings(targets, tuple(sorted(steps)), tuned, seed=seed, work=work / "curves")
    ticker = Ticker()
    if domain_for(task) is PLUGINS:
        loaded, names = PLUGINS.load(task), (presets or ",".join(PRESETS)).split(",")
        table, name = compare_plugin(loaded, names, buffers, settings, work, ticker), f"{loaded.name}/theta-{names[0]}"
        home = zoo.OWN
    else:
        table, name = _compared_on_pictures(task, presets, _pictures(data, split, box, task), buffers, settings, work, ticker)
        home = zoo.ASSETS
    ticker.close()
    typer.echo(written(table))
    if note:
        note_on_card(name, table, command_line(), home)


def _compared_on_pictures(
    domain: str, presets: str | None, source: ImageSource, buffers: int, settings: TableSettings, work: Path, tick: Tick
) -> tuple[Table, str]:
    """The table, and the name of the first candidate's Θ."""
    names = (presets or "residual,flow,statistics,plain,paper").split(",")
    unknown = [name for name in names if name not in MAPPING_PRESETS]
    if unknown:
        raise UserError(f"There is no preset {unknown[0]!r}; there are: {', '.join(MAPPING_PRESETS)}.")
    return compare(domain, names, load_images(source), buffers, settings, work, tick), published_name(domain, names[0])
