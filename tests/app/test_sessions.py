"""What is kept of visitors is bounded, and who is let go when it is too much."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from app import limits
from app.invert import run as race
from app.runs.session import Session, Sessions, Streamed, Visitors
from app.runs.weight import weigh
from app.target import targets
from landscape_core.errors import UserError
from landscape_core.search.race import RunSettings
from tests.app.racing import race_of, two_models
from tests.tiny.models import tiny_task


class Visit:
    """A visit with work of a weight."""

    def __init__(self) -> None:
        self.work = Streamed()

    def stop(self) -> None:
        self.work.stop.set()

    def streamed(self) -> Streamed:
        return self.work

    def weight(self) -> int:
        return self.work.weight


def kept(visits: Visitors[Visit]) -> set[str]:
    return set(visits._visits)


def test_those_who_hold_nothing_go_first_then_the_oldest_and_never_one_that_computes() -> None:
    visits = Visitors(Visit, capacity=4)
    visits.get("runs").work.going = True
    visits.get("finished long ago").work.weight = 10
    visits.get("finished").work.weight = 10
    visits.get("looked")
    visits.get("new")
    assert kept(visits) == {"runs", "finished long ago", "finished", "new"}
    visits.get("new").work.weight = 10
    visits.get("newer").work.weight = 10
    assert kept(visits) == {"runs", "finished", "new", "newer"}
    assert visits.was_let_go("finished long ago")
    assert not visits.was_let_go("finished")
    for i in range(100):
        visits.get(f"page {i}")
    assert visits.get("runs").work.going
    assert not visits.get("runs").work.stop.is_set()


def test_a_hundred_page_loads_cost_nobody_a_finished_run() -> None:
    visits = Visitors(Visit, capacity=4)
    visits.get("finished").work.weight = 10
    for i in range(100):
        visits.get(f"page {i}")
    assert "finished" in kept(visits)


def test_runs_at_rest_hold_no_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELD_BY_TAB", 100)
    visits = Visitors(Visit)
    for name in ("a", "b", "c", "d"):
        visits.get(name).work.weight = 40
    visits.get("nothing")
    visits.get("last")
    assert kept(visits) == {"c", "d", "nothing", "last"}


def test_a_run_that_keeps_too_much_is_stopped_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    models, session = two_models(), Session(target=targets.drawn(tiny_task(), 1))
    messages = race_of(models, session)
    assert session.run is not None
    whole = session.run.weight
    assert not session.run.going
    assert whole > sum(len(lane["png"]) for lane in messages[-1]["lanes"].values() if "png" in lane)
    monkeypatch.setattr(limits, "HELD_BY_RUN", 1)
    assert "the most that one may" in race_of(models, session, steps=300)[-1]["reason"]
    assert session.run.trajectory.steps[-1] < 300
    with pytest.raises(UserError, match=r"keeps .* the most that one may"):
        list(race.resume(models, session, 5))


def test_weights_count_each_thing_once_and_no_model() -> None:
    tensor = torch.zeros(100)
    assert weigh([tensor, {"again": tensor}, (tensor, None)]) == 400
    assert weigh([np.zeros(10), "abc", b"abc", Image.new("RGB", (10, 10))]) == 80 + 3 + 3 + 300
    assert weigh({"task": tiny_task()}) == 0
    knot: list[object] = []
    knot.append(knot)
    assert weigh(knot) == 0


def test_sessions_do_not_touch_each_other() -> None:
    models, sessions = two_models(), Sessions()
    a, b = sessions.get("a"), sessions.get("b")
    a.target, b.target = targets.drawn(models.get("faces"), 1), targets.drawn(models.get("faces"), 2)
    going = race.start(models, a, RunSettings(steps=5))
    next(going)
    race_of(models, b, steps=2)
    sessions.drop("b")
    assert list(going)[-1]["reason"] == "The step limit was reached."
    assert b.run.stop.is_set()
    assert not a.run.stop.is_set()


def test_the_least_recently_used_session_goes_first() -> None:
    sessions = Sessions(capacity=2)
    a, b = sessions.get("a"), sessions.get("b")
    sessions.get("a")
    sessions.get("c")
    assert sessions.get("a") is a
    assert sessions.get("b") is not b
