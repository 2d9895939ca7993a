"""`surface`: the loss surfaces of a race on one picture or pose, from the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import torch
import typer

from landscape_core.commands.pictures import pictures_for
from landscape_core.console import STOPPED, Bar, apply_threads, leave, raced
from landscape_core.domains import domain_for, load_task
from landscape_core.errors import UserError
from landscape_core.options import (
    ANY_TASK_HELP,
    Device,
    Distance,
    LearnedSpace,
    Out,
    Seed,
    Threads,
    XRate,
    ZRate,
    odd,
    parse_box,
)
from landscape_core.pose.domain import DOMAIN as POSE
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import DEFAULT_PERCEPTUAL, RunSettings, prepare
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory
from landscape_core.storage.cache import FolderCache
from landscape_core.storage.files import unused, write_bytes, write_text
from landscape_core.storage.zoo import RESULTS
from landscape_core.surfaces.averages import Averages, committed
from landscape_core.surfaces.averages import sentence as sentence_of
from landscape_core.surfaces.cut import cut_between, cut_figures, cut_sentence
from landscape_core.surfaces.cut_export import cut_page, cut_png
from landscape_core.surfaces.data import cut_csv, cut_npz, surfaces_csv, surfaces_npz
from landscape_core.surfaces.export import surface_page
from landscape_core.surfaces.panels import Panel, figures, panel, sentences
from landscape_core.surfaces.planes import Plane, StoppedError
from landscape_core.surfaces.png import surface_png
from landscape_core.surfaces.recovered import load_recovered
from landscape_core.surfaces.surface import evaluate, evaluate_all
from landscape_core.surfaces.verdict import verdict, warnings
from landscape_core.surfaces.views import Shown, View, recovered_planes, views

OWN_SAMPLES = 50


def surface(
    file: Annotated[
        Path, typer.Argument(help="A picture; a face is found and cropped. For poses a BVH file or AMASS recording.")
    ],
    out: Out = Path("runs/surface"),
    kind: Annotated[
        Shown,
        typer.Option(
            help="recovered: the paper's plane, through principal directions of recovered latents. path: of this run's own "
            "path. random: two random directions. ends: one surface in X through the start and both ends. shared: one "
            "surface in X through the principal directions of both paths. hessian: the two directions in which the loss "
            "curves most at --at-step. cut: the loss along the straight line in X between both ends."
        ),
    ] = "recovered",
    at_step: Annotated[
        int | None, typer.Option(help="Step at which the Hessian is looked into; the last where absent.", min=0)
    ] = None,
    task: Annotated[str, typer.Option(help=ANY_TASK_HELP)] = "faces",
    frame: Annotated[int, typer.Option(help="Frame of a motion file.", min=0)] = 0,
    names: Annotated[
        Path | None,
        typer.Option("--map", help='JSON file that says which joint of a motion file is which: {"Hand_L": "wrist.left", …}.'),
    ] = None,
    space: LearnedSpace = None,
    steps: Annotated[int, typer.Option(help="Steps of descent; the grid is centred on the last.", min=2, max=500)] = 20,
    size: Annotated[int, typer.Option(help="Points a side, odd; from coarse to fine.", min=5, max=161, callback=odd)] = 41,
    optimizer: Annotated[OptimizerName | None, typer.Option(help="In both spaces; the one advised for Z where absent.")] = None,
    x_lr: XRate = None,
    z_lr: ZRate = None,
    targets: Annotated[
        Path | None,
        typer.Option(
            help="Folder or zip of pictures to recover for the paper's plane. Where absent, the embedded directions; "
            f"where there are none, {OWN_SAMPLES} targets that the task draws."
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Folder inside --targets to take, e.g. val.")] = None,
    box: Annotated[str | None, typer.Option(help="left,top,right,bottom to cut out of every picture of --targets.")] = None,
    number: Annotated[int, typer.Option(help="How many of --targets to recover.", min=3)] = 50,
    log: Annotated[bool, typer.Option("--log/--linear", help="Logarithmic loss axis and colours.")] = False,
    shared: Annotated[
        bool, typer.Option("--one-scale/--own-scale", help="Both surfaces on one range of losses, or each on its own.")
    ] = True,
    cache: Annotated[Path | None, typer.Option(help="Folder of kept surfaces: what was evaluated before is not again.")] = None,
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Race X against Z on a picture or pose, then draw the loss around where each ended: page, PNG, and numbers as JSON, npz
    and CSV.

    Ctrl-C keeps the finest surface that is complete. The measures of one target prove nothing:
    `reproduce landscapes` averages them over many.
    """
    apply_threads(threads)
    domain = domain_for(task)
    if at_step is not None and kind != "hessian":
        raise UserError("--at-step is where the Hessian is looked into: give it with --kind hessian.")
    if targets is not None and kind != "recovered":
        raise UserError("--targets are recovered for the paper's plane: give them with --kind recovered.")
    if targets is None and (split is not None or box is not None):
        raise UserError("--split and --box say what to take of the pictures in --targets; there are none here.")
    if domain is not POSE and (frame or names is not None):
        raise UserError(f"--frame and --map are for motions, which {task} does not read.")
    loaded = load_task(task, perceptual=perceptual, device=device)
    observed = domain.observe(loaded, file, frame, names)
    for notice in observed.notices:
        typer.echo(f"{file.name}: {notice}")
    target = observed.target
    learned = loaded.z_space(space)
    name = optimizer or loaded.advice(learned).name
    x, z = loaded.advice(X, name, lr=x_lr), loaded.advice(learned, name, lr=z_lr)
    settings = RunSettings.pair(learned, x, z, task=loaded.name, perceptual=perceptual, seed=seed, steps=steps)
    recovered = None
    if kind == "recovered":
        box_of = parse_box(box)
        chosen = None if targets is None else pictures_for(loaded, targets, number, seed, split=split, box=box_of)
        recovered = _recovered(loaded, settings, chosen)
    race, stopped = raced(*prepare(loaded, settings, target), "race")
    trajectory = race.pair(*settings.names())
    said: dict[str, object] = {**_words(settings), "target": file.name, "kind": kind, "seed": seed}
    ran = _Ran(loaded, target, trajectory, settings, said, out, file.stem, log)
    if kind == "cut":
        leave(stopped=_line(ran, size) or stopped)
        return
    if kind == "hessian":
        said["Hessian at step"] = trajectory.steps[-1] if at_step is None else at_step
    found = views(loaded, trajectory, learned, kind, target=target, recovered=recovered, at_step=at_step, size=size, seed=seed)
    leave(stopped=_planes(ran, found, None if cache is None else FolderCache(cache), shared) or stopped)


