"""Attacking and defending a session's picture, as messages for the defence view. Knows nothing of Gradio."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from app.defence import stream
from app.defence.examples import EXAMPLES
from app.defence.pictures import Defences, example
from app.defence.session import DefenceRun, DefenceSession
from app.defence.settings import MAX_STEPS, DefenceSettings, query_of, values_of
from app.runs.address import TARGET, Values
from app.runs.cards import LOADED, read_card_file
from app.runs.legs import Legs, held, lasting, result_so_far
from app.runs.progress import reporting
from app.runs.session import Message, Picked, Session
from app.runs.told import to_export, told_of
from app.scratch import export_path
from landscape_core.defence.attacks import AttackSettings
from landscape_core.defence.counting import DefencePlan, attack_knowing
from landscape_core.defence.objective import Defence, restored
from landscape_core.defence.run_card import DefenceCard, make_defence_card
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import SIDE
from landscape_core.images.pixels import png_bytes, png_tensor, to_bytes, to_unit
from landscape_core.records.run_card import Card, replay_promise
from landscape_core.records.run_zip import export_zip
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.solver import Solver
from landscape_core.search.trajectory import Trajectory

FURTHER = 5
ANSWERS = "answers.json"


def card_of(run: DefenceRun) -> DefenceCard:
    """The run's card."""
    picture, attack = run.target.picture, run.asked
    return make_defence_card(run.task, lasting(run), picture, run.truth, attack, run.knows, **result_so_far(run))


def repeats(card: Card, run: DefenceRun) -> bool:
    """Whether a run is the one that a card describes: settings, picture, class, attack and what the attacker knew."""
    if not isinstance(card, DefenceCard) or not torch.equal(png_tensor(card.target_png), run.target.picture):
        return False
    return (card.settings, card.truth, card.attack, card.knows) == (run.settings, run.truth, run.asked, run.knows)


LEGS = Legs(stream.begin, stream.column, stream.end, card_of, MAX_STEPS, FURTHER, repeats)


def warm(defences: Defences) -> None:
    """Attack and defend an example with the first classifier once: the first time is slow.

    Raises:
        UserError: a model is missing or altered.
    """
    if not defences.names:
        return
    name = defences.names[0]
    picked, truth = example(next(iter(EXAMPLES)))
    space = next(iter(defences.get(name).task.mappings))
    settings, attack = RunSettings(task=name, steps=1).in_space(space), AttackSettings(steps=1)
    for _ in start(defences, Session(target=picked), DefenceSettings(settings, attack, "static", truth)):
        pass


def guess(defence: Defence, picked: Picked) -> int:
    """The class that the classifier sees in a clean picture."""
    return int(defence.logits(to_unit(picked.picture)[None]).argmax())


def note(defences: Defences, session: DefenceSession, values: Mapping[str, Any]) -> Message:
    """What is wrong with the form, if anything, and the address of what it asks for."""
    try:
        query = query_of(defences, values) | session.query
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    return {"text": "", "level": "plain", "query": query | {"truth": str(values["truth"])}, "tab": "defence"}


def known_class(defence: Defence, truth: int) -> int:
    """The class itself. Raises UserError where the classifier knows none of that number."""
    if not 0 <= truth < len(defence.classes):
        raise UserError("Say what the picture shows: one of the classifier's classes.")
    return truth


def start(defences: Defences, session: DefenceSession, asked: DefenceSettings) -> Iterator[Message]:
    """Attack the session's picture, then restore it in X and in Z from the same random start.

    Raises:
        UserError: no picture, or settings that cannot be; the sentence says which.
    """
    if session.target is None:
        raise UserError("Choose a picture first.")
    defence = defences.get(asked.settings.task)
    known_class(defence, asked.truth)
    run = _new(session, session.target, defence, asked)
    session.begin(run)
    return held(run, _first_leg(session, run, asked.plan()))


def resume(session: DefenceSession, more: Any) -> Iterator[Message]:
    """Take `more` steps of the defence from where the session's run stands.

    Raises:
        UserError: nothing to continue, a run still going, or a number out of range.
    """
    return LEGS.resume(session, more)


