"""Which Θ for poses: candidates learned on most recordings of `train`, compared on the others. `val` and `ood` stay unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.comparing import HELD_OUT, Table, buffers_for, learned, scored
from landscape_core.experiments.curves import Lanes, Searches
from landscape_core.pose.recordings import Poses
from landscape_core.pose.task import NAMES, Observation, body_parts, load_body, load_pose_task
from landscape_core.pose.training.theta import pose_mapping_trainer, preset_of, spliced
from landscape_core.progress import Tick
from landscape_core.search.optimizers import LBFGS
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import X
from landscape_core.training.theta import evaluations_per_buffer

STEPS = (2, 20, 200)
BASELINE = "X L-BFGS"
BATCH = 100  # poses in one pass


def held_out(poses: Poses) -> tuple[Tensor, Tensor]:
    """Poses (n, J, 3) of most recordings, and of those held out."""
    held = poses.sequence % HELD_OUT == 0
    return poses.rotvec[~held], poses.rotvec[held]


def widened(poses: Tensor, n: int, parts: list[list[int]], random: torch.Generator, *, most: float = 1.8) -> Tensor:
    """n `spliced` poses (n, J, 3), their distance from the mean pose stretched by up to `most`: beyond any recording."""
    mean = poses.mean(dim=0)
    stretch = 1.0 + (most - 1.0) * torch.rand(n, 1, 1, generator=random)
    return mean + (spliced(poses, n, parts, random) - mean) * stretch


def held_out_sets(poses: Tensor, parts: list[list[int]], n: int, seed: int) -> dict[str, Tensor]:
    """n poses each: as recorded, put together from several, and stretched."""
    random = torch.Generator().manual_seed(seed)
    recorded = poses[torch.randint(len(poses), (n,), generator=random)]
    return {
        "recorded": recorded,
        "spliced": spliced(poses, n, parts, random),
        "widened": widened(poses, n, parts, random),
    }


def compare(
    observation: Observation, presets: Sequence[str], poses: Poses, work: Path, tick: Tick, *, targets: int = 64, seed: int = 0
) -> Table:
    """{candidate: {"recorded 2": ..., ..., "score": ...}}: mean best loss after 2, 20 and 200 steps on held-out poses.

    Every candidate is learned with as many evaluations of F as the first preset is (or one buffer, where that is more) and
    searched by its advised optimiser. The score is the mean log ratio to X by L-BFGS over all sets and steps.
    """
    learned_on, held = held_out(poses)
    task, body = load_pose_task(observation), load_body(observation)
    first = preset_of(observation, presets[0]).training
    evaluations = first.buffers * evaluations_per_buffer(first)
    lanes: Lanes = {BASELINE: (X, LBFGS(1.0))}
    spaces: dict[str, SearchSpace] = {}
    for preset in presets:
        buffers = buffers_for(preset_of(observation, preset), evaluations)
        trainer, _ = pose_mapping_trainer(NAMES[observation], preset, learned_on, work, buffers=buffers, seed=seed)
        spaces[preset] = learned(trainer, tick, f"learning {preset}")
        lanes = {**lanes, preset: (preset, preset_of(observation, preset).advised.build(STEPS[-1]))}
    task = replace(task, mappings=spaces)
    table: Table = {name: {} for name in lanes}
    searches = Searches(task, tick, batch=BATCH)
    for label, each in held_out_sets(held, body_parts(body.skeleton), targets, seed).items():
        for name, curve in searches.curves(body.target(each), lanes, STEPS[-1], label).items():
            table[name] |= {f"{label} {step}": float(curve.loss[step].mean()) for step in STEPS}
    return scored(table, BASELINE)
