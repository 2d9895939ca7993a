"""Attacking and defending a session's picture, as messages for the defence view. Knows nothing of Gradio."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.defence import stream
from app.defence.examples import EXAMPLES
from app.defence.pictures import Defences, example
from app.defence.stream import KNOWS, DefenceRun
from app.runs.legs import Message, continued, further_steps, numbered, stopped
from app.runs.session import Picked, Session
from app.runs.working import told
from landscape_core.defence.attacks import AttackSettings
from landscape_core.defence.counting import DefencePlan, attack_knowing
from landscape_core.defence.objective import Defence, restored
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_bytes, to_bytes, to_unit
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.solver import Solver, State
from landscape_core.search.trajectory import Trajectory, states

MAX_STEPS = 100
FURTHER = 5


@dataclass(frozen=True)
class Choice:
    """What the form asks for; `settings.task` names the classifier, `knows` what the attacker knows ("static", "X", "Z")."""

    settings: RunSettings
    attack: AttackSettings
    knows: str
    truth: int

    def plan(self) -> DefencePlan:
        """The same as the core takes it."""
        s = self.settings
        x, z = (lane.optimizer for lane in s.lanes)
        return DefencePlan(self.attack, s.space, s.steps, x, z, s.seed)


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
    for _ in start(defences, Session(target=picked), Choice(settings, attack, "static", truth)):
        pass


def guess(defence: Defence, picked: Picked) -> int:
    """The class that the classifier sees in a clean picture."""
    return int(defence.logits(to_unit(picked.picture)[None]).argmax())


def start(defences: Defences, session: Session, choice: Choice) -> Iterator[Message]:
    """Attack the session's picture, then restore it in X and in Z from the same random start.

    Raises:
        UserError: no picture, or settings that cannot be; the sentence says which.
    """
    if session.target is None:
        raise UserError("Choose a picture first.")
    if choice.knows not in KNOWS:
        raise UserError(f"An attacker may know: {', '.join(KNOWS)}.")
    if choice.settings.steps > MAX_STEPS:
        raise UserError(f"A defence takes at most {MAX_STEPS} steps.")
    defence = defences.get(choice.settings.task)
    if not 0 <= choice.truth < len(defence.classes):
        raise UserError("Say what the picture shows: one of the classifier's classes.")
    run = _new(session, defence, choice)
    session.begin(run)
    with run.lock:
        yield from numbered(run, _first_leg(run, choice.plan()))


def resume(session: Session, more: Any) -> Iterator[Message]:
    """Take `more` steps of the defence from where the session's run stands.

    Raises:
        UserError: nothing to continue, a run still going, or a number out of range.
    """
    with continued(session.run, more, MAX_STEPS) as (run, further):
        assert isinstance(run, DefenceRun)
        yield from numbered(run, _leg(run, further))


def export(session: Session) -> Path:
    """A zip with the clean, attacked and restored pictures at 32x32, and every number of the run as JSON.

    Raises:
        UserError: there is no run yet.
    """
    run = session.run
    if not isinstance(run, DefenceRun) or run.trajectory.last is None:
        raise UserError("There is no run to export; press Run first.")
    attacked = run.solver.target.value
    pictures = {"clean": run.target.picture, "attacked": to_bytes(attacked[0])}
    for lane, now in zip(run.solver.lanes, run.trajectory.last.lanes, strict=True):
        pictures[f"restored-{lane.name}"] = to_bytes(restored(attacked, now.output)[0])
    path = Path(tempfile.mkdtemp()) / f"defence-run-{run.number}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, picture in pictures.items():
            archive.writestr(f"{name}.png", png_bytes(picture))
        archive.writestr("run.json", json.dumps(_numbers(run), indent=1))
    return path


def _new(session: Session, defence: Defence, choice: Choice) -> DefenceRun:
    assert session.target is not None
    task, plan = defence.task, choice.plan()
    lanes = plan.lanes(defence)
    clean = Target(to_unit(session.target.picture)[None])
    solver = Solver(task.forward, task.objective, clean, list(lanes.values()), max_steps=choice.settings.steps)
    return DefenceRun(
        session.count + 1, choice.settings, session.target, task, solver, Trajectory.empty(["X", "Z"]),
        defence=defence, truth=choice.truth, attack=plan.attack_of(lanes.get(choice.knows)), knows=choice.knows,
    )  # fmt: skip


def _first_leg(run: DefenceRun, plan: DefencePlan) -> Iterator[Message]:
    yield stream.begin(run)
    solver, lanes = run.solver, {lane.name: lane for lane in run.solver.lanes}
    clean, truth = solver.target.value, torch.tensor([run.truth])
    attacked = yield from told(
        lambda tick: attack_knowing(run.defence, lanes.get(run.knows), clean, truth, plan, tick),
        lambda done, total: {"kind": "attack", "done": done, "total": total},
        run.stop.is_set,
    )
    if attacked is None:
        yield stream.end(run, "Stopped during the attack; nothing was restored.", 0)
        return
    yield stream.met(run, attacked)
    run.solver = Solver(solver.forward, solver.objective, Target(attacked), solver.lanes, max_steps=solver.max_steps)
    starts = plan.starts(list(solver.lanes), 1)
    yield from _leg(run, states(run.solver, run.solver.init(starts), stop=run.stop.is_set))


def _leg(run: DefenceRun, further: Iterator[State]) -> Iterator[Message]:
    yield from stream.batches(run, further)
    state = run.trajectory.last
    reason = run.solver.done(state) if state is not None else None
    yield stream.end(run, stopped(run) if reason is None else reason.value, further_steps(run, MAX_STEPS, FURTHER))


def _numbers(run: DefenceRun) -> Message:
    lost = ("png", "added")
    frames = [message for message in run.messages if message["kind"] == "frames"]
    lanes = {
        lane.name: {key: [v for f in frames for v in f["lanes"][lane.name][key]] for key in stream.KEYS if key not in lost}
        for lane in run.solver.lanes
    }
    about = {"classes": list(run.defence.classes), "truth": run.truth, "attacker_knows": KNOWS[run.knows]}
    told_of = {"settings": run.settings.model_dump(), "attack": run.attack.model_dump(), "models": dict(run.task.hashes)}
    return {**about, **told_of, "steps": run.trajectory.steps, "lanes": lanes}
