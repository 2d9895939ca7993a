"""Runs on poses for a session, as messages for the figure view. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from app.pose import settings as pose_settings
from app.pose import stream, targets
from app.pose.session import PoseRun, PoseSession, PoseTarget
from app.pose.settings import MAX_K, PoseSettings, checked_k
from app.runs.address import TARGET
from app.runs.cards import LOADED, read_card_file
from app.runs.judged import judged
from app.runs.lanes import table_of
from app.runs.legs import Legs, lasting, result_so_far
from app.runs.models import Models
from app.runs.session import Message
from app.runs.settings import values_of
from app.runs.told import to_export, told_of
from app.scratch import export_path
from landscape_core.errors import UserError
from landscape_core.pose.hypotheses import joint_judges
from landscape_core.pose.priors import body_of, drawing_task
from landscape_core.pose.run_card import PoseCard, export_poses, hypotheses_target, make_pose_card, pose_card_target
from landscape_core.pose.task import Body
from landscape_core.records.run_card import Card, replay_promise
from landscape_core.search.judges import best_of, input_judge, prior_judge
from landscape_core.search.race import MAX_STEPS, prepare
from landscape_core.search.trajectory import Trajectory

USUAL_MORE = 100


def open_page(
    models: Models, session: PoseSession, query: Mapping[str, str]
) -> tuple[PoseSettings, list[str] | None, list[str]]:
    """Settings, target (the session's) and joints seen that an address asks for, None for all; with a sentence for each thing
    it could not have."""
    asked, notes = pose_settings.from_query(query, models)
    now, drawing = session.target, models.get(drawing_task(asked.settings.task))
    notes += session.open(lambda: targets.from_query(drawing, query, now), query.get(TARGET))
    names = body_of(drawing.name).skeleton.names
    hidden = [name for name in query.get("hidden", "").split(",") if name in names]
    return asked, [name for name in names if name not in hidden] if query else None, notes


def note(models: Models, session: PoseSession, values: Mapping[str, Any]) -> Message:
    """What the form means now: an error, or how the next run differs from the one that stands; and its address."""
    try:
        asked = pose_settings.from_values(values)
        query = pose_settings.query_of(asked, models) | session.query
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    return {"text": "", "level": "plain", "query": query, "tab": "pose", "table": table_of(asked.settings)}


def start(models: Models, session: PoseSession, asked: PoseSettings, visible: Any) -> Iterator[Message]:
    """Race X against Z on the session's pose, for k hypotheses of which the joints named in `visible` are seen.

    Raises:
        UserError: no target, k out of range, joints that do not exist, or a space that does not.
    """
    settings, k = asked.settings, checked_k(asked.k)
    if session.target is None:
        raise UserError("Choose a pose first.")
    body = body_of(settings.task)
    if session.target.drawing != drawing_task(settings.task):
        raise UserError(f"The pose chosen is none of the body that {settings.task} knows; choose another.")
    seen = joints_of(body, visible)
    task = models.get(settings.task)
    solver, starts = prepare(task, settings, hypotheses_target(body, session.target.rotvec, seen, k))
    empty = Trajectory.empty(settings.names())
    run = PoseRun(session.count + 1, settings, session.target, task, solver, empty, body=body, visible=seen)
    return _legs().start(session, run, starts)


def joints_of(body: Body, visible: Any) -> list[str]:
    """The names of seen joints from the page, which is untrusted. Raises UserError where they are none."""
    if not isinstance(visible, list) or not all(isinstance(name, str) for name in visible):
        raise UserError("The visible joints must be a list of names.")
    body.mask(visible)
    return [name for name in body.skeleton.names if name in visible]


def resume(session: PoseSession, more: Any) -> Iterator[Message]:
    """Take `more` steps from where the session's run stands.

    Raises:
        UserError: as `continued`.
    """
    return _legs().resume(session, more)


def _legs() -> Legs[PoseRun]:
    return Legs(stream.begin, stream.column, _end, card_of, MAX_STEPS, USUAL_MORE, repeats)


def _end(run: PoseRun, reason: str) -> Message:
    last, number = run.trajectory.last, run.target.number
    assert last is not None  # a run always records its start
    found = {lane.name: best_of(run.solver, lane, now) for lane, now in zip(run.solver.lanes, last.lanes, strict=True)}
    inputs = [] if number is None else [input_judge(targets.input_of(run.task, number))]
    judges = [*joint_judges(run.body, run.target.rotvec, run.visible), *inputs, prior_judge(run.task.prior)]
    return {**stream.end(run, reason), **judged(found, run.solver.target, judges)}


def card_of(run: PoseRun) -> PoseCard:
    """The run's card."""
    target, result = run.target.rotvec, result_so_far(run)
    return make_pose_card(run.task, lasting(run), target, run.visible, len(run.solver.target), **result)


def repeats(card: Card, run: PoseRun) -> bool:
    """Whether a run is the one that a card describes: settings, pose, joints seen and number of hypotheses."""
    if not isinstance(card, PoseCard) or not torch.equal(torch.tensor(card.rotvec), run.target.rotvec):
        return False
    return (card.settings, card.visible, card.hypotheses) == (run.settings, run.visible, len(run.solver.target))


def load_card(models: Models, session: PoseSession, data: bytes, said: str = LOADED) -> tuple[PoseCard, str]:
    """Take the pose of a card for the session; nothing is run. The sentence says whether a replay can be exact.

    Raises:
        UserError: not the card of a run on a pose, or one that asks for what is not here.
    """
    card = read_card_file(data, PoseCard)
    if card.hypotheses > MAX_K:
        raise UserError(f"The card has {card.hypotheses} hypotheses; here at most {MAX_K} are drawn.")
    pose_card_target(card)  # what is wrong with its pose or joints is said now, not when it is run
    task = models.get(card.settings.task)
    values_of(card.settings)  # lanes that the form has no place for are refused now, before anything is taken over
    promise = replay_promise(card, task)
    pose, drawing = torch.tensor(card.rotvec), drawing_task(task.name)
    session.target, session.card = PoseTarget(pose, "from a run card", {TARGET: "card"}, drawing=drawing), card
    return card, f"{said}; {promise}"


def export(session: PoseSession) -> Path:
    """A zip with the run's card, losses and latents, and as BVH the target and each lane's best poses.

    Raises:
        UserError: there is no run yet.
    """
    run = to_export(session.run)
    path = export_path(f"pose-run-{run.number}.zip")
    export_poses(path, card_of(run), run.task, run.solver.lanes, run.trajectory, run.solver.target, told_of(run))
    return path
