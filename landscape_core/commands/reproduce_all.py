"""`reproduce all`: every measurement in order of value, within a budget of time, each one going on where it was left."""

from __future__ import annotations

import inspect
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from landscape_core.autoencoders.commands import reproduce as autoencoders
from landscape_core.commands import reproduce, reproduce_em, tables
from landscape_core.console import Data, Device, Out, Threads, leave
from landscape_core.defence.commands import reproduce as defence
from landscape_core.experiments.report import PAGE, embedded_hashes, outdated
from landscape_core.generators.commands import reproduce as generators
from landscape_core.generators.commands import restoring
from landscape_core.playground.commands import reproduce as playground
from landscape_core.pose.commands import reproduce as pose

PROGRAM = ("python", "-m", "landscape_core")
GRACE = 30.0  # seconds in which a measurement that was asked to stop has to write what it has


@dataclass(frozen=True)
class Measurement:
    """One `reproduce` command with its own arguments; `results` are the files that it writes."""

    command: str
    function: Callable[..., None]
    results: tuple[str, ...]
    arguments: tuple[str, ...] = ()

    def words(self, shared: Mapping[str, object]) -> list[str]:
        """The command line's words, those of the shared options left out that the command does not have."""
        known = set(inspect.signature(self.function).parameters)
        options = [word for name, value in shared.items() if name in known for word in (f"--{name}", str(value))]
        return ["reproduce", self.command, *self.arguments, *options]


# What the paper claims first comes first, then what explains it, then what can only qualify it; the longest of a kind last.
PLAN = (
    Measurement("convergence", tables.convergence, ("convergence",)),
    Measurement("convergence", tables.convergence, ("convergence-cats",), ("--task", "cats")),
    Measurement("pose", pose.pose, ("pose",)),
    Measurement("pose", pose.pose, ("pose-positions",), ("--observation", "positions")),
    Measurement("defence", defence.defence, ("defence-mart", "defence-ro")),
    Measurement("em", reproduce_em.em, ("em-pose",), ("--task", "pose")),
    Measurement("em", reproduce_em.em, ("em-pose-paper",), ("--task", "pose", "--preset", "paper")),
    Measurement("em", reproduce_em.em, ("em",)),
    Measurement("budget", tables.budget, ("budget",)),
    Measurement("completions", generators.completions, ("completions",)),
    Measurement("restore", restoring.restore, ("restore",)),
    Measurement("pose-completions", pose.pose_completions, ("pose-completions",)),
    Measurement("landscapes", reproduce.landscapes, ("landscapes",)),
    Measurement("landscapes", reproduce.landscapes, ("landscapes-pose",), ("--task", "pose")),
    Measurement("landscapes", reproduce.landscapes, ("landscapes-pose-positions",), ("--task", "pose-positions")),
    Measurement("ablation", generators.ablation, ("ablation",)),
    Measurement("z-dimension", generators.z_dimension, ("z-dimension",)),
    Measurement("features", autoencoders.features, ("features",)),
    Measurement("playground", playground.playground, ("playground",), ("--seed", "100")),
    Measurement("w-plus", generators.w_plus, ("w-plus",)),
    Measurement("convergence", tables.convergence, ("converged",), ("--steps", "2000", "--targets", "40")),
)


def run_all(
    plan: Sequence[Measurement], shared: Mapping[str, object], out: Path, seconds: float,
    launch: Callable[[list[str], float], int | None],
) -> dict[str, str]:  # fmt: skip
    """Every measurement of a plan that has no up-to-date result in `out`, until the time is spent; {command line: how it went}.

    `launch` runs a command's words for at most so many seconds and gives its exit code, None where time ran out.
    """
    deadline, went = time.monotonic() + seconds, {}
    for each in plan:
        words = each.words(shared)
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
    result: Mapping[str, Any] = json.loads(path.read_text())
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
    budget: Annotated[float, typer.Option(help="Minutes in all; the measurement under way is then stopped.", min=0.1)] = 60.0,
    data: Data = Path("data"),
    number: Annotated[int | None, typer.Option("--targets", help="Targets of every measurement; its own where absent.",
                                               min=3)] = None,
    out: Out = Path("results"),
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Everything in order of value, and the page of results. What is up to date is left; what was begun goes on."""
    shared: dict[str, object] = {} if data == Path("data") else {"data": data}
    shared |= {} if device == "cpu" else {"device": device}
    shared |= {"threads": threads} if threads else {}
    plan = PLAN if number is None else [with_targets(each, number) for each in PLAN]

    def launch(words: list[str], left: float) -> int | None:
        typer.echo(f"\n{shlex.join([*PROGRAM, *words])}  ({left / 60:.0f} minutes left)")
        code = launched([sys.executable, *PROGRAM[1:], *words], left)
        if (out / PAGE).exists() or code == 0:
            reproduce.write_report(out)
        return code

    went = run_all(plan, shared, out, 60.0 * budget, launch)
    typer.echo("\n" + "\n".join(f"{how:>12}  {name}" for name, how in went.items()))
    leave(stopped=False, refused=[name for name, how in went.items() if how.startswith("refused")])


def with_targets(each: Measurement, number: int) -> Measurement:
    """The measurement of so many targets, instead of its own number."""
    words = list(each.arguments)
    if "--targets" in words:
        at = words.index("--targets")
        del words[at : at + 2]
    return Measurement(each.command, each.function, each.results, (*words, "--targets", str(number)))
