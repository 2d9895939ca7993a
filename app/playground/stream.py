"""What the page of the playground is told: numbers to draw, packed small. No Gradio here, and no drawing."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.playground.session import Play
from app.runs.session import Message
from landscape_core.playground.arrivals import arrivals
from landscape_core.playground.basins import Basins
from landscape_core.playground.descent import Sweep, race
from landscape_core.playground.forwards import TwoLinkArm
from landscape_core.playground.landscapes import bent, landscape, with_space, x_grid, z_grid
from landscape_core.playground.settings import defaults
from landscape_core.playground.task import EXACT, Playground
from landscape_core.search.objectives import Target
from landscape_core.search.spaces import SearchSpace, XSpace
from landscape_core.search.trajectory import Trajectory
from landscape_core.surfaces.planes import Grid

LOWEST, HIGHEST = -6.0, 4.0  # decades of loss that are told apart
SIDE, MOVING_SIDE = 41, 31
PATHS, BUFFER_TARGETS = 60, 24
SHOWN = {"optimizer", "x_rate", "z_rate", "limit", "start"}
RECENT = 32  # buffers whose losses come with a frame, more than are trained between two
WATCHED_STEPS = 25  # of the path while Θ is being trained
_SPREAD = 48


def packed(losses: Tensor) -> str:
    """log10 of losses as base64 of uint16, LOWEST..HIGHEST to 0..65534; 65535 is no finite number."""
    decades = losses.double().clamp_min(10.0**LOWEST).log10().clamp_max(HIGHEST)
    scaled = ((decades - LOWEST) / (HIGHEST - LOWEST) * 65534).round()
    values = torch.where(torch.isfinite(losses), scaled, torch.full_like(scaled, 65535)).numpy().astype("<u2")
    return base64.b64encode(values.tobytes()).decode()


def plain(values: Tensor, digits: int = 4) -> Any:
    """Nested lists of rounded numbers; what is not finite becomes None."""
    rounded = np.round(values.detach().double().numpy(), digits)
    told: NDArray[np.object_] = rounded.astype(object)
    told[~np.isfinite(rounded)] = None
    return told.tolist()


def scene(play: Play) -> Message:
    """The forward model with its y: the loss in X, F's image, the known solutions."""
    training, playground = play.training, play.playground
    forward = playground.task.forward
    sheet = x_grid(playground, 25)
    x = playground.task.prior.mean + sheet.plane.at(sheet.coordinates().reshape(-1, 2))
    with torch.no_grad():
        image = forward(x).reshape(25, 25, -1)[..., :2]
    return {
        **target(play),
        "kind": "scene",
        "settings": playground.settings.model_dump(),
        "defaults": defaults(playground.settings.model).model_dump(),
        "box": [plain(playground.low), plain(playground.high)],
        "origin": plain(playground.task.prior.mean),
        "image": plain(image, 3),
        "outputs": len(play.y),
        "arm": [forward.upper, forward.fore] if isinstance(forward, TwoLinkArm) else None,
        "exact": EXACT in playground.task.mappings,
        "tolerance": playground.tolerance,
        "buffer": training.buffer,
        "history": history(training.history),
    }


def target(play: Play) -> Message:
    """What belongs to the y that is searched."""
    playground = play.playground
    return {
        "kind": "target",
        "y": plain(play.y),
        "solutions": plain(playground.minimisers(play.y)),
        "x": {"side": SIDE, "losses": packed(landscape(playground.task, x_grid(playground, SIDE), play.y).losses)},
        "others": None if play.others is None else plain(play.others[:, :2]),
        "chosen": play.chosen,
    }


def frame(play: Play, *, moving: bool) -> Message:
    """Z as it stands: the loss over it, Θ of its grid, and the descents. While Θ is being trained (`moving`) the grid is
    coarser and only Z's first steps are taken."""
    training, playground, space = play.training, play.playground, play.training.space()
    side = MOVING_SIDE if moving else SIDE
    trajectory = _race(play, space, moving)
    grid = _grid(play, space, trajectory, side, moving)
    return {
        "kind": "frame",
        "buffer": training.buffer,
        "phase": None if play.phase is None else [play.phase.name, play.phase.done, play.phase.total],
        "z": {
            "side": side, "half": list(grid.half), "dim": space.dim,
            "losses": packed(landscape(with_space(playground, space), grid, play.y).losses),
        },
        "bent": plain(bent(space, Grid(grid.plane, grid.half, grid.centre, 17)), 3),
        "collected": collected(play),
        "history": history(training.history[-RECENT:]),
        "paths": paths(playground, trajectory, {"Z": space}),
        "whole": not moving,
        "settings": playground.settings.model_dump(include=SHOWN),
    }  # fmt: skip


