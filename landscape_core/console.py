"""Options and progress that several commands share."""

from __future__ import annotations

import platform
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from tqdm import tqdm

from landscape_core import processes
from landscape_core.errors import UserError, listed
from landscape_core.progress import Report
from landscape_core.search.optimizers import DEFAULT_RATES, OptimizerName
from landscape_core.search.race import MAX_PRIOR_WEIGHT, Perceptual
from landscape_core.search.solver import Solver
from landscape_core.search.trajectory import Trajectory, states
from landscape_core.storage import zoo
from landscape_core.storage.files import check_writable

Seed = Annotated[int, typer.Option(help="Fixes every random choice.", min=0, max=2**31 - 1)]
MOST_THREADS = 1024
Threads = Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.", min=0, max=MOST_THREADS)]
Device = Annotated[str, typer.Option(help="cpu, cuda, … whatever torch has on this machine; auto takes an accelerator.")]
Data = Annotated[Path, typer.Option(help="Folder that holds the data sets (faces128.zip, cats128.zip, …).")]
Out = Annotated[Path, typer.Option(help="Folder to write into; created where missing.", callback=check_writable)]
Pictures = Annotated[Path, typer.Option("--data", help="Folder or zip of pictures to train on.")]
Split = Annotated[str | None, typer.Option(help="Folder inside the data to take, e.g. train; all of it where absent.")]
BoxOption = Annotated[str | None, typer.Option("--box", help="left,top,right,bottom in pixels to cut out before resizing.")]
Optimizers = Annotated[
    list[str] | None,
    typer.Option("--optimizer", help="A column of the table: X and Z by it. Again for another. Z's own where absent."),
]
Distance = Annotated[
    Perceptual, typer.Option("--perceptual", help="lpips, or robust: the distance on adversarially robust features.")
]
PriorWeight = Annotated[
    float,
    typer.Option(
        help="Weight of x's squared distance to what the model knows, as a share of a drawn x's, in the loss.",
        min=0.0, max=MAX_PRIOR_WEIGHT,
    ),
]  # fmt: skip
TASK_HELP = "faces, cats, …; or a network of your own: mine.py, mine.py:function or package.module:function."
LearnedSpace = Annotated[str | None, typer.Option("--space", help="Learned space that Z uses; the task's first where absent.")]
Work = Annotated[
    Path,
    typer.Option("--work", help="Folder for checkpoints; start again with the same one to resume.", callback=check_writable),
]


def checked_folder(folder: Path | None) -> Path | None:
    """An option's folder, where it is given and can be written in. Raises UserError otherwise; see `check_writable`."""
    return None if folder is None else check_writable(folder)


Assets = Annotated[Path, typer.Option(help="Where the finished model and its card go.", callback=check_writable)]

DONE, REFUSED, STOPPED = 0, 1, 130  # exit codes


def checked_name(name: str | None) -> str | None:
    """An option's value, where it can be a model's name. Raises UserError otherwise; see `zoo.check_name`."""
    return None if name is None else zoo.check_name(name)


Domain = Annotated[str, typer.Option(help="Name below the assets folder, e.g. faces.", callback=checked_name)]


def apply_threads(threads: int) -> None:
    """Set torch's CPU threads before the first kernel runs."""
    if threads:
        torch.set_num_threads(threads)


def parse_box(text: str | None) -> tuple[int, int, int, int] | None:
    """ "left,top,right,bottom" in pixels.

    Raises:
        UserError: not four whole numbers in order.
    """
    if text is None:
        return None
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"--box needs four whole numbers, left,top,right,bottom; got {text!r}.") from error
    if not (0 <= left < right and 0 <= top < bottom):
        raise UserError(f"--box must have 0 <= left < right and 0 <= top < bottom; got {text!r}.")
    return left, top, right, bottom


def leave(*, stopped: bool, refused: Sequence[str] = ()) -> None:
    """The end of a command whose work is written: with exit code STOPPED or REFUSED where not all of it was done.

    `refused` names what could not be done; each was explained when it was.
    """
    if refused:
        typer.echo(f"Not done: {listed(refused, 20)}.", err=True)
    if stopped or refused:
        raise typer.Exit(STOPPED if stopped else REFUSED)


def only_main() -> None:
    """The end of every process but the main one: what is left to do is writing.

    Raises:
        typer.Exit: this is another.
    """
    if not processes.is_main():
        raise typer.Exit(DONE)


