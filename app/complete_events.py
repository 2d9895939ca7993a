"""What happens on each event of the Complete tab: a session and plain values in, messages for the views out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from app import complete_stream as stream
from app import invert_events
from app.models import Models
from app.session import Picked, Run, Session
from app.settings import from_values, values_of
from app.stream import numbered
from app.targets import SIDE
from landscape_core.completion import completion_settings, completion_solver, pasted
from landscape_core.data import to_bytes, to_unit
from landscape_core.errors import UserError
from landscape_core.masks import PRESETS, check_mask, preset
from landscape_core.runs import RunSettings, png_base64
from landscape_core.trajectory import Trajectory, states

Message = dict[str, Any]
MIN_K, MAX_K = 4, 20
MAX_STEPS = 300
FIRST_MASK = "centre"
LABELS = {"centre": "Centre only", "mouth": "Mouth", "eyes": "Eyes", "left-half": "Left half", "border": "Border"}


def presets() -> list[Message]:
    """Every preset mask with words for it."""
    return [{"name": n, "label": LABELS.get(n, n), "mask": stream.mask_text(preset(n, SIDE))} for n in PRESETS]


def painter_message(picked: Picked) -> Message:
    """What the painter paints on."""
    return {"picture": png_base64(picked.picture), "label": picked.label, "presets": presets(), "first": FIRST_MASK}


def read_painted(text: Any) -> Tensor:
    """A painted mask (1, 1, SIDE, SIDE) from the browser, which is untrusted.

    Raises:
        UserError: not one character 0 or 1 per pixel, or a mask that `check_mask` refuses.
    """
    if not isinstance(text, str) or len(text) != SIDE * SIDE or set(text) - {"0", "1"}:
        raise UserError(f"A mask is {SIDE} × {SIDE} pixels, each 0 (hidden) or 1 (visible).")
    return check_mask(torch.tensor([float(c) for c in text]).reshape(1, 1, SIDE, SIDE))


def mask_sentence(text: Any) -> str:
    """What is wrong with a painted mask; empty where it can be used."""
    try:
        read_painted(text)
    except UserError as error:
        return str(error)
    return ""


def settings_from(models: Models, values: list[Any]) -> tuple[RunSettings, int]:
    """Settings and K from the form's [model, space, K, steps, seed], which is untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    model, space, k, steps, seed = values
    if not isinstance(k, int | float) or int(k) != k or not MIN_K <= k <= MAX_K:
        raise UserError(f"Completions: a whole number from {MIN_K} to {MAX_K} is needed.")
    task = models.get(model)
    try:
        chosen = completion_settings(task, space=space, steps=min(steps, MAX_STEPS), seed=seed)
    except (ValidationError, TypeError):
        chosen = from_values([model, space, "random", steps, seed, *values_of(RunSettings())[5:]])  # names what is wrong
    return chosen, int(k)


def run(models: Models, session: Session, mask: Any, values: list[Any]) -> Iterator[Message]:
    """K completions in X and in Z; an error is the last message."""
    try:
        chosen, k = settings_from(models, values)
        yield from _start(models, session, read_painted(mask), chosen, k)
    except UserError as error:
        yield {"kind": "error", "text": str(error)}


def _start(models: Models, session: Session, mask: Tensor, chosen: RunSettings, k: int) -> Iterator[Message]:
    if session.target is None:
        raise UserError("Choose a picture first: one drawn by the model, an example, or your own.")
    task = models.get(chosen.task)
    solver, starts = completion_solver(task, to_unit(session.target.picture)[None], mask, k, chosen)
    standing = Run(session.count + 1, chosen, session.target, task, solver, Trajectory.empty(["X", "Z"]))
    session.begin(standing)
    with standing.lock:
        yield from numbered(standing, _messages(standing, starts))


def _messages(standing: Run, starts: list[Tensor]) -> Iterator[Message]:
    yield stream.begin(standing)
    yield from stream.batches(standing, states(standing.solver, standing.solver.init(starts), stop=standing.stop.is_set))
    reached = standing.trajectory.steps[-1]
    stopped = f"Stopped at step {reached}; all that was reached is kept." if reached < standing.solver.max_steps else ""
    yield stream.end(standing, stopped)


def picked(session: Session, asked: dict[str, Any]) -> Picked:
    """One completion as a target: {"lane", "index", "step", "pasted"} of the session's run. Of the last step it is the
    picture itself; of others it is drawn again, which can differ by the rounding of a batch of one.

    Raises:
        UserError: no such completion.
    """
    standing = session.run
    if standing is None or standing.trajectory.last is None:
        raise UserError("There are no completions yet; press Run first.")
    lane, index, step = str(asked.get("lane")), asked.get("index"), asked.get("step")
    names, target, steps = [each.name for each in standing.solver.lanes], standing.solver.target, standing.trajectory.steps
    if not isinstance(index, int) or not 0 <= index < len(target) or lane not in names or not isinstance(step, int):
        raise UserError("That completion is no longer known to the server.")
    if step not in steps:
        raise UserError("That step is no longer known to the server.")
    output = _output(standing, names.index(lane), index, steps.index(step))
    if asked.get("pasted") and target.mask is not None:
        output = pasted(output, target.value[:1], target.mask[:1])
    return Picked(to_bytes(output)[0], f"completion {index + 1} in {lane}")


def _output(standing: Run, lane: int, index: int, at: int) -> Tensor:
    """Completion `index` of a lane at the recorded step number `at`: (1, 3, H, W)."""
    last = standing.trajectory.last
    if last is not None and at == len(standing.trajectory.steps) - 1:
        return last.lanes[lane].output[index : index + 1]
    variable = standing.trajectory.lanes[lane].variables[at][index : index + 1]
    with torch.no_grad():
        return standing.task.forward(standing.solver.lanes[lane].space.to_x(variable))


def send_on(session: Session, invert: Session, asked: dict[str, Any]) -> tuple[Message | None, str]:
    """Make a completion the Invert tab's target; returns what its race view shows, and a sentence."""
    shown, sentence = invert_events.choose(invert, lambda: picked(session, asked))
    return shown, sentence or "Sent to Invert."
