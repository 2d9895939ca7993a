"""`pose` and `replay-pose`: the race of X against Z on a body pose, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Optimizers, Out, Seed, Threads, apply_threads, columns, raced
from landscape_core.pose.bvh import load_bvh, pose_of
from landscape_core.pose.run_card import (
    MAX_HYPOTHESES,
    body_of,
    export_poses,
    hypotheses_target,
    make_pose_card,
)
from landscape_core.pose.task import NAMES, Body, Observation, load_pose_task, lower_body, upper_body
from landscape_core.search.race import MAX_STEPS, RunSettings, prepare
from landscape_core.search.spaces import Start
from landscape_core.search.summary import race_summary, result_of


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
    optimizer: Optimizers = None,
    out: Out = Path("runs/pose"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Race X against Z on one frame of a BVH file; writes a zip: card, losses, latents, and the found poses as BVH."""
    apply_threads(threads)
    task, body = load_pose_task(observation), body_of(NAMES[observation])
    rotvec, visible = pose_of(load_bvh(bvh), body.skeleton, frame), _visible(body, seen)
    start: Start = "mean" if hypotheses == 1 else "random"
    names = columns(optimizer, task.advice(space).name)
    settings = RunSettings.table(task, space, names, seed=seed, steps=steps, start=start)
    solver, starts = prepare(task, settings, hypotheses_target(body, rotvec, visible, hypotheses))
    trajectory = raced(solver, starts, f"{bvh.name}, frame {frame}")
    card = make_pose_card(task, settings, rotvec, visible, hypotheses, **result_of(trajectory))
    out.mkdir(parents=True, exist_ok=True)
    archive = out / f"{bvh.stem}-{frame}.zip"
    export_poses(archive, card, task, solver.lanes, trajectory)
    typer.echo(f"{race_summary(trajectory)}\nWrote {archive}.")


def _visible(body: Body, seen: str) -> list[str]:
    groups = {"all": list(body.skeleton.names), "upper": upper_body(body.skeleton), "lower": lower_body(body.skeleton)}
    return groups.get(seen) or [name.strip() for name in seen.split(",")]
