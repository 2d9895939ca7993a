"""What commands print and how they end: progress bars that Ctrl-C stops, exit codes, the command line for a card."""

from __future__ import annotations

import platform
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import typer
from torch import Tensor
from tqdm import tqdm
from typing_extensions import Self

from landscape_core import processes
from landscape_core.errors import listed
from landscape_core.progress import Report
from landscape_core.search.solver import Solver
from landscape_core.search.trajectory import Trajectory, states

DONE, REFUSED, STOPPED = 0, 1, 130  # exit codes


def apply_threads(threads: int) -> None:
    """Set torch's CPU threads before the first kernel runs."""
    if threads:
        torch.set_num_threads(threads)


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


class _Interruptible:
    """While its `with` lasts, Ctrl-C or SIGTERM asks the work to stop and keep what is there; asked again, the program ends at
    once. What it says to that, its kinds know."""

    def __init__(self) -> None:
        self.stopped = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._previous = {number: signal.signal(number, self._ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)

    def _ask_to_stop(self, *_: object) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        self._acknowledge()

    def _acknowledge(self) -> None:
        raise NotImplementedError


class Bar(_Interruptible):
    """A progress bar that is a `Report`, and answers whether it was asked to stop."""

    def __init__(self, description: str) -> None:
        super().__init__()
        self.bar: tqdm[Any] = tqdm(desc=description, unit="", dynamic_ncols=True)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.bar.close()

    def _acknowledge(self) -> None:
        self.bar.write("Stopping after this update; what is done is kept. Press Ctrl-C again to quit at once.")

    def __call__(self, done: int, total: int, figures: Mapping[str, float]) -> bool:
        _advance(self.bar, done, total, figures)
        return self.stopped


class Stopping(_Interruptible):
    """Around a training of one or more stages: the wish to stop outlives a stage. `bar` gives each stage its progress bar, and
    all of them answer that it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: list[tqdm[Any]] = []

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        for bar in self._bars:
            bar.close()

    def _acknowledge(self) -> None:
        tqdm.write("Stopping after this update; what is done is kept. Ask again to quit at once.", file=sys.stderr)

    def bar(self, description: str) -> Report:
        """A progress bar that answers whether to stop."""
        for earlier in self._bars:
            earlier.close()
        bar = tqdm(desc=description, unit="", dynamic_ncols=True)
        self._bars.append(bar)

        def report(done: int, total: int, figures: Mapping[str, float]) -> bool:
            _advance(bar, done, total, figures)
            return self.stopped

        return report

    def leave_if_asked(self, kept: str) -> None:
        """Where it, or any of several processes, was asked to stop, say what is kept and end with exit code STOPPED.

        Raises:
            typer.Exit: it was.
        """
        if processes.any_of(self.stopped):
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
