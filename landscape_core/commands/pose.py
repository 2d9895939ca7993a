"""`reproduce pose` and `reproduce pose-completions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.commands.common import Data, Out, Seed, Threads, apply_threads
from landscape_core.commands.reproduce import Ticker, command_line, finish
from landscape_core.mocap import load_poses
from landscape_core.reproduce import pose as fig3b
from landscape_core.reproduce import pose_completions as fig6
from landscape_core.tasks.pose import Observation, load_body, load_pose_task

MOCAP = "mocap.npz"
Observed = Annotated[Observation, typer.Option(help="What is observed of a pose.")]
Space = Annotated[str, typer.Option(help="Learned space that Z uses.")]


def pose(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Poses per split.", min=1)] = 200,
    split: Annotated[str, typer.Option(help="Splits of the data to evaluate, known actions first; X is tuned on train.")] = (
        "val,ood"
    ),
    observation: Observed = "rotations",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=5000)] = 200,
    space: Space = "residual",
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Fig. 3b: loss and joint error (cm) per step in X (tuned on train) and in Z, known and unknown actions."""
    apply_threads(threads)
    settings = fig3b.PoseSettings(targets=number, steps=steps, space=space, seed=seed)
    path = data / MOCAP
    train = fig3b.draw(load_poses(path, "train"), settings.tune_targets, seed)
    sets = {name: fig3b.draw(load_poses(path, name), number, seed) for name in split.split(",")}
    task, body, ticker = load_pose_task(observation), load_body(observation), Ticker()
    result = fig3b.run_pose(task, body, train, sets, settings, command_line(), ticker)
    ticker.close()
    finish(result, out, lambda picture: fig3b.plot(result, picture))


def pose_completions(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Poses.", min=1)] = 50,
    split: Annotated[str, typer.Option(help="Split of the data to evaluate; X is tuned on train.")] = "val",
    k: Annotated[int, typer.Option(help="Hypotheses of a pose.", min=2, max=64)] = 8,
    observation: Observed = "rotations",
    space: Space = "residual",
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Fig. 6 for poses: fit and variety of K hypotheses with the upper or the lower body visible, X and Z."""
    apply_threads(threads)
    settings = fig6.HypothesesSettings(targets=number, k=k, space=space, seed=seed)
    path = data / MOCAP
    train = fig3b.draw(load_poses(path, "train"), settings.tune_targets, seed)
    poses = fig3b.draw(load_poses(path, split), number, seed)
    task, body, ticker = load_pose_task(observation), load_body(observation), Ticker()
    result = fig6.run_hypotheses(task, body, train, {split: poses}, settings, command_line(), ticker)
    ticker.close()
    finish(result, out, lambda picture: fig6.plot(result, picture))
