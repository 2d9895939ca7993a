"""`pose` and `replay-pose`: the race of X against Z on a body pose, from the command line."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Annotated

import torch
import typer

from landscape_core.console import Bar, Out, Seed, Threads, apply_threads
from landscape_core.errors import UserError
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.run_card import (
    MAX_HYPOTHESES,
    PoseCard,
    body_of,
    export_poses,
    hypotheses_target,
    make_pose_card,
    pose_card_target,
)
from landscape_core.pose.task import NAMES, Body, Observation, load_pose_task, lower_body, upper_body
from landscape_core.search.export import CARD
from landscape_core.search.optimizers import DEFAULT_RATES, OptimizerName, OptimizerSettings
from landscape_core.search.race import MAX_STEPS, RunSettings, prepare
from landscape_core.search.run_card import check_models, read_card
from landscape_core.search.solver import Solver
from landscape_core.search.summary import race_summary, replay_sentence, result_of
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, states


def pose(
    bvh: Annotated[
        Path, typer.Argument(help="BVH file: this skeleton's, or a rig with Mixamo, CMU, LAFAN or Biovision names.")
    ],
    frame: Annotated[int, typer.Option(help="Frame of the file, from 0.", min=0)] = 0,
    seen: Annotated[str, typer.Option(help="Joints seen: all, upper, lower, or names with commas between.")] = "all",
    hypotheses: Annotated[
        int, typer.Option("--number", "-k", help="Hypotheses; several begin at random.", min=1, max=MAX_HYPOTHESES)
    ] = 1,
    observation: Annotated[Observation, typer.Option(help="What is observed of a joint.")] = "rotations",
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=MAX_STEPS)] = 40,
    optimizer: Annotated[OptimizerName | None, typer.Option(help="For both lanes; each space's own where absent.")] = None,
    out: Out = Path("runs/pose"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Race X against Z on one frame of a BVH file; writes a zip: card, losses, latents, and the found poses as BVH."""
    apply_threads(threads)
    task, body = load_pose_task(observation), body_of(NAMES[observation])
    rotvec, visible = pose_of(load_motion(bvh), body.skeleton, frame), _visible(body, seen)
    settings = RunSettings(
        task=task.name, space=space, seed=seed, steps=steps, start="mean" if hypotheses == 1 else "random",
        x=_optimizer(task, X, optimizer), z=_optimizer(task, space, optimizer),
    )  # fmt: skip
    solver, starts = prepare(task, settings, hypotheses_target(body, rotvec, visible, hypotheses))
    trajectory = _raced(solver, starts, f"{bvh.name}, frame {frame}")
    card = make_pose_card(task, settings, rotvec, visible, hypotheses, **result_of(trajectory))
    out.mkdir(parents=True, exist_ok=True)
    archive = out / f"{bvh.stem}-{frame}.zip"
    export_poses(archive, card, task, solver.lanes, trajectory)
    typer.echo(f"{race_summary(trajectory)}\nWrote {archive}.")


def replay_pose(
    card: Annotated[Path, typer.Argument(help=f"{CARD} of a run on a pose, or the zip that holds it.")], threads: Threads = 0
) -> None:
    """Repeat the run of a card and say whether it came out the same, bit for bit."""
    read = read_card(_card_text(card), PoseCard)
    apply_threads(threads)
    observation: Observation = "rotations" if read.settings.task == NAMES["rotations"] else "positions"
    target, task = pose_card_target(read), load_pose_task(observation)
    for name in check_models(read, task):
        typer.echo(f"The model {name} is not the one that the card was made with.")
    trajectory = _raced(*prepare(task, read.settings, target), card.name)
    typer.echo(replay_sentence(read.result, trajectory) or "The card does not say how its run came out.")


def _visible(body: Body, seen: str) -> list[str]:
    groups = {"all": list(body.skeleton.names), "upper": upper_body(body.skeleton), "lower": lower_body(body.skeleton)}
    return groups.get(seen) or [name.strip() for name in seen.split(",")]


def _optimizer(task: Task, space: str, name: OptimizerName | None) -> OptimizerSettings:
    return task.advice(space) if name is None else OptimizerSettings(name=name, lr=DEFAULT_RATES[name])


def _raced(solver: Solver, starts: list[torch.Tensor], label: str) -> Trajectory:
    """One race with its progress bar; Ctrl-C keeps the steps done."""
    trajectory = Trajectory.empty([lane.name for lane in solver.lanes])
    with Bar(label) as bar:
        for state in states(solver, solver.init(starts), stop=lambda: bar.stopped):
            trajectory.record(state)
            losses = {lane.name: float(now.loss.mean()) for lane, now in zip(solver.lanes, state.lanes, strict=True)}
            bar(state.step, solver.max_steps, losses)
    return trajectory


def _card_text(path: Path) -> str:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.read(CARD).decode("utf-8")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} holds no run card: {error}") from error