@dataclass(frozen=True)
class _Ran:
    """A race, what was set for it in words, and where its surfaces go."""

    task: Task
    target: Target
    trajectory: Trajectory
    race: RunSettings
    said: dict[str, object]
    out: Path
    stem: str
    log: bool

    def write(self, content: Mapping[str, object], files: Mapping[str, str | bytes]) -> None:
        """`files` by their endings, beside the numbers as JSON."""
        name = unused(self.out / f"{self.stem}-{self.said['kind']}.json").stem
        numbers = {"settings": self.said, "race": self.race.model_dump(), **content}
        write_text(self.out / f"{name}.json", json.dumps(numbers, indent=1) + "\n")
        for ending, written in files.items():
            write_bytes(self.out / f"{name}.{ending}", written.encode() if isinstance(written, str) else written)
        typer.echo(f"Wrote {name}.json, {', '.join(f'.{ending}' for ending in files)} to {self.out}.")


def _line(ran: _Ran, size: int) -> bool:
    """The cut between both ends, with twice as many points as a surface has a side; whether it was stopped."""
    with Bar("cut") as bar:
        found = list(
            cut_between(ran.task, ran.target, ran.trajectory, ran.race.space, size=2 * size - 1, stop=lambda: bar.stopped)
        )
    if not found or not found[-1].whole:
        _nothing_to_draw("the cut was complete")
    cut, said = found[-1], ran.said | {"points": 2 * size - 1}
    files: dict[str, str | bytes] = {
        "html": cut_page(cut, settings=said, log=ran.log), "png": cut_png(cut, settings=said, log=ran.log),
        "npz": cut_npz(cut, said), "csv": cut_csv(cut, said),
    }  # fmt: skip
    ran.write({"cut": cut_figures(cut)}, files)
    typer.echo(cut_sentence(cut))
    return bar.stopped


