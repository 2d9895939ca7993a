"""What surfaces say in a sentence, and where the plane they are drawn on misleads."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from landscape_core.surfaces.panels import Panel
from landscape_core.surfaces.surface import PathOnPlane

_EQUAL = 0.02  # losses that differ by less than this share have no order


def verdict(panels: Sequence[Panel]) -> str:
    """How the surfaces of X and of Z compare, or what the one surface shows of both paths."""
    ends = {name: path for panel in panels for name, path in panel.paths.items()}
    reached = _reached({name: float(path.true_loss[-1]) for name, path in ends.items()})
    measures = [panel.measures for panel in panels]
    if len(panels) < 2 or any(each is None for each in measures):
        return reached
    x, z = (each for each in measures if each is not None)
    rough = f"rough {x.roughness:.2g} in X, {z.roughness:.2g} in Z"
    convex = f"convex at {100 * x.convex_share:.0f}\u00a0% of X's points, {100 * z.convex_share:.0f}\u00a0% of Z's"
    smoother, rounder = _better(-x.roughness, -z.roughness), _better(x.convex_share, z.convex_share)
    if smoother == rounder and smoother is not None:
        return f"On these planes {smoother}'s surface is the smoother and the more convex one ({rough}; {convex}). {reached}"
    return f"On these planes neither surface is the easier one by every measure ({rough}; {convex}). {reached}"


def _better(x: float, z: float) -> str | None:
    return None if x == z else "X" if x > z else "Z"


def _reached(losses: dict[str, float]) -> str:
    if set(losses) != {"X", "Z"}:
        return ""
    x, z = losses["X"], losses["Z"]
    lower = _lower(losses)
    told = f"{x:.3g} for X, {z:.3g} for Z"
    return f"Both runs ended about as low ({told})." if lower is None else f"{lower}'s run ended lower ({told})."


def warnings(panels: Sequence[Panel]) -> list[str]:
    """Where what is seen is not what happened: a path that leaves the plane by more than its extent on it, and ends that
    stand in another order on the plane than in truth."""
    paths = {name: path for panel in panels for name, path in panel.paths.items()}
    said = [_off(name, path) for name, path in paths.items() if misses(path)]
    true = {name: float(path.true_loss[-1]) for name, path in paths.items()}
    seen = {name: float(path.plane_loss[-1]) for name, path in paths.items()}
    if None not in (_lower(true), _lower(seen)) and _lower(true) != _lower(seen):
        said.append(
            f"The plane misleads: on it {_lower(seen)} ends lower (X {seen['X']:.3g}, Z {seen['Z']:.3g}), in truth "
            f"{_lower(true)} does (X {true['X']:.3g}, Z {true['Z']:.3g})."
        )
    return said


def misses(path: PathOnPlane) -> bool:
    """Whether a path leaves its plane by more than its extent on it."""
    return float(path.distance.max()) > extent_on(path)


def extent_on(path: PathOnPlane) -> float:
    """The largest distance between two points of a path on its plane, in units of the variable."""
    return float(torch.pdist(path.coordinates).max()) if len(path.coordinates) > 1 else 0.0


def _off(name: str, path: PathOnPlane) -> str:
    return (
        f"{name}'s path leaves the plane by up to {float(path.distance.max()):.3g}, more than its whole extent on it "
        f"({extent_on(path):.3g}): most of what the run did happens off this picture."
    )


def _lower(losses: dict[str, float]) -> str | None:
    """The lane that stands lower; None where they are about equal, or one is not finite."""
    x, z = losses.get("X", torch.nan), losses.get("Z", torch.nan)
    if not abs(x - z) > _EQUAL * max(abs(x), abs(z)):
        return None
    return "X" if x < z else "Z"
