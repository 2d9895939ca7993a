"""What happens on each event of the Landscape tab: a race, the planes through it, and their surfaces as messages."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app import invert_events, race, targets
from app import landscape_stream as stream
from app.models import Models
from app.session import Run, Session
from app.settings import from_values, values_of
from app.stream import numbered
from landscape_core.data import to_unit
from landscape_core.errors import UserError
from landscape_core.objectives import Target
from landscape_core.planes import Plane
from landscape_core.recovered import load_recovered
from landscape_core.runs import RunSettings
from landscape_core.surface_export import surface_page, surface_png
from landscape_core.surface_panels import Panel
from landscape_core.surface_views import KINDS, Kind, recovered_planes, views
from landscape_core.tasks.base import Task
from landscape_core.trajectory import LaneRecord, Trajectory

Message = dict[str, Any]
SIZES = (21, 41, 81)
MIN_STEPS, MAX_STEPS = 2, 200
MOST_POINTS = 201
OWN_SAMPLES = 24
KEPT_GRIDS, KEPT_PANELS = 32, 24


class Recent(OrderedDict[str, Any]):
    """A mapping that forgets its oldest entries beyond `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self.most:
            self.popitem(last=False)


@dataclass(frozen=True)
class Plan:
    """What the form asks for: `source` is "own" (a race of this tab) or "invert" (the run that stands there)."""

    source: str
    kind: Kind
    size: int
    settings: RunSettings


@dataclass
class Laboratory:
    """What all visitors share: models, grids by content, recovered planes; and the panels of each run, for export."""

    models: Models
    grids: Recent = field(default_factory=lambda: Recent(KEPT_GRIDS))
    planes: Recent = field(default_factory=lambda: Recent(KEPT_GRIDS))
    panels: Recent = field(default_factory=lambda: Recent(KEPT_PANELS))


def plan_from(models: Models, values: list[Any]) -> Plan:
    """The form's [source, model, space, plane, size, steps, seed], which is untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    source, model, space, kind, size, steps, seed = values
    if kind not in KINDS:
        raise UserError(f"Plane: there is no {kind!r}; there are: {', '.join(KINDS)}.")
    if size not in SIZES:
        raise UserError(f"Points a side: one of {', '.join(map(str, SIZES))} is needed.")
    if not isinstance(steps, int | float) or not MIN_STEPS <= steps <= MAX_STEPS:
        raise UserError(f"Steps: a number from {MIN_STEPS} to {MAX_STEPS} is needed; a plane needs at least three points.")
    usual = values_of(invert_events.defaults(models, model, space))
    return Plan(source, kind, size, from_values([usual[0], space, usual[2], steps, seed, *usual[5:]]))


def run(lab: Laboratory, session: Session, invert: Session, values: list[Any]) -> Iterator[Message]:
    """The race, then its surfaces from coarse to fine; an error is the last message."""
    try:
        plan = plan_from(lab.models, values)
        yield from _taken(session, invert) if plan.source == "invert" else _raced(lab, session, invert, plan)
        yield from _surfaces(lab, session, plan)
    except UserError as error:
        yield {"kind": "error", "text": str(error)}


def current(models: Models, invert: Session) -> Message:
    """The target that the next run takes: the Invert tab's."""
    picked = invert.target or targets.drawn(models.get(models.names[0]), 0)
    return invert_events.target_message(picked)


def _raced(lab: Laboratory, session: Session, invert: Session, plan: Plan) -> Iterator[Message]:
    session.target = invert.target or targets.drawn(lab.models.get(plan.settings.task), 0)
    return race.start(lab.models, session, plan.settings)


def _taken(session: Session, invert: Session) -> Iterator[Message]:
    """The Invert tab's run as it stands, its messages sent again under another id."""
    standing = invert.run
    if standing is None or standing.trajectory.last is None:
        raise UserError("There is no run in the Invert tab yet. Press Run there, or let this tab take its own steps.")
    if invert_events.running(invert):
        raise UserError("The run in the Invert tab is still going; wait for it, or stop it there.")
    s = standing
    taken = Run(session.count + 1, s.settings, s.target, s.task, s.solver, s.trajectory)
    session.begin(taken)
    return numbered(taken, iter(list(s.messages)))


def _surfaces(lab: Laboratory, session: Session, plan: Plan) -> Iterator[Message]:
    standing = session.run
    if standing is None or standing.trajectory.last is None or len(standing.trajectory.steps) < 1 + MIN_STEPS:
        raise UserError("The run is too short for a surface: a plane needs at least two steps.")
    with standing.lock:
        yield from numbered(standing, _drawn(lab, standing, plan))


def _drawn(lab: Laboratory, standing: Run, plan: Plan) -> Iterator[Message]:
    task, space = standing.task, standing.settings.space
    path = thinned(standing.trajectory, MOST_POINTS)
    recovered = lab.planes.get(_key(task, space))
    if recovered is None and plan.kind in ("recovered", "random"):
        recovered = load_recovered(task, space)
    if recovered is None and plan.kind == "recovered":
        yield {"kind": "wait", "text": f"Recovering {OWN_SAMPLES} pictures that the model draws, once, for the paper's plane…"}
        recovered = own_planes(task, space)
    if recovered is not None:
        lab.planes[_key(task, space)] = recovered
    found = views(task, path, space, plan.kind, recovered=recovered, size=plan.size, seed=plan.settings.seed)
    panels: list[Panel] = []
    lab.panels[standing.id] = panels
    target = Target(to_unit(standing.target.picture)[None])
    yield from stream.surfaces(task, target, found, path.steps, panels, cache=lab.grids, stop=standing.stop.is_set)


def own_planes(task: Task, space: str) -> Mapping[str, Plane]:
    """Appendix A's planes from pictures that the model draws, where none are embedded for these models."""
    with torch.no_grad():
        pictures = task.forward(task.prior.sample(OWN_SAMPLES, torch.Generator().manual_seed(0)))
    return recovered_planes(task, space, Target(pictures))


def _key(task: Task, space: str) -> str:
    return f"{space} {sorted(task.hashes.items())} {type(task.objective).__name__} {id(task)}"


def thinned(trajectory: Trajectory, most: int) -> Trajectory:
    """The trajectory with at most about `most` of its steps, the first and the last among them."""
    stride = max(1, -(-(len(trajectory.steps) - 1) // (most - 1)))
    last = len(trajectory.steps) - 1
    keep = sorted({*range(0, last + 1, stride), last})

    def at(values: list[Tensor]) -> list[Tensor]:
        return [values[i] for i in keep]

    lanes = [
        LaneRecord(lane.name, at(lane.variables), at(lane.losses), [lane.seconds[i] for i in keep]) for lane in trajectory.lanes
    ]
    return Trajectory(lanes, [trajectory.steps[i] for i in keep], trajectory.last)


def export(lab: Laboratory, session: Session, what: Any, log: Any) -> Path:
    """The surfaces that stand, as a standalone page ("html") or a picture ("png"), in a new temporary folder.

    Raises:
        UserError: there are none yet, or no such format.
    """
    standing = session.run
    panels = lab.panels.get(standing.id, []) if standing is not None else []
    if standing is None or not panels or any(panel.surface.level == 0 for panel in panels):
        raise UserError("There is no surface to export yet; press Run first.")
    if what not in ("html", "png"):
        raise UserError("Surfaces are exported as html or png.")
    path = Path(tempfile.mkdtemp(prefix="landscape-")) / f"surfaces-{standing.number}-seed-{standing.settings.seed}.{what}"
    if what == "png":
        path.write_bytes(surface_png(panels, log=bool(log)))
    else:
        path.write_text(surface_page(panels, log=bool(log), heading=f"Loss surfaces: {standing.target.label}"))
    return path
