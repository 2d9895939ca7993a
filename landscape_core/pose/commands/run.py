"""`pose`: the race of X against Z on a body pose, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import apply_threads, leave, raced
from landscape_core.errors import UserError
from landscape_core.options import JointMap, Optimizers, Out, Seed, SeenJoints, Threads, columns
from landscape_core.pose.adopting import load_adopted
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.naming import read_joint_map
from landscape_core.pose.priors import body_of
from landscape_core.pose.run_card import MAX_HYPOTHESES, export_poses, hypotheses_target, make_pose_card
from landscape_core.pose.task import Observation, load_pose_task, seen_joints
from landscape_core.search.race import MAX_STEPS, RunSettings, prepare
from landscape_core.search.spaces import Start
from landscape_core.search.summary import race_summary, result_of
from landscape_core.storage.files import unused


def pose(
    bvh: Annotated[
        Path, typer.Argument(help="BVH file of this skeleton or of another tool's rig, or an AMASS recording (.npz).")
    ],
    frame: Annotated[int, typer.Option(help="Frame of the file, from 0.", min=0)] = 0,
    seen: SeenJoints = "all",
    hypotheses: Annotated[
        int, typer.Option("--number", "-k", help="Hypotheses; several begin at random.", min=1, max=MAX_HYPOTHESES)
    ] = 1,
    observation: Annotated[
        Observation, typer.Option(help="What is observed of a joint: its rotation, or its 3D position.")
    ] = "rotations",
    prior: Annotated[str | None, typer.Option(help="A VPoser that `adopt` took over; the embedded one where absent.")] = None,
    space: Annotated[str | None, typer.Option(help="Learned space that Z uses; the prior's first where absent.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=MAX_STEPS)] = 40,
    optimizer: Optimizers = None,
    names: JointMap = None,
    out: Out = Path("runs/pose"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Race X against Z on one frame of a motion file; writes a zip: README, card, measures, chart, film, latents, and the
    poses found as BVH."""
    apply_threads(threads)
    task = load_pose_task(observation) if prior is None else load_adopted(prior)
    body = body_of(task.name)
    if body.observation != observation:
        raise UserError(f"Of {task.name} joint {body.observation} are observed, not {observation}.")
    motion, named = load_motion(bvh), None if names is None else read_joint_map(names, body.skeleton)
    for notice in motion.notices:
        typer.echo(f"{bvh.name}: {notice}")
    rotvec, visible = pose_of(motion, body.skeleton, frame, named), seen_joints(body, seen)
    start: Start = "mean" if hypotheses == 1 else "random"
    space = task.z_space(space)
    by = columns(optimizer, task.advice(space).name)
    settings = RunSettings.table(task, space, by, seed=seed, steps=steps, start=start)
    solver, starts = prepare(task, settings, hypotheses_target(body, rotvec, visible, hypotheses))
    trajectory, stopped = raced(solver, starts, f"{bvh.name}, frame {frame}")
    card = make_pose_card(task, settings, rotvec, visible, hypotheses, **result_of(trajectory))
    archive = unused(out / f"{bvh.stem}-{frame}.zip")
    export_poses(archive, card, task, solver.lanes, trajectory, solver.target)
    typer.echo(f"{race_summary(trajectory)}\nWrote {archive}.")
    leave(stopped=stopped)