def _race(play: Play, space: SearchSpace, moving: bool) -> Trajectory:
    playground = play.playground
    settings = playground.settings
    spaces: dict[str, SearchSpace] = {"Z": space}
    if moving:
        watched = playground.changed(limit=min(settings.limit, WATCHED_STEPS))
        return race(watched, spaces, Target(play.y[None]))
    wanted = play.y[None] if play.others is None else torch.cat([play.y[None], play.others])
    return race(playground, {"X": XSpace(playground.task.prior), **spaces}, Target(wanted))


def _grid(play: Play, space: SearchSpace, trajectory: Trajectory, side: int, moving: bool) -> Grid:
    """As much of Z as descents reach: those of the buffer while Θ is trained, at rest those to random targets."""
    playground = play.playground
    seen = torch.cat(trajectory.lane("Z").variables)
    if moving and play.phase is not None and playground.settings.learned:
        seen = torch.cat([seen, play.phase.variable])
    else:
        many = playground.task.sampled(_SPREAD, torch.Generator().manual_seed(0))
        seen = torch.cat([seen, *race(playground.changed(limit=20), {"Z": space}, many).lane("Z").variables])
    through = trajectory.lane("Z").variables[-1][0]
    return z_grid(play.training.name, space.dim, seen, through, side)


def collected(play: Play) -> Any:
    """The z's of the buffer that is being collected or used, first two coordinates: a list a target."""
    if play.phase is None:
        return None
    z, owner = play.phase.variable, play.phase.owner
    if z.shape[1] == 1:
        z = torch.cat([z, torch.zeros_like(z)], dim=1)
    return [plain(z[owner == number][:, :2], 3) for number in range(BUFFER_TARGETS)]


def paths(playground: Playground, trajectory: Trajectory, spaces: Mapping[str, SearchSpace]) -> Message:
    """Per lane and target: where it stood, in its own space and in X, and its loss, at about PATHS of the steps."""
    told: Message = {}
    for lane in trajectory.lanes:
        steps = _kept(len(lane.losses))
        variables = torch.stack([lane.variables[step] for step in steps], dim=1)  # (targets, steps, dim)
        space = XSpace(playground.task.prior) if lane.name == "X" else spaces[lane.name]
        with torch.no_grad():
            inputs = space.to_x(variables.flatten(0, 1)).reshape(*variables.shape[:2], 2)
        losses = lane.loss_table()[:, 0]
        arrived = (losses <= playground.tolerance).nonzero()
        told[lane.name] = {
            "steps": steps,
            "own": plain(variables[..., :2], 3),
            "x": plain(inputs, 3),
            "loss": [None if not math.isfinite(value) else float(f"{value:.4g}") for value in losses[steps].tolist()],
            "arrived": int(arrived[0, 0]) if len(arrived) else None,
        }
    return told


def _kept(count: int) -> list[int]:
    """All steps where they are few, else the first thirty and some of the rest, the last among them."""
    if count <= PATHS:
        return list(range(count))
    rest = torch.linspace(30, count - 1, PATHS - 30).round().long().tolist()
    return sorted({*range(30), *rest})


def history(entries: Sequence[Mapping[str, float]]) -> list[dict[str, float | None]]:
    """Mean losses of buffers as the page can take them."""
    return [{key: float(f"{value:.5g}") if math.isfinite(value) else None for key, value in each.items()} for each in entries]


def swept(sweeps: Mapping[str, Sweep], limit: int) -> Message:
    """Mean steps to tolerance over rates, of X and of Z."""
    lanes = {name: {"rates": list(each.rates), "means": list(each.means), "best": each.best} for name, each in sweeps.items()}
    return {"kind": "swept", "lanes": lanes, "limit": limit}


def measured(steps: Mapping[str, Tensor], limit: int) -> Message:
    """How many targets had arrived after each number of steps, with median and interval."""
    told = {}
    for name, each in steps.items():
        found = arrivals(each, limit)
        counts = torch.bincount(each.long(), minlength=limit + 2)[: limit + 1].cumsum(0) / len(each)
        told[name] = {
            "share": plain(counts, 3), "median": found.median, "median_interval": list(found.median_interval),
            "reached": found.share, "reached_interval": list(found.share_interval),
        }  # fmt: skip
    return {"kind": "measured", "n": len(next(iter(steps.values()))), "limit": limit, "lanes": told}


def basin_map(found: Mapping[str, tuple[Basins, int, list[float]]]) -> Message:
    """Which start reached which minimum, per space: labels from 0, -1 for none; side and half-widths of its grid."""
    lanes = {}
    for name, (basins, side, half) in found.items():
        labels = (basins.label + 1).clamp_max(255).numpy().astype("u1")
        lanes[name] = {
            "side": side, "half": half, "labels": base64.b64encode(labels.tobytes()).decode(), "share": basins.share,
            "minima": plain(basins.minima, 3),
        }  # fmt: skip
    return {"kind": "basins", "lanes": lanes}
