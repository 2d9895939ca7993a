"""The principal directions of recovered latents as a model file, so that appendix A's planes need no data set at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from landscape_core.search.task import Task, X
from landscape_core.search.thetas import without_other_thetas
from landscape_core.storage import zoo
from landscape_core.surfaces.planes import Plane

KIND = "principal directions"


def card_name(task: Task, space: str) -> str:
    """One file per learned space, holding the directions in X beside it."""
    return f"{task.name}/directions-{space}"


def save_recovered(
    task: Task, planes: Mapping[str, Plane], *, n: int, steps: int, trained_on: str, licence: str, command: str, seed: int,
    assets: Path = zoo.ASSETS,
) -> zoo.Card:  # fmt: skip
    """Write the planes of `recovered_planes`, by space, with the hashes of the models they belong to."""
    (space,) = planes.keys() - {X}
    tensors: dict[str, torch.Tensor] = {}
    explained: dict[str, list[float]] = {}
    for each, plane in planes.items():
        if plane.spread is None or plane.explained is None:
            raise ValueError(f"the plane in {each} was not fitted to recovered latents")
        tensors |= {f"{each}.origin": plane.origin, f"{each}.axes": plane.axes, f"{each}.spread": plane.spread}
        explained[each] = list(plane.explained)
    architecture = {"explained": explained, "models": dict(task.hashes)}
    card = zoo.Card(
        name=card_name(task, space), kind=KIND, architecture=architecture, trained_on=trained_on, licence=licence,
        command=command, budget={"targets": n, "steps": steps}, metrics={}, sha256="", seed=seed,
    )  # fmt: skip
    return zoo.save(card, tensors, assets, dtype=torch.float32)  # rounded further, the axes would not be orthonormal


def load_recovered(task: Task, space: str, assets: Path = zoo.ASSETS) -> dict[str, Plane] | None:
    """The planes in X and in `space`, or None where there are none for exactly these models.

    Raises:
        UserError: the file was altered, or holds something else.
    """
    name = card_name(task, space)
    if name not in zoo.names(assets):
        return None
    card, loaded = zoo.load(name, assets)
    tensors = {key: value.to(task.device) for key, value in loaded.items()}
    with zoo.fitting(card):
        explained, models = card.architecture["explained"], card.architecture["models"]
        if not same_models(models, task.hashes, space):
            return None
        parts = {each: [tensors[f"{each}.{part}"] for part in ("origin", "axes", "spread")] for each in (X, space)}
        return {
            each: Plane(origin, axes, each, tuple(explained[each]), spread) for each, (origin, axes, spread) in parts.items()
        }


def same_models(wanted: Mapping[str, str], have: Mapping[str, str], space: str) -> bool:
    """Whether two tables of hashes agree on F, L and this space's Θ; other Θ's do not matter."""
    return without_other_thetas(wanted, [space]) == without_other_thetas(have, [space])
