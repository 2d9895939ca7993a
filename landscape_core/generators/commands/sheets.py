"""`sheets`: contact sheets of what a domain's models do, all of it with pictures that nobody took."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image
from torch import Tensor

from landscape_core.console import apply_threads
from landscape_core.generators.completion import completion_settings, completions
from landscape_core.generators.masks import PRESETS, preset
from landscape_core.generators.observing import Instrument, as_picture
from landscape_core.generators.task import TRUNCATION, load_image_task
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.pixels import to_unit
from landscape_core.images.sheets import labelled_rows
from landscape_core.options import Out, Seed, Space, Threads
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.solver import Lane, Solver, State
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import states
from landscape_core.storage import zoo
from landscape_core.storage.files import whole

EXAMPLES = zoo.ASSETS / "examples"
SIDE = 8
Steps = Annotated[list[int], typer.Option("--steps", help="Steps of inversion to show; give it again for more.", min=1)]


def sheets(
    domain: Annotated[str, typer.Option("--task", "--domain", help="Whose models, e.g. faces.")] = "faces",
    space: Space = "residual",
    steps: Steps = [2, 20, 200],  # noqa: B006  # typer copies it
    images: Annotated[Path, typer.Option(help="Folder or zip with other pictures to invert.")] = EXAMPLES,
    out: Out = Path("docs"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Write samples, inversions (of drawn and of example pictures), completions and restored pictures as PNG."""
    apply_threads(threads)
    task = load_image_task(domain)
    own = draw(task, 6, seed + 1, truncation=TRUNCATION)
    others = to_unit(load_images(ImageSource(images, None, task.side), limit=3))
    makers: dict[str, Callable[[], Image.Image]] = {
        "samples": lambda: labelled_rows(samples(task, seed)),
        "inversions": lambda: labelled_rows(inversions(task, torch.cat([own, others]), space, sorted(steps)), scale=2),
        "completions": lambda: labelled_rows(completed(task, own, space, seed=seed), scale=2),
        "restored": lambda: labelled_rows(restored(task, torch.cat([own[:1], others[1:2]]), space)),
    }
    for name, make in makers.items():
        path = out / f"{domain}-{name}.png"
        with whole(path) as partial:
            make().save(partial, optimize=True)
        typer.echo(f"Wrote {path}.")


@torch.no_grad()
def draw(task: Task, n: int, seed: int, *, truncation: float = 1.0) -> Tensor:
    """n pictures (n, 3, H, W) from the prior of F's inputs, drawn `truncation` of the way from the mean."""
    return task.forward(task.prior.sample(n, torch.Generator().manual_seed(seed), truncation=truncation))


def samples(task: Task, seed: int) -> dict[str, Tensor]:
    """SIDE rows of samples: half as drawn, then the same ones nearer to the mean, where pictures are cleaner and more alike."""
    rows = {}
    for label, truncation in (("as drawn", 1.0), (f"the same, truncated to {TRUNCATION}", TRUNCATION)):
        for part, row in enumerate(draw(task, SIDE * SIDE // 2, seed, truncation=truncation).split(SIDE)):
            rows[label if part == 0 else f"{label} ({part + 1})"] = row
    return rows


def inversions(task: Task, pictures: Tensor, space: str, steps: list[int]) -> dict[str, Tensor]:
    """The pictures, and after each number of steps what X and Z have, with the optimisers on the cards."""
    rows = {"target": pictures}
    if task.encode is not None:
        rows["encoder, no descent"] = task.forward(task.encode(pictures))
    lanes = [Lane(name, task.space(each), task.advice(each).build(max(steps))) for name, each in (("X", X), ("Z", space))]
    solver = Solver(task.forward, task.objective, Target(pictures).to(task.device), lanes, max_steps=max(steps))
    for state in states(solver, solver.init([lane.space.mean_start(len(pictures)) for lane in lanes])):
        if state.step in steps:
            rows |= {f"{lane.name}, {state.step} steps": now.output for lane, now in zip(lanes, state.lanes, strict=True)}
    return rows


def completed(task: Task, pictures: Tensor, space: str, *, seed: int, k: int = 6, steps: int = 30) -> dict[str, Tensor]:
    """A picture under each mask: what is seen of it, then k completions in Z."""
    rows = {}
    for index, name in enumerate(PRESETS):
        picture, mask = pictures[index % len(pictures)][None], preset(name, pictures.shape[-1])
        settings = completion_settings(task, space=space, steps=steps, seed=seed + index)
        for state in completions(task, Target(picture, mask), k, settings):
            last = state.lanes[1].output
        rows[f"mask {name}; then {k} completions in Z"] = torch.cat([picture * mask, last])
    return rows


RESTORED = (
    "low-resolution:8", "low-resolution:16", "blur:gaussian:3", "blur:motion:9:45", "grey", "noise:0.2", "salt-and-pepper:0.3",
    "scattered:0.05", "measurements:256", "blur:gaussian:2+mask:left-half",
)  # fmt: skip
PRIOR_WEIGHT = 0.02


def restored(task: Task, pictures: Tensor, space: str, *, steps: int = 30) -> dict[str, Tensor]:
    """Under each observation, for every picture: what is seen, what X and Z find from the mean, Z with the prior."""
    rows = {}
    for name in RESTORED:
        target = Instrument.of(name).observe(pictures)
        found = []
        for weight in (0.0, PRIOR_WEIGHT):
            settings = RunSettings.table(task, space, [task.advice(space).name], steps=steps, prior_weight=weight)
            *_, last = states(*_begun(*prepare(task, settings, target)))
            found.append([lane.output.cpu() for lane in last.lanes])
        columns = (as_picture(target, task.side).cpu(), found[0][0], found[0][1], found[1][1], pictures)
        row = torch.stack(columns, dim=1).flatten(0, 1)
        rows[f"{name}: what is seen; X; Z; Z with {PRIOR_WEIGHT:g} on the prior; the truth"] = row
    return rows


def _begun(solver: Solver, starts: list[Tensor]) -> tuple[Solver, State]:
    return solver, solver.init(starts)