def _planes(ran: _Ran, found: Sequence[View], cache: FolderCache | None, shared: bool) -> bool:
    """The surfaces as fine as they came; whether Ctrl-C cut them short."""
    panels, stopped = _evaluate(ran.task, ran.target, found, cache)
    known, steps = committed(RESULTS, ran.task, ran.race.space), ran.trajectory.steps
    said = ran.said | {"points a side": panels[0].surface.level, "loss axis": "logarithmic" if ran.log else "linear"}
    heading = f"Loss surfaces: {ran.stem}, {said['kind']}"
    files: dict[str, str | bytes] = {
        "html": surface_page(panels, known, settings=said, log=ran.log, shared=shared, heading=heading),
        "png": surface_png(panels, known, settings=said, log=ran.log, shared=shared),
        "npz": surfaces_npz(panels, steps, said), "csv": surfaces_csv(panels, steps, said),
    }  # fmt: skip
    ran.write({"surfaces": [figures(each) for each in panels], "averages": [asdict(each) for each in known]}, files)
    _say(panels, known)
    return stopped


def _words(settings: RunSettings) -> dict[str, object]:
    """The race's settings as exports name them."""
    lanes = zip(settings.names(), settings.lanes, strict=True)
    told: dict[str, object] = {name: f"{lane.space}, {lane.optimizer.name} {lane.optimizer.lr:g}" for name, lane in lanes}
    return {"task": settings.task, **told, "steps": settings.steps, "start": settings.start, "distance": settings.perceptual}


def _recovered(task: Task, settings: RunSettings, targets: Target | None) -> dict[str, Plane]:
    """From the given targets, else embedded, else from targets drawn at random."""
    if targets is None:
        embedded = load_recovered(task, settings.space)
        if embedded is not None:
            return embedded
        typer.echo(f"No directions are embedded for these models; recovering {OWN_SAMPLES} random targets.")
        targets = task.sampled(OWN_SAMPLES, torch.Generator().manual_seed(settings.seed))
    x, z = (lane.optimizer for lane in settings.lanes)
    with Bar("recovering latents") as bar:
        try:
            return recovered_planes(
                task, settings.space, targets, optimizers=(x, z), progress=lambda done, total: bar(done, total, {}),
                stop=lambda: bar.stopped,
            )  # fmt: skip
        except StoppedError as before:
            _nothing_to_draw(str(before))


def _nothing_to_draw(before: str) -> NoReturn:
    """Raises typer.Exit: Ctrl-C came before this was done."""
    typer.echo(f"Stopped before {before}, so there is nothing to draw.", err=True)
    raise typer.Exit(STOPPED)


def _evaluate(task: Task, target: Target, found: Sequence[View], cache: FolderCache | None) -> tuple[list[Panel], bool]:
    """The surfaces as fine as they came, and whether Ctrl-C cut them short."""
    with Bar("surfaces") as bar:
        total = sum(view.grid.size**2 for view in found)
        running = {view.title: evaluate(task, target, view.grid, cache=cache, stop=lambda: bar.stopped) for view in found}
        for latest in evaluate_all(running):
            bar(sum(surface.done for surface in latest.values()), total, {})
    if any(surface.level == 0 for surface in latest.values()):
        _nothing_to_draw("the first coarse surface was complete")
    return [panel(task, target, view, latest[view.title]) for view in found], bar.stopped


def _say(panels: Sequence[Panel], known: Sequence[Averages]) -> None:
    for said in (verdict(panels), *warnings(panels)):
        typer.echo(said)
    for each in panels:
        for sentence in sentences(each):
            typer.echo(f"{each.view.title}: {sentence}")
    for average in known:
        typer.echo(sentence_of(average))
