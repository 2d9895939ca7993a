"""`train mapping` and `mapping-compare`: Θ for a generator of pictures, for poses, or for a network of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.commands.learning import Asked, learning
from landscape_core.commands.watching import Watching
from landscape_core.console import Stopping, Ticker, apply_threads, command_line, only_main
from landscape_core.domains import domain_for
from landscape_core.errors import UserError
from landscape_core.experiments.comparing import Table, note_on_card, written
from landscape_core.experiments.rows import TableSettings
from landscape_core.generators.domain import DOMAIN as GENERATORS
from landscape_core.generators.experiments.compare import compare
from landscape_core.generators.experiments.restoring_searches import OBSERVATIONS
from landscape_core.generators.task import load_image_task
from landscape_core.generators.training.observed import checked_names
from landscape_core.generators.training.theta import MAPPING_PRESETS, published_name
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.options import (
    POSED_HELP,
    TASK_HELP,
    BoxOption,
    Buffers,
    Device,
    Seed,
    Split,
    Threads,
    Work,
    checked_folder,
    parse_box,
)
from landscape_core.plugins.domain import DOMAIN as PLUGINS
from landscape_core.plugins.experiments.compare import compare_plugin
from landscape_core.plugins.training.theta import PRESETS
from landscape_core.pose.domain import DOMAIN as POSE
from landscape_core.pose.training.theta import PRESETS as POSE_PRESETS
from landscape_core.pose.training.theta import RESIDUAL
from landscape_core.progress import Tick
from landscape_core.search.thetas import check_space
from landscape_core.storage import zoo
from landscape_core.storage.bundle import write_bundle
from landscape_core.training.alternating import train_mapping
from landscape_core.training.budget import Budget
from landscape_core.training.diary import Diary

OBSERVED = "observed"  # what a Θ is called that was learned on a mixture of observations


def mapping(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder or zip of pictures; for poses, of BVH or AMASS files; for a plug-in what was observed. The model "
            "draws its targets where absent."
        ),
    ] = None,
    split: Split = None,
    box: BoxOption = None,
    task: Annotated[str, typer.Option("--task", "--domain", help=POSED_HELP)] = "faces",
    preset: Annotated[
        str,
        typer.Option(
            help=f"One of: {', '.join(MAPPING_PRESETS)}; for poses {', '.join((RESIDUAL, *POSE_PRESETS))}; for a plug-in "
            f"{', '.join(PRESETS)}."
        ),
    ] = "residual",
    buffers: Buffers = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="End within about so many, loading and measuring included: what of the preset does not fit is left out. "
            "A training that goes on keeps to what fitted when it began.",
            min=0.1,
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What Θ is called; like the preset where absent.")] = None,
    observations: Annotated[
        str | None,
        typer.Option(
            help="Learn on pictures as they are seen in each of these, a buffer each, names with commas between, as in "
            "blur,mask:centre; or all, those of `reproduce restore`. Θ is called observed then."
        ),
    ] = None,
    work: Work = Path("runs/mapping"),
    assets: Annotated[
        Path | None,
        typer.Option(
            help=f"Where Θ and its card go; for a model of one's own to {zoo.OWN} where absent.", callback=checked_folder
        ),
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="Also write Θ as one zip, for `models --add` elsewhere.")] = None,
    diary: Annotated[
        Path | None,
        typer.Option(help="Folder to write down in how it goes: an eighth of the data is held out to compare X and Z on."),
    ] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn Θ by alternating optimisation (Algorithm 1). Ctrl-C stops and keeps all finished buffers."""
    budget = Budget() if minutes is None else Budget(60.0 * minutes)
    apply_threads(threads)
    _check_part(data, split, box, task)
    seen = () if observations is None else checked_names(OBSERVATIONS if observations == "all" else observations.split(","))
    called = OBSERVED if name is None and seen else name
    told = None if diary is None else Diary(checked_folder(diary) or diary)
    asked = Asked(
        task, preset, work, buffers, budget, None if called is None else check_space(called), seed, device, told, seen
    )
    made = learning(asked, lambda: _pictures(data, split, box, task), data)
    with Stopping() as stop:
        watch = Watching(made, stop.bar("buffers"), told, budget)
        watch.look()
        train_mapping(made.trainer, watch, watch.after)
    stop.leave_if_asked(f"{made.trainer.progress.buffer} buffers are kept in {work}.")
    watch.leave_if_orphaned()
    only_main()
    home = assets or made.home
    card = made.publish(command_line(), home)
    typer.echo(f"Wrote {card.name} below {home}.")
    if bundle is not None:
        write_bundle(bundle, card, *made.forward, home)
        typer.echo(f"Wrote {bundle}.")


def _check_part(data: Path | None, split: str | None, box: str | None, task: str) -> None:
    """Raises UserError for a part of pictures that is asked for where there are none."""
    if (split is not None or box is not None) and (data is None or domain_for(task) is not GENERATORS):
        raise UserError("--split and --box say what to take of the pictures in --data; there are none here.")


def _pictures(data: Path | None, split: str | None, box: str | None, domain: str) -> ImageSource | None:
    side = load_image_task(zoo.check_name(domain)).side
    return None if data is None else ImageSource(data, split, side, parse_box(box))


Tuned = Annotated[int, typer.Option("--tune-targets", help="Other held-out targets, that choose the optimisers.", min=1)]
Steps = Annotated[list[int], typer.Option("--steps", help="After how many steps; give it again for more.", min=1)]


def mapping_compare(
    data: Annotated[Path | None, typer.Option(help="Folder or zip of pictures; a plug-in draws its targets.")] = None,
    split: Split = None,
    box: BoxOption = None,
    task: Annotated[str, typer.Option("--task", "--domain", help=TASK_HELP)] = "faces",
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
    _check_part(data, split, box, task)
    settings = TableSettings(targets, tuple(sorted(steps)), tuned, seed=seed, work=work / "curves")
    with Ticker() as tick:
        if domain_for(task) is POSE:
            raise UserError("Θs for poses are compared by `train pose-compare`.")
        if domain_for(task) is PLUGINS:
            if data is not None:
                raise UserError("A plug-in's Θs are compared on targets that it draws: leave --data out.")
            loaded, names = PLUGINS.load(task), (presets or ",".join(PRESETS)).split(",")
            table, name = compare_plugin(loaded, names, buffers, settings, work, tick), f"{loaded.name}/theta-{names[0]}"
            home = zoo.OWN
        else:
            source = _pictures(data, split, box, task)
            if source is None:
                raise UserError("Give pictures to compare on: --data FOLDER or --data pictures.zip.")
            table, name = _compared_on_pictures(task, presets, source, buffers, settings, work, tick)
            home = zoo.shelf_of(name)
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
