"""What happens on each event of the Landscape tab: a run, the planes through it, and their surfaces as messages."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from app.landscape import stream
from app.runs.jobs import Job
from app.runs.lanes import CELLS, LANES
from app.runs.legs import numbered
from app.runs.models import Models
from app.runs.session import Message, Picked, Run, Session
from app.runs.settings import defaults, from_values, values_of
from app.runs.standing import Standing, standing_in
from app.target import targets
from app.target.targets import target_message
from landscape_core.errors import UserError
from landscape_core.images.pixels import to_unit
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory, states
from landscape_core.storage.zoo import RESULTS
from landscape_core.surfaces.averages import Averages, Example, LandscapeSettings, averages, committed, examined, series
from landscape_core.surfaces.export import surface_page, surface_png
from landscape_core.surfaces.panels import Panel
from landscape_core.surfaces.planes import Plane
from landscape_core.surfaces.recovered import load_recovered
from landscape_core.surfaces.views import KINDS, Kind, recovered_planes, views

RaceSession = Session[Picked, Run[Picked]]
OWN = "own"
SIZES = (21, 41, 81)
MIN_STEPS, MAX_STEPS = 2, 200
MOST_POINTS = 101
OWN_SAMPLES = 24
KEPT_GRIDS = 24
MIN_SAMPLES, MAX_SAMPLES = 2, 50


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
    """What the form asks for. `settings` are those of a race of this tab's own; another tab's run has its own."""

    kind: Kind
    size: int
    settings: RunSettings


@dataclass
class Resources:
    """What all visitors share: models, grids by content, recovered planes."""

    models: Models
    grids: Recent = field(default_factory=lambda: Recent(KEPT_GRIDS))
    planes: Recent = field(default_factory=lambda: Recent(KEPT_GRIDS))


@dataclass
class Drawing(Job):
    """One press of Run, in progress or at rest. `stop` is asked between steps and between batches of points; `averages`
    are what experiments found, `live` what was measured here the `measured`th time.
    """

    standing: Standing | None = None
    panels: list[Panel] = field(default_factory=list)
    averages: list[Averages] = field(default_factory=list)
    live: Averages | None = None
    measured: int = 0


def plan_from(models: Models, values: Mapping[str, Any]) -> Plan:
    """What is to be drawn, from the form's values (model, space, plane, size, steps, seed), which are untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    kind, size, steps = values["plane"], values["size"], values["steps"]
    if kind not in KINDS:
        raise UserError(f"Plane: there is no {kind!r}; there are: {', '.join(KINDS)}.")
    if size not in SIZES:
        raise UserError(f"Points a side: one of {', '.join(map(str, SIZES))} is needed.")
    if not isinstance(steps, int | float) or not MIN_STEPS <= steps <= MAX_STEPS:
        raise UserError(f"Steps: a number from {MIN_STEPS} to {MAX_STEPS} is needed; a plane needs at least three points.")
    usual = values_of(defaults(models, values["model"], values["space"]))
    own = {name: values[name] for name in ("space", "steps", "seed")}
    return Plan(kind, size, from_values({**usual, **own, LANES: list(CELLS[:2])}))


def current(models: Models, taken: Standing | None, invert: RaceSession) -> Message:
    """The target that the next surfaces are about."""
    if taken is not None:
        return stream.target_message(taken.task, taken.target, taken.label)
    picked = invert.target or targets.first(models.get(models.names[0]))
    return target_message(picked)


def run(shared: Resources, drawing: Drawing, plan: Plan, taken: Standing | None, invert: RaceSession) -> Iterator[Message]:
    """The surfaces of a run that was taken elsewhere, or of a race of this tab's own on the Invert tab's target."""
    return numbered(drawing, _messages(shared, drawing, plan, taken, invert))


def _messages(
    shared: Resources, drawing: Drawing, plan: Plan, taken: Standing | None, invert: RaceSession
) -> Iterator[Message]:
    standing = (yield from _raced(shared, drawing, plan.settings, invert)) if taken is None else taken
    if len(standing.trajectory.steps) < 1 + MIN_STEPS:
        raise UserError("The run is too short for a surface: a plane needs at least two steps.")
    drawing.standing = standing
    yield from stream.race(drawing.number, standing, standing.trajectory.thinned(MOST_POINTS))
    drawing.averages = committed(RESULTS, standing.task, standing.space)
    yield {"kind": "averages", "entries": [stream.average(each) for each in drawing.averages]}
    yield from _drawn(shared, drawing, standing, plan)


def _raced(
    shared: Resources, drawing: Drawing, settings: RunSettings, invert: RaceSession
) -> Generator[Message, None, Standing]:
    """A race on the Invert tab's target; returns it as a `Standing`."""
    task = shared.models.get(settings.task, settings.perceptual)
    picked = (invert.target or targets.first(task)).at(task.side)
    target = Target(to_unit(picked.picture)[None])
    solver, starts = prepare(task, settings, target)
    trajectory = Trajectory.empty([lane.name for lane in solver.lanes])
    for state in states(solver, solver.init(starts), stop=drawing.stop.is_set):
        trajectory.record(state)
        yield {"kind": "wait", "text": f"Both searches take their steps: {state.step} of {settings.steps}…"}
    return standing_in(task, target, trajectory, picked.label, settings)


