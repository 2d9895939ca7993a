"""`reproduce all`: every measurement in order of value, within a budget of time, each one going on where it was left."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import click
import typer

from landscape_core import processes
from landscape_core.commands.reproduce import write_report
from landscape_core.console import leave
from landscape_core.errors import UserError
from landscape_core.experiments.report import embedded_hashes, outdated
from landscape_core.experiments.results import read_result
from landscape_core.options import Data, Device, Out, Threads

NO_MEASUREMENTS = ("all", "report")
PROGRAM = ("python", "-m", "landscape_core")
GRACE = 30.0  # seconds in which a measurement that was asked to stop has to write what it has


@dataclass(frozen=True)
class Measurement:
    """One `reproduce` command with its own arguments; `results` are the files that it writes."""

    command: str
    results: tuple[str, ...]
    arguments: tuple[str, ...] = ()

    def words(self, shared: Mapping[str, object], options: Collection[str]) -> list[str]:
        """The command line's words: of the shared options those that the command has and its arguments do not give."""
        own = {word for word in self.arguments if word.startswith("--")}
        given = [word for name, value in shared.items() if name in options and name not in own for word in (name, str(value))]
        return ["reproduce", self.command, *self.arguments, *given]


# What the paper claims first comes first, then what explains it, then what can only qualify it; the longest of a kind last.
PLAN = (
    Measurement("convergence", ("convergence",)),
    Measurement("convergence", ("convergence-cats",), ("--task", "cats")),
    Measurement("pose", ("pose",)),
    Measurement("pose", ("pose-positions",), ("--observation", "positions")),
    Measurement("defence", ("defence-mart", "defence-ro")),
    Measurement("why", ("why-pose",), ("--task", "pose")),
    Measurement("why", ("why",)),
    Measurement("em", ("em-pose",), ("--task", "pose")),
    Measurement("em", ("em-pose-paper",), ("--task", "pose", "--preset", "paper")),
    Measurement("em", ("em",)),
    Measurement("spectrum", ("spectrum",)),
    Measurement("noise", ("noise",)),
    Measurement("budget", ("budget",), ("--teach", "20000")),
    Measurement("completions", ("completions",)),
    Measurement("restore", ("restore",)),
    Measurement("restore-observed", ("restore-observed",)),
    Measurement("pose-completions", ("pose-completions",)),
    Measurement("follow", ("follow",)),
    Measurement("follow", ("follow-positions",), ("--observation", "positions")),
    Measurement("landscapes", ("landscapes",)),
    Measurement("landscapes", ("landscapes-pose",), ("--task", "pose")),
    Measurement("landscapes", ("landscapes-pose-positions",), ("--task", "pose-positions")),
    Measurement("cost", ("cost",)),
    Measurement("fragile", ("fragile",)),
    Measurement("weighting", ("weighting",)),
    Measurement("noise-only", ("noise-only",)),
    Measurement("ablation", ("ablation",)),
    Measurement("z-dimension", ("z-dimension",)),
    Measurement("features", ("features",)),
    Measurement("playground", ("playground",), ("--seed", "100")),
    Measurement("w-plus", ("w-plus",)),
    Measurement("convergence", ("converged",), ("--steps", "2000", "--targets", "40")),
)


Options = Mapping[str, Collection[str]]  # by command, what it can be given


def whole_plan(options: Options) -> list[Measurement]:
    """The plan, and behind it every other command there is, as it stands."""
    named = {each.command for each in PLAN}
    return [*PLAN, *(Measurement(name, (name,)) for name in options if name not in named and name not in NO_MEASUREMENTS)]


def run_all(
    plan: Sequence[Measurement], options: Options, shared: Mapping[str, object], out: Path, seconds: float,
    launch: Callable[[list[str], float], int | None],
) -> dict[str, str]:  # fmt: skip
    """Every measurement of a plan that has no up-to-date result in `out`, until the time is spent; {command line: how it went}.

    `launch` runs a command's words for at most so many seconds and gives its exit code, None where time ran out.
    """
    deadline, went = time.monotonic() + seconds, {}
    for each in plan:
        words = each.words(shared, options[each.command])
        name = shlex.join(words)
        if all(up_to_date(out / f"{result}.json", words) for result in each.results):
            went[name] = "up to date"
            continue
        left = deadline - time.monotonic()
        code = launch([*words, "--out", str(out)], left) if left > 0 else None
        went[name] = "no time" if code is None else "done" if code == 0 else f"refused ({code})"
    return went


def up_to_date(path: Path, words: Sequence[str]) -> bool:
    """Whether a result was made by these very words, on the models that are embedded now."""
    if not path.exists():
        return False
    result = read_result(path)
    return result["command"] == shlex.join([*PROGRAM, *words]) and not outdated([result], embedded_hashes())


def launched(words: Sequence[str], seconds: float) -> int | None:
    """A program's exit code; None where it was ended because its time was spent."""
    process = subprocess.Popen(words)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
    except KeyboardInterrupt:  # it got one as well
        process.wait()
        raise
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return None


def reproduce_all(
    context: typer.Context,
    budget: Annotated[float, typer.Option(help="Minutes in all; the measurement under way is then stopped.", min=0.1)] = 60.0,
    data: Data = Path("data"),
    number: Annotated[int | None, typer.Option("--targets", help="Targets of every measurement; its own where absent.",
                                               min=3)] = None,
    out: Out = Path("results"),
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Everything in order of value, and the page of results. What is up to date is left; what was begun goes on."""
    if processes.count() > 1:
        raise UserError("reproduce all starts its measurements one after the other by itself; launch each of them instead.")
    assert context.parent is not None
    commands: Mapping[str, click.Command] = context.parent.command.commands  # type: ignore[attr-defined]
    options = {name: {word for each in command.params for word in each.opts} for name, command in commands.items()}
    usual = {"--data": Path("data"), "--targets": None, "--device": "cpu", "--threads": 0}
    given = {"--data": data, "--targets": number, "--device": device, "--threads": threads}
    shared = {name: value for name, value in given.items() if value != usual[name]}

    def launch(words: list[str], left: float) -> int | None:
        typer.echo(f"\n{shlex.join([*PROGRAM, *words])}  ({left / 60:.0f} minutes left)")
        code = launched([sys.executable, *PROGRAM[1:], *words], left)
        if code == 0:
            write_report(out)
        return code

    went = run_all(whole_plan(options), options, shared, out, 60.0 * budget, launch)
    typer.echo("\n" + "\n".join(f"{how:>12}  {name}" for name, how in went.items()))
    leave(stopped=False, refused=[name for name, how in went.items() if how.startswith("refused")])
