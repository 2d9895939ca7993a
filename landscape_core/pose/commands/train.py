"""`train pose-prior`, `pose-mapping` and `pose-compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Stopping, Ticker, apply_threads, command_line, only_main
from landscape_core.experiments.comparing import note_on_card, written
from landscape_core.options import Assets, Buffers, Seed, Threads, Work
from landscape_core.pose.experiments.compare import compare
from landscape_core.pose.recordings import load_mocap_skeleton, load_poses
from landscape_core.pose.task import NAMES, Observation
from landscape_core.pose.training.prior import PosePriorConfig, export_prior, train_pose_prior
from landscape_core.pose.training.theta import PRESETS, RESIDUAL, pose_mapping_trainer, publish_pose_mapping
from landscape_core.storage import zoo
from landscape_core.training.alternating import train_mapping

Observed = Annotated[Observation, typer.Option(help="What is observed of a pose.")]
Motion = Annotated[Path, typer.Option(help="npz of poses, of the prior's skeleton.")]


def pose_prior(
    data: Motion = Path("data/mocap.npz"),
    samples: Annotated[int, typer.Option(help="Poses seen.", min=1)] = PosePriorConfig.samples,
    work: Work = Path("runs/pose-prior"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Train the pose prior on split train and measure it on val and ood. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    config, skeleton = PosePriorConfig(samples=samples, seed=seed), load_mocap_skeleton(data)
    poses = {split: load_poses(data, split).rotvec for split in ("train", "val", "ood")}
    with Stopping() as stop:
        trainer = train_pose_prior(poses.pop("train"), skeleton, config, work, stop.bar("poses"))
    stop.leave_if_asked(f"everything so far is in {work}.")
    card = export_prior(trainer, skeleton, poses, assets, command_line())
    typer.echo(f"Wrote {card.name} below {assets}: {card.metrics}")


def pose_mapping(
    data: Motion = Path("data/mocap.npz"),
    split: Annotated[str, typer.Option(help="Split of the npz to train on.")] = "train",
    observation: Observed = "rotations",
    preset: Annotated[str, typer.Option(help=f"One of: {', '.join((RESIDUAL, *PRESETS))}.")] = RESIDUAL,
    buffers: Buffers = None,
    work: Work = Path("runs/pose-mapping"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn Θ for the pose prior (Algorithm 1). Ctrl-C stops and keeps all finished buffers."""
    apply_threads(threads)
    task, poses = NAMES[observation], load_poses(data, split).rotvec
    trainer, config = pose_mapping_trainer(task, preset, poses, work, buffers=buffers, seed=seed)
    with Stopping() as stop:
        train_mapping(trainer, stop.bar("buffers"))
    stop.leave_if_asked(f"{trainer.progress.buffer} buffers are kept in {work / task / preset}.")
    only_main()
    card = publish_pose_mapping(
        trainer, config, task, preset, trained_on=f"{data.name} {split}", command=command_line(), assets=assets
    )
    typer.echo(f"Wrote {card.name} below {assets}.")


def pose_compare(
    data: Motion = Path("data/mocap.npz"),
    observation: Observed = "rotations",
    presets: Annotated[str, typer.Option(help="Candidates; each gets the first one's evaluations of F.")] = "long,short,paper",
    targets: Annotated[int, typer.Option(help="Poses of each kind.", min=2)] = 64,
    work: Work = Path("runs/pose-compare"),
    note: Annotated[bool, typer.Option("--note", help="Put the table on the card of the Θ that the app searches in.")] = False,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn several Θ on seven eighths of train's recordings and compare them on the rest: recorded, spliced, stretched."""
    apply_threads(threads)
    with Ticker() as tick:
        table = compare(observation, presets.split(","), load_poses(data, "train"), work, tick, targets=targets, seed=seed)
    typer.echo(written(table))
    if note:
        note_on_card(f"pose/theta-{observation}-{RESIDUAL}", table, command_line())
