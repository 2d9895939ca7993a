"""`reproduce em`: Appendix B, for any task whose Θ is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import TypedDict

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.domains import load_task
from landscape_core.errors import UserError
from landscape_core.experiments import em as appendix_b
from landscape_core.experiments.results import finish
from landscape_core.generators.datasets import DOMAINS
from landscape_core.generators.training.theta import mapping_trainer
from landscape_core.images.datasets import load_images
from landscape_core.options import Buffers, CurvatureInputs, Data, Device, Out, Seed, Threads, Work
from landscape_core.pose.recordings import MOCAP, load_poses
from landscape_core.pose.task import NAMES
from landscape_core.pose.training.theta import pose_mapping_trainer
from landscape_core.search.task import Task
from landscape_core.search.thetas import without_other_thetas
from landscape_core.training.alternating import MappingTrainer

USUAL = "residual"


class _Fewer(TypedDict):
    """What is asked for instead of the preset's own numbers."""

    buffers: int | None
    targets: int | None
    inputs: int | None


def em(
    data: Data = Path("data"),
    task: Annotated[str, typer.Option(help=f"Which task: {', '.join((*DOMAINS, *NAMES.values()))}.")] = "faces",
    preset: Annotated[str, typer.Option(help="Which Θ, as in `train mapping` and `train pose-mapping`.")] = USUAL,
    buffers: Buffers = None,
    number: Annotated[int | None, typer.Option("--targets", help="Targets N in a buffer; the preset's where absent.",
                                               min=1)] = None,
    curvature_inputs: CurvatureInputs = None,
    work: Work = Path("runs/em"),
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Appendix B: whether every M-step lowers its buffer's loss, and what becomes of the E-step's bound. Trains a Θ of its own;
    stop it at any time, the same command goes on."""
    apply_threads(threads)
    fewer = _Fewer(buffers=buffers, targets=number, inputs=curvature_inputs)
    size = f"{buffers or 'all'}x{number or 'all'}-{curvature_inputs or 'all'}-seed{seed}"
    loaded, trainer = _training(task, preset, data, work / size, device, fewer, seed)
    words = ["em", *([task] if task != "faces" else []), *([preset] if preset != USUAL else [])]
    models = without_other_thetas(loaded.hashes, ())
    with Ticker() as tick:
        result = appendix_b.run_em(trainer, "-".join(words), models, command_line(), tick)
    finish(result, out, appendix_b.plot)


def _training(
    name: str, preset: str, data: Path, folder: Path, device: str, fewer: _Fewer, seed: int
) -> tuple[Task, MappingTrainer]:
    """The task, and the training of its Θ with `fewer` than the preset has."""
    if name in DOMAINS:
        task = load_task(name, device=device)
        images = load_images(DOMAINS[name].source(data, "train", task.side))
        return task, mapping_trainer(name, preset, images, folder, **fewer, seed=seed, device=device)[0]
    if name in NAMES.values():
        task = load_task(name)
        poses = load_poses(data / MOCAP, "train").rotvec
        return task, pose_mapping_trainer(name, preset, poses, folder, **fewer, seed=seed)[0]
    raise UserError(f"{name} has no training of a Θ; there are: {', '.join((*DOMAINS, *NAMES.values()))}.")
