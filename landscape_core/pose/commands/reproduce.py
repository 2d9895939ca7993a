"""`reproduce pose`, `pose-completions` and `follow`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.results import finish
from landscape_core.options import Data, Out, Seed, Space, Threads, UnseenSplit, UnseenSplits, all_taken
from landscape_core.pose.commands.train import Observed
from landscape_core.pose.experiments import following
from landscape_core.pose.experiments import hypotheses as fig6
from landscape_core.pose.experiments import inversion as fig3b
from landscape_core.pose.recordings import MOCAP, draw_bvh_poses, draw_clips, draw_poses, load_poses
from landscape_core.pose.task import Body, load_body, load_pose_task, sampled_poses

Own = Annotated[
    Path | None,
    typer.Option(help="Evaluate your own BVH file, or a folder of them. X is tuned on the data's train, else on the prior's."),
]


def pose(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Poses per split.", min=1)] = 200,
    split: UnseenSplits = "val,ood",
    bvh: Own = None,
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
    task, body = load_pose_task(observation), load_body(observation)
    tuning, tuned_on = _tuning(data / MOCAP, settings.tune_targets, seed, own=bvh is not None)
    sets = _evaluated(data / MOCAP, split.split(","), bvh, body, number, seed)
    known = None if bvh is not None else split.split(",")[0]
    with Ticker() as tick:
        result = fig3b.run_pose(task, body, tuning, sets, settings, command_line(), tick, known=known)
    result.settings = {**result.settings, "x_tuned_on": tuned_on}
    finish(result, out, fig3b.plot)


def _tuning(path: Path, n: int, seed: int, *, own: bool) -> tuple[Tensor, str]:
    """Poses that choose X's learning rates. Who brings own files need not have the data: then the prior draws them."""
    if own and not path.exists():
        return sampled_poses(n, seed), "poses drawn from the prior"
    return draw_poses(load_poses(path, "train"), n, seed), "train"


def _evaluated(path: Path, splits: Sequence[str], bvh: Path | None, body: Body, n: int, seed: int) -> dict[str, Tensor]:
    """Poses of the data's splits by their names; or one's own, by the name of their file or folder."""
    if bvh is not None:
        return {bvh.stem: all_taken(draw_bvh_poses(bvh, body.skeleton, n, seed), n, bvh)}
    return {split: draw_poses(load_poses(path, split), n, seed) for split in splits}


def pose_completions(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Poses.", min=1)] = 50,
    split: UnseenSplit = "val",
    bvh: Own = None,
    k: Annotated[int, typer.Option("--number", "-k", "--k", help="Hypotheses of a pose.", min=2, max=64)] = 8,
    observation: Observed = "rotations",
    space: Space = "residual",
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Fig. 6 for poses: fit and variety of K hypotheses with the upper or the lower body visible, X and Z."""
    apply_threads(threads)
    settings = fig6.HypothesesSettings(targets=number, k=k, space=space, seed=seed)
    task, body = load_pose_task(observation), load_body(observation)
    tuning, tuned_on = _tuning(data / MOCAP, settings.tune_targets, seed, own=bvh is not None)
    poses = _evaluated(data / MOCAP, [split], bvh, body, number, seed)
    with Ticker() as tick:
        result = fig6.run_hypotheses(task, body, tuning, poses, settings, command_line(), tick)
    result.settings = {**result.settings, "x_tuned_on": tuned_on}
    finish(result, out, fig6.plot)


def follow(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Clips per split.", min=2)] = 10,
    split: UnseenSplits = "val,ood",
    frames: Annotated[int, typer.Option(help="Frames of a clip, in a row.", min=2)] = 30,
    steps: Annotated[list[int], typer.Option(help="Steps of descent for every frame; again for another number.")] = [5, 20],  # noqa: B006
    observation: Observed = "rotations",
    space: Space = "residual",
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Clips followed frame by frame: joint error (cm) and frames a second, cold against warm, X against Z by every
    optimiser."""
    apply_threads(threads)
    settings = following.FollowSettings(number, frames, tuple(sorted(set(steps))), space=space, seed=seed)
    task, body = load_pose_task(observation), load_body(observation)
    task.learned(space)
    clips = {
        name: draw_clips(load_poses(data / MOCAP, name), n, frames, seed)
        for name, n in [("train", settings.tune_clips), *((name, number) for name in split.split(","))]
    }
    tuning = clips.pop("train")
    with Ticker() as tick:
        result = following.run_following(task, body, tuning, clips, settings, command_line(), tick)
    finish(result, out, following.plot)