class Bar:
    """A progress bar that is a `Report`; Ctrl-C or SIGTERM once asks the run to stop and keep what is there."""

    def __init__(self, description: str) -> None:
        self.bar: tqdm[Any] = tqdm(desc=description, unit="", dynamic_ncols=True)
        self.stopped = False

    def __enter__(self) -> Bar:
        self._previous = {each: signal.signal(each, self._ask_to_stop) for each in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._previous.items():
            signal.signal(each, handler)
        self.bar.close()

    def _ask_to_stop(self, *_: object) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        self.bar.write("Stopping after this update; what is done is kept. Press Ctrl-C again to quit at once.")

    def __call__(self, done: int, total: int, figures: Mapping[str, float]) -> bool:
        _advance(self.bar, done, total, figures)
        return self.stopped


class Stopping:
    """Around a training of one or more stages: Ctrl-C or SIGTERM asks it to stop after its update and keep what is there.

    The wish outlives a stage: `bar` gives each stage its progress bar, and all of them answer that it was asked for. Asked
    again, the program ends at once.
    """

    def __init__(self) -> None:
        self.asked = False
        self._bars: list[tqdm[Any]] = []
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        self._previous = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        for bar in self._bars:
            bar.close()

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        tqdm.write("Stopping after this update; what is done is kept. Ask again to quit at once.", file=sys.stderr)

    def bar(self, description: str) -> Report:
        """A progress bar that answers whether to stop."""
        for earlier in self._bars:
            earlier.close()
        bar = tqdm(desc=description, unit="", dynamic_ncols=True)
        self._bars.append(bar)

        def report(done: int, total: int, figures: Mapping[str, float]) -> bool:
            _advance(bar, done, total, figures)
            return self.asked

        return report

    def leave_if_asked(self, kept: str) -> None:
        """Where it was asked to stop, say what is kept and end with exit code STOPPED.

        Raises:
            typer.Exit: it was.
        """
        if self.asked:
            typer.echo(f"Stopped; {kept} Run the same command to go on.")
            leave(stopped=True)


def _advance(bar: tqdm[Any], done: int, total: int, figures: Mapping[str, float]) -> None:
    bar.total = total
    bar.update(done - bar.n)
    bar.set_postfix({key: f"{value:.4g}" for key, value in figures.items()}, refresh=False)


class Ticker:
    """A `Tick`: a progress bar per stage of an experiment, the last of which ends with the `with` that it stands in."""

    def __init__(self) -> None:
        self.label: str | None = None
        self.bar: tqdm[Any] = tqdm(disable=True)

    def __enter__(self) -> Ticker:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def __call__(self, label: str, done: int, total: int) -> None:
        if label != self.label:
            self.bar.close()
            self.label, self.bar = label, tqdm(desc=label, total=total, dynamic_ncols=True)
        self.bar.update(done - self.bar.n)


def hardware(device: str) -> str:
    """What a training ran on, for a card."""
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu"
    return f"{name}, {platform.machine()}, {torch.get_num_threads()} thread(s){processes.in_words()}"


FOLDERS = ("--work", "--out", "--assets", "--diary", "--bundle")


def command_line() -> str:
    """The command as typed, without the folders it wrote to, which are this machine's own."""
    words = sys.argv[1:]
    kept = [word for i, word in enumerate(words) if word not in FOLDERS and (i == 0 or words[i - 1] not in FOLDERS)]
    return shlex.join(["python", "-m", "landscape_core", *(word for word in kept if not word.startswith(FOLDERS))])


def columns(given: Sequence[str] | None, usual: OptimizerName) -> list[OptimizerName]:
    """The optimisers that `--optimizer` named, each once, or the usual one.

    Raises:
        UserError: there is no such optimiser.
    """
    for name in given or []:
        if name not in DEFAULT_RATES:
            raise UserError(f"There is no optimiser {name!r}; there are: {', '.join(DEFAULT_RATES)}.")
    return [known for known in DEFAULT_RATES if known in (given or [usual])]


def raced(solver: Solver, starts: Sequence[Tensor], label: str) -> tuple[Trajectory, bool]:
    """One race with its progress bar, and whether Ctrl-C cut it short: the steps done are kept. Several processes that run
    the same race stop it together."""
    trajectory = Trajectory.empty([lane.name for lane in solver.lanes])
    stopped = False

    def stop() -> bool:
        nonlocal stopped
        stopped = processes.any_of(bar.stopped)
        return stopped

    with Bar(label) as bar:
        for state in states(solver, solver.init(starts), stop=stop):
            trajectory.record(state)
            losses = {lane.name: float(now.loss.mean()) for lane, now in zip(solver.lanes, state.lanes, strict=True)}
            bar(state.step, solver.max_steps, losses)
    return trajectory, stopped or processes.any_of(bar.stopped)