def _drawn(shared: Resources, drawing: Drawing, standing: Standing, plan: Plan) -> Iterator[Message]:
    task, space = standing.task, standing.space
    recovered, said = None, ""
    if plan.kind in ("recovered", "random"):
        recovered, said = yield from _recovered(shared, task, space, needed=plan.kind == "recovered")
    path = standing.trajectory.thinned(MOST_POINTS)
    found = views(task, path, space, plan.kind, recovered=recovered, size=plan.size, seed=plan.settings.seed)
    note = said if plan.kind == "recovered" else ""
    yield from stream.surfaces(
        task, standing.target, found, path.steps, drawing.panels, note=note, cache=shared.grids, stop=drawing.stop.is_set
    )


def _recovered(
    shared: Resources, task: Task, space: str, *, needed: bool
) -> Generator[Message, None, tuple[Mapping[str, Plane] | None, str]]:
    """The paper's planes by space and where they are from: kept, embedded, or (where `needed`) found now."""
    key = f"{space} {sorted(task.hashes.items())} {type(task.objective).__name__} {id(task)}"
    if key not in shared.planes:
        planes: Mapping[str, Plane] | None
        planes, said = load_recovered(task, space), "The plane's directions are embedded with the models."
        if planes is None and needed:
            yield {"kind": "wait", "text": f"Recovering {OWN_SAMPLES} random targets, once, for the paper's plane…"}
            planes, said = own_planes(task, space), f"The plane's directions are those of {OWN_SAMPLES} random targets."
        if planes is None:
            return None, ""
        shared.planes[key] = planes, said
    found: tuple[Mapping[str, Plane], str] = shared.planes[key]
    return found


def own_planes(task: Task, space: str) -> Mapping[str, Plane]:
    """Appendix A's planes from random targets, where none are embedded for these models."""
    return recovered_planes(task, space, task.sampled(OWN_SAMPLES, torch.Generator().manual_seed(0)))


def measure(shared: Resources, drawing: Drawing | None, n: Any) -> Iterator[Message]:
    """The figures of `n` random targets of the task that stands, averaged anew after each.

    Raises:
        UserError: nothing stands, or not a number of samples.
    """
    if drawing is None or drawing.standing is None:
        raise UserError("Press Run first: what is measured is the task of the run that stands.")
    if not isinstance(n, int) or not MIN_SAMPLES <= n <= MAX_SAMPLES:
        raise UserError(f"Samples: a whole number from {MIN_SAMPLES} to {MAX_SAMPLES} is needed.")
    drawing.stop.clear()
    drawing.measured, drawing.live = drawing.measured + 1, None
    return numbered(drawing, _measured(shared, drawing, drawing.standing, n))


def _measured(shared: Resources, drawing: Drawing, standing: Standing, n: int) -> Iterator[Message]:
    task, settings = standing.task, LandscapeSettings(space=standing.space)
    planes, _ = yield from _recovered(shared, task, standing.space, needed=True)
    assert planes is not None  # they are found where they are needed
    yield {"kind": "measuring", "done": 0, "total": n, "entry": None}
    targets = task.sampled(n, torch.Generator().manual_seed(drawing.measured))
    found: dict[str, list[Example]] = {"X": [], "Z": []}
    for done, example in enumerate(examined(task, targets, planes, settings, stop=drawing.stop.is_set), start=1):
        for lane, each in example.items():
            found[lane].append(each)
        source = f"random targets drawn here, number {drawing.measured}"
        drawing.live = averages(source, series(found), settings.words(task)) if done > 1 else None
        yield {"kind": "measuring", "done": done, "total": n, "entry": drawing.live and stream.average(drawing.live)}
    done = len(found["X"])
    reason = "" if done == n else f"Stopped after {done} of {n} samples" + ("." if done > 1 else "; an average needs two.")
    yield {"kind": "drawn", "done": done, "total": n, "reason": reason}


def export(drawing: Drawing | None, what: Any, log: Any) -> Path:
    """The surfaces that stand, as a standalone page ("html") or a picture ("png"), in a new temporary folder.

    Raises:
        UserError: there are none yet, or no such format.
    """
    panels = [] if drawing is None else drawing.panels
    if drawing is None or drawing.standing is None or not panels or any(panel.surface.level == 0 for panel in panels):
        raise UserError("There is no surface to export yet; press Run first.")
    if what not in ("html", "png"):
        raise UserError("Surfaces are exported as html or png.")
    known = [*drawing.averages, *([drawing.live] if drawing.live else [])]
    path = Path(tempfile.mkdtemp(prefix="landscape-")) / f"surfaces-{drawing.number}.{what}"
    if what == "png":
        path.write_bytes(surface_png(panels, known, log=bool(log)))
    else:
        path.write_text(surface_page(panels, known, log=bool(log), heading=f"Loss surfaces: {drawing.standing.label}"))
    return path