def load_card(defences: Defences, session: DefenceSession, data: bytes, said: str = LOADED) -> tuple[Values, str]:
    """The form's values of a card, its picture for the session; nothing is run. The sentence says whether a replay can be
    exact.

    Raises:
        UserError: not the card of a defence, or one that asks for what is not here.
    """
    card = read_card_file(data, DefenceCard)
    task = defences.get(card.settings.task).task
    picture, promise = png_tensor(card.target_png, side=SIDE), replay_promise(card, task)
    session.target, session.missing, session.card = Picked(picture, "from a run card", {TARGET: "card"}), "", card
    return values_of(defences, card), f"{said}; {promise}"


def export(session: DefenceSession) -> Path:
    """A zip of the run, with the clean, attacked and restored pictures at 32x32 and the classifier's answers at every step.

    Raises:
        UserError: there is no run yet.
    """
    run = to_export(session.run)
    attacked, last = run.solver.target.value, run.trajectory.last
    assert last is not None  # `to_export` sees to it
    pictures = {"clean": run.target.picture, "attacked": to_bytes(attacked[0])}
    for lane, now in zip(run.solver.lanes, last.lanes, strict=True):
        pictures[f"restored-{lane.name}"] = to_bytes(restored(attacked, now.output)[0])
    files = {f"{name}.png": png_bytes(picture) for name, picture in pictures.items()}
    files[ANSWERS] = json.dumps(_answers(run), indent=1).encode()
    about = {**dict.fromkeys(files, "as it was, 32 by 32 pixels"), ANSWERS: "the classifier's answers at every step"}
    path = export_path(f"defence-run-{run.number}.zip")
    told = replace(told_of(run), extra=files, about=about)
    export_zip(path, card_of(run), run.task, run.solver.lanes, run.trajectory, run.solver.target, told)
    return path


def _new(session: DefenceSession, target: Picked, defence: Defence, asked: DefenceSettings) -> DefenceRun:
    task, plan = defence.task, asked.plan()
    lanes = plan.lanes(defence)
    clean = Target(to_unit(target.picture)[None])
    solver = Solver(task.forward, task.objective, clean, list(lanes.values()), max_steps=asked.settings.steps)
    return DefenceRun(
        number=session.count + 1, settings=asked.settings, target=target, task=task, solver=solver,
        trajectory=Trajectory.empty(["X", "Z"]), defence=defence, truth=asked.truth,
        asked=asked.attack, attack=plan.attack_of(lanes.get(asked.knows)), knows=asked.knows,
    )  # fmt: skip


def _first_leg(session: DefenceSession, run: DefenceRun, plan: DefencePlan) -> Iterator[Message]:
    yield LEGS.begun(run)
    solver, lanes = run.solver, {lane.name: lane for lane in run.solver.lanes}
    clean, truth = solver.target.value, torch.tensor([run.truth])
    attacked = yield from reporting(
        lambda tick: attack_knowing(run.defence, lanes.get(run.knows), clean, truth, plan, tick),
        lambda done, total: {"kind": "attack", "done": done, "total": total},
        run.stop.is_set,
    )
    if attacked is None:
        yield stream.end(run, "Stopped during the attack; nothing was restored.")
        return
    yield stream.met(run, attacked)
    run.solver = Solver(solver.forward, solver.objective, Target(attacked), solver.lanes, max_steps=solver.max_steps)
    yield from LEGS.descend(session, run, plan.starts(list(solver.lanes), 1))


def _answers(run: DefenceRun) -> Message:
    """Class probabilities by lane and step, and of the pictures before."""
    lanes = {lane: columns["probabilities"] for lane, columns in run.columns.items()}
    before = {"clean": run.clean["probabilities"], "attacked": (run.attacked or {}).get("probabilities")}
    return {"classes": list(run.defence.classes), "truth": run.truth, **before, "steps": run.trajectory.steps, "lanes": lanes}
