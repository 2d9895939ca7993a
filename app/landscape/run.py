"""What happens when Run is pressed in the Landscape tab: a run, the planes through it, and their surfaces as messages."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from app.landscape import stream
from app.landscape.drawing import Drawing, Resources, recovered
from app.landscape.plan import MIN_STEPS, PLANES, Plan, kept, offered
from app.runs.legs import numbered
from app.runs.session import Message, Picked, Run, Session
from app.runs.standing import Standing, standing_in
from app.target import targets
from app.target.targets import target_message
from landscape_core.errors import UserError
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.trajectory import Trajectory, states
from landscape_core.storage.fingerprint import fingerprint
from landscape_core.storage.zoo import RESULTS
from landscape_core.surfaces.averages import committed
from landscape_core.surfaces.planes import StoppedError
from landscape_core.surfaces.views import View, views

RaceSession = Session[Picked, Run[Picked]]
MOST_POINTS = 101
AT_ONCE = ("plane", "column", "size")


def current(shared: Resources, model: str, taken: Standing | None, invert: RaceSession) -> Message:
    """The target that the next drawing is about; `of` tells what is drawn from all else, `draw` whether it stands already."""
    if taken is not None:
        return {**stream.target_message(taken.task, taken.target, taken.label), "of": taken.key, "draw": True}
    picked = targets.fitting(invert.target, shared.models.get(model))
    return {**target_message(picked), "of": _own_key(picked, model), "draw": False}


def _own_key(picked: Picked, model: str) -> str:
    """What tells a race of this tab's own from others: its target and its model."""
    return f"own {model} {fingerprint(picked.picture)[:16]}"


def asked(plan: Plan, source: str, *, own: bool, changed: str) -> Message:
    """What the form asks to be drawn, after its field `changed` was; a choice among few is drawn at once."""
    return {"kind": "asked", "plan": plan.key(source, own=own), "redraw": changed in AT_ONCE}


def run(
    shared: Resources, drawing: Drawing, plan: Plan, source: str, taken: Standing | None, invert: RaceSession
) -> Iterator[Message]:
    """The surfaces of a run that was taken from a source, or of a race of this tab's own on the Invert tab's target."""
    return numbered(drawing, _messages(shared, drawing, plan, source, taken, invert))


def _messages(
    shared: Resources, drawing: Drawing, plan: Plan, source: str, taken: Standing | None, invert: RaceSession
) -> Iterator[Message]:
    key = plan.key(source, own=taken is None)
    raced = (yield from _raced(shared, drawing, plan.settings, invert)) if taken is None else taken
    standing = raced.by(plan.column)
    plan = replace(plan, kind=kept(offered(standing.task, standing.space)[0], plan.kind))
    if len(standing.trajectory.steps) < 1 + MIN_STEPS:
        raise UserError("The run is too short for a surface: a plane needs at least two steps.")
    drawing.standing, drawing.settings = standing, _words(standing, plan)
    path = standing.trajectory.thinned(MOST_POINTS, also=plan.at_step)
    yield stream.begin(drawing.number, standing, path, key)
    told = _told(shared, drawing, standing, path)
    if plan.kind == "cut":
        yield from told
        yield from stream.line(drawing, plan.size)
    else:
        yield from _drawn(shared, drawing, standing, path, plan, told)


def _told(shared: Resources, drawing: Drawing, standing: Standing, path: Trajectory) -> Iterator[Message]:
    """The run's steps, and what experiments found."""
    yield from stream.steps(standing, path, shared.models.threads.in_turns)
    drawing.averages = committed(RESULTS, standing.task, standing.space)
    yield {"kind": "averages", "entries": [stream.average(each) for each in drawing.averages]}


def _words(standing: Standing, plan: Plan) -> dict[str, object]:
    """The settings of a drawing as exports name them."""
    said: dict[str, object] = {what: value for what, value in standing.settings}  # noqa: C416  # values are any text there
    said |= {"target": standing.label, "drawn": PLANES[plan.kind]}
    if standing.optimiser:
        said["lanes drawn"] = f"X and Z by {standing.optimiser}"
    if plan.kind == "hessian":
        said["Hessian at step"] = standing.trajectory.steps[-1] if plan.at_step is None else plan.at_step
    if plan.kind == "random":
        said["seed of random directions"] = plan.settings.seed
    return said | {"points a side": 2 * plan.size - 1 if plan.kind == "cut" else plan.size}


def _raced(
    shared: Resources, drawing: Drawing, settings: RunSettings, invert: RaceSession
) -> Generator[Message, None, Standing]:
    """A race on the Invert tab's target; returns it as a `Standing`."""
    task = shared.models.get(settings.task, settings.perceptual)
    picked = targets.fitting(invert.target, task)
    target = picked.target
    solver, starts = prepare(task, settings, target)
    trajectory = Trajectory.empty([lane.name for lane in solver.lanes])
    for state in states(solver, solver.init(starts), stop=drawing.stop.is_set):
        trajectory.record(state)
        yield {"kind": "wait", "text": f"Both searches take their steps: {state.step} of {settings.steps}…"}
    return replace(standing_in(task, target, trajectory, picked.label, settings), key=_own_key(picked, settings.task))


def _drawn(
    shared: Resources, drawing: Drawing, standing: Standing, path: Trajectory, plan: Plan, told: Iterator[Message]
) -> Iterator[Message]:
    try:
        found, note = yield from _views(shared, standing, path, plan, drawing.stop.is_set)
    except StoppedError as before:
        yield from told
        yield {"kind": "drawn", "done": 0, "total": 1, "reason": f"Stopped before {before}."}
        return
    yield from stream.surfaces(
        drawing, standing, found, path.steps, told, note=note, cache=shared.grids, in_turns=shared.models.threads.in_turns
    )


def _views(
    shared: Resources, standing: Standing, path: Trajectory, plan: Plan, stop: Callable[[], bool]
) -> Generator[Message, None, tuple[list[View], str]]:
    """What the plan asks to be drawn, and where its planes are from."""
    assert plan.kind != "cut"
    planes, note = None, ""
    if plan.kind in ("recovered", "random"):
        needed = plan.kind == "recovered"
        planes, said = yield from recovered(shared, standing.task, standing.space, needed=needed, stop=stop)
        note = said if needed else ""
    if plan.kind == "hessian":
        yield {"kind": "wait", "text": "Looking for the directions in which the loss curves most…"}
    found = views(
        standing.task, path, standing.space, plan.kind, target=standing.target, recovered=planes, at_step=plan.at_step,
        size=plan.size, seed=plan.settings.seed, stop=stop,
    )  # fmt: skip
    return found, note
