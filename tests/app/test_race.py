"""A race without a browser: what it streams, how it stops and goes on, and that sessions are apart."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from app.invert import run as events
from app.invert import run as race
from app.runs import picture_stream as stream
from app.runs.cards import as_it_was
from app.runs.legs import batches
from app.runs.models import Models
from app.runs.sentences import plainly
from app.runs.session import Session, Sessions
from app.runs.settings import defaults, from_query, from_values, query_of, values_of, words
from app.target import targets
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_tensor, to_bytes
from landscape_core.search.race import RunSettings
from landscape_core.search.trajectory import Trajectory
from tests.app.racing import FORM, column, race_of, run_form
from tests.tiny.models import tiny_task


def test_a_run_streams_every_step_of_both_lanes_with_its_pictures(models: Models, session: Session) -> None:
    messages = race_of(models, session)
    assert [m["kind"] for m in messages] == ["begin", *["frames"] * (len(messages) - 2), "end"]
    assert [m["seq"] for m in messages] == list(range(len(messages)))
    assert [step for m in messages if m["kind"] == "frames" for step in m["steps"]] == list(range(7))
    recorded = session.run.trajectory.lane("Z")
    assert column(messages, "Z", "loss") == [float(loss[0]) for loss in recorded.losses]
    assert column(messages, "X", "seconds") == sorted(column(messages, "X", "seconds"))
    shown = png_tensor(column(messages, "X", "png")[-1])
    last = session.run.trajectory.last.lanes[0].output[0]
    assert torch.equal(shown, ((last.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8))
    assert torch.equal(png_tensor(messages[0]["target"]), session.target.picture)
    json.dumps(messages, allow_nan=False)


def test_the_first_batch_is_the_start_alone_and_later_ones_wait_for_the_interval(models: Models, session: Session) -> None:
    race_of(models, session)
    run = session.run
    run.trajectory = type(run.trajectory).empty(["X", "Z"])
    now = [0.0]

    def states() -> Iterator[Any]:
        state = run.solver.init([lane.space.mean_start(1) for lane in run.solver.lanes])
        for _ in range(5):
            yield state
            now[0] += 0.04
            state = run.solver.step(state)

    sizes = [len(m["steps"]) for m in batches(run, states(), stream.column, clock=lambda: now[0])]
    assert sizes == [1, 3, 1]


def test_past_step_300_only_every_fifth_picture_is_sent() -> None:
    assert [step for step in range(295, 316) if stream.shown(step)] == [295, 296, 297, 298, 299, 300, 305, 310, 315]


def test_the_end_says_what_happened_and_shows_the_best(models: Models, session: Session) -> None:
    end = race_of(models, session)[-1]
    assert end["summary"].count("step") >= 2
    record = session.run.trajectory.lane("X")
    best = min(range(7), key=lambda i: float(record.losses[i]))
    assert end["lanes"]["X"]["best"]["step"] == best
    assert end["lanes"]["X"]["last"]["step"] == 6
    assert len(end["reached"]["X"]) == 7
    assert end["more"] == 100


def test_a_table_of_four_lanes_shares_one_run_and_compares_within_columns(models: Models, session: Session) -> None:
    messages = run_form(models, session, FORM)
    names = ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"]
    assert messages[0]["lanes"] == names
    assert [messages[0]["table"][name]["cell"] for name in names] == ["X1", "Z1", "X2", "Z2"]
    assert messages[0]["columns"] == [("X · Adam", "Z · Adam"), ("X · L-BFGS", "Z · L-BFGS")]
    for name in names:
        assert column(messages, name, "loss") == [float(loss[0]) for loss in session.run.trajectory.lane(name).losses]
    lines = messages[-1]["summary"].splitlines()
    assert "closer to the target" in lines[0] or "close to the target" in lines[0], "in plain words first"
    assert ["Adam" in line for line in lines[1:3]] == [True, False]
    assert ["L-BFGS" in line for line in lines[1:3]] == [False, True]
    alone = run_form(models, session, FORM | {"lanes": ["X1", "Z1"]})
    assert column(alone, "Z", "loss") == pytest.approx(column(messages, "Z · Adam", "loss"), rel=1e-5)


def test_it_is_said_why_x_can_win_on_a_picture_that_the_model_drew(models: Models, session: Session) -> None:
    slow = FORM | {"lanes": ["X1", "Z1"], "Z1_lr": 1e-6}
    assert "X's best case" in run_form(models, session, slow)[-1]["summary"]
    assert "limit" not in run_form(models, session, slow)[-1]["hint"]
    session.target = targets.example("astronaut", 64)
    assert "X's best case" not in run_form(models, session, slow)[-1]["summary"]
    assert "beyond what this small model can draw" in run_form(models, session, slow)[-1]["hint"]


def test_where_the_lanes_start_is_said_and_a_gap_is_measured(models: Models, session: Session) -> None:
    assert "their own origin" in run_form(models, session, FORM)[0]["start"]
    assert (
        run_form(models, session, FORM | {"start": "random", "lanes": ["X1"]})[0]["start"]
        == "All lanes start from one shared x."
    )
    gap = run_form(models, session, FORM | {"start": "encoder", "space": "paper"})[0]["start"]
    assert "Θ cannot reach that exactly" in gap


def test_stop_takes_effect_before_the_next_step_and_keeps_what_is_there(models: Models, session: Session) -> None:
    running = race.start(models, session, RunSettings(steps=500))
    next(running), next(running)
    session.stop()
    rest = list(running)
    steps = session.run.trajectory.steps
    assert steps[-1] <= 2
    assert rest[-1]["kind"] == "end"
    assert rest[-1]["reason"].startswith(f"Stopped at step {steps[-1]}")


def test_continuing_gives_the_numbers_of_an_uninterrupted_run(models: Models, session: Session) -> None:
    whole = race_of(models, session, steps=8)
    race_of(models, session, steps=3)
    list(race.resume(models, session, 5))
    record = session.run.trajectory
    assert record.steps == list(range(9))
    for lane in ("X", "Z"):
        assert [float(loss) for loss in record.lane(lane).losses] == column(whole, lane, "loss")


def test_continuing_numbers_its_messages_on(models: Models, session: Session) -> None:
    first = race_of(models, session)
    further = list(race.resume(models, session, 2))
    assert further[0]["seq"] == first[-1]["seq"] + 1
    assert further[0]["run"] == first[0]["run"]
    assert further[0]["limit"] == first[0]["limit"] + 2, "what is left is told of the further steps"


def test_continuing_begins_where_the_run_stands_once_it_rests(models: Models, session: Session) -> None:
    """Another press of Continue, whose leg ends while this one looks whether it may begin, has taken its steps."""
    race_of(models, session, steps=3)

    class EndingNow:
        def acquire(self, blocking: bool) -> bool:
            session.run.lock = threading.Lock()
            list(race.resume(models, session, 2))
            session.run.lock = self
            return True

        def release(self) -> None:
            pass

    session.run.lock = EndingNow()
    list(race.resume(models, session, 2))
    assert session.run.trajectory.steps == list(range(8))


@pytest.mark.parametrize("more", [0, -1, 1.5, "10", None])
def test_continuing_by_a_number_that_makes_no_sense_is_refused(models: Models, session: Session, more: Any) -> None:
    race_of(models, session)
    with pytest.raises(UserError, match="whole number"):
        list(race.resume(models, session, more))


def test_continuing_ends_at_the_most_steps_a_run_takes(
    models: Models, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "MAX_STEPS", 8)
    race_of(models, session)
    assert list(race.resume(models, session, 50))[-1]["more"] == 0
    assert session.run.trajectory.steps[-1] == 8
    with pytest.raises(UserError, match="at most 8"):
        list(race.resume(models, session, 1))


def test_nothing_to_continue_or_export_is_said(models: Models, session: Session) -> None:
    with pytest.raises(UserError, match="no run"):
        list(race.resume(models, session, 5))
    with pytest.raises(UserError, match="no run"):
        events.export(session)


def test_missed_messages_can_be_had_again_by_who_knows_the_run(models: Models) -> None:
    sessions = Sessions()
    session = sessions.get("page")
    session.target = targets.drawn(models.get("faces"), 0)
    messages = race_of(models, session)
    assert sessions.missed(messages[0]["run"], 2) == messages[2:]
    assert sessions.missed("guess", 0) == []
    assert sessions.missed("ünknown", 0) == []


def test_a_new_run_stops_the_one_before_whose_card_the_page_has(models: Models, session: Session) -> None:
    """Nothing of it is left on the server; the card that went along with its first message takes its settings up again."""
    going = race.start(models, session, RunSettings(steps=500))
    begin, first = next(going), session.run
    race_of(models, session, seed=5)
    assert first.stop.is_set()
    other = Session()
    restored, shown, said = events.load_card(models, other, begin["card"].encode(), "The settings of run 1 are taken up")
    assert (restored.seed, shown["kind"]) == (0, "target")
    assert said.startswith("The settings of run 1 are taken up; the models are the same")
    target = as_it_was(other.target, {"label": "my cat", "query": {"target": "cat", "x": "y"}})
    assert (target.label, target.query) == ("my cat", {"target": "cat"})
    assert as_it_was(other.target, ["nonsense"]).query == {"target": "card"}
    nonsense = as_it_was(other.target, {"query": {"target": "drawn-nonsense"}})
    assert targets.drawn_input(models.get("faces"), nonsense) is None
    session.number_next(8)
    assert race_of(models, session)[0]["number"] == 8
    session.number_next("many")
    assert race_of(models, session)[0]["number"] == 9


def test_asking_for_what_the_model_lacks_is_one_sentence(models: Models, session: Session) -> None:
    (message,) = run_form(models, session, FORM | {"space": "nowhere"})
    assert message["kind"] == "error"
    assert "no space 'nowhere'" in message["text"]
    (message,) = run_form(models, Session(), FORM)
    assert "Choose a target" in message["text"]


def test_a_distance_that_cannot_be_had_is_one_sentence() -> None:
    def source(perceptual: str) -> Any:
        if perceptual == "robust":
            raise UserError("The weights of perceptual are missing.")
        return tiny_task()

    models = Models({"faces": source})
    session = Session(target=targets.drawn(models.get("faces"), 0))
    (message,) = run_form(models, session, FORM | {"perceptual": "robust"})
    assert message == {"kind": "error", "text": "The weights of perceptual are missing."}


def test_judges_that_were_not_optimised_stand_beside_the_loss(models: Models, session: Session) -> None:
    robust = FORM | {"perceptual": "robust"}
    end = run_form(models, session, robust)[-1]
    heads = [head for head, _ in end["judges"]["heads"]]
    assert heads == ["loss", "PSNR", "‖x̂ − x*‖", "as far out"], "the optimised distance is no judge of itself"
    state, task = session.run.trajectory.last, session.run.task
    true = targets.drawn_input(task, session.target)
    with torch.no_grad():
        assert torch.equal(to_bytes(task.forward(true))[0], session.target.picture)
    x = state.lanes[0].best_variable + task.prior.mean
    assert end["judges"]["rows"]["X · Adam"][2] == f"{float((x - true).norm()):.3g}"
    session.target = targets.example("astronaut", 64)
    assert len(run_form(models, session, robust)[-1]["judges"]["heads"]) == 3, "nobody knows the input of a photograph"


@pytest.mark.parametrize(
    ("best", "said"),
    [
        ({"X": 0.4, "Z": 0.2}, "Z came closer to the target."),
        ({"X": 0.2, "Z": 0.2001}, "X and Z came equally close to the target."),
        (
            {"X · Adam": 0.4, "Z · Adam": 0.2, "X · L-BFGS": 0.1, "Z · L-BFGS": 0.2},
            "Z came closer to the target by Adam, X came closer to the target by L-BFGS.",
        ),
        (
            {"X · Adam": 0.4, "Z · Adam": 0.2, "X · L-BFGS": 0.3, "Z · L-BFGS": 0.2},
            "Z came closer to the target by Adam and by L-BFGS.",
        ),
        ({"X · Adam": 0.4, "X · L-BFGS": 0.3}, ""),
    ],
)
def test_the_verdict_in_plain_words(best: dict[str, float], said: str) -> None:
    lanes = [
        SimpleNamespace(name=name, best_so_far=lambda loss=loss: torch.tensor([[1.0], [loss]])) for name, loss in best.items()
    ]
    trajectory = SimpleNamespace(steps=[0, 1], lanes=lanes, lane=lambda name: lanes[list(best).index(name)])
    assert plainly(cast(Trajectory, trajectory), sample=0) == said


def test_the_prior_s_weight_is_in_the_form_the_address_the_card_and_the_loss(models: Models, session: Session) -> None:
    heavy = from_values({**values_of(defaults(models)), "prior": 0.2, "steps": 4})
    query = query_of(heavy, models)
    again, notes = from_query(query, defaults(models), models)
    assert (query["prior"], again, notes) == ("0.2", heavy, [])
    assert from_query({"prior": "7"}, defaults(models), models)[0].prior_weight == 0.5
    assert "prior" not in query_of(heavy.model_copy(update={"prior_weight": 0.0}), models)
    assert ["weight of the prior", "0.2"] in words(heavy)
    losses = []
    for weight in (0.0, 0.2):
        [*events.start(models, session, heavy.model_copy(update={"prior_weight": weight}))]
        losses.append(float(session.run.trajectory.lanes[0].losses[-1]))
    assert losses[1] > losses[0], "the term is part of the loss"
    assert events.card_of(session.run).settings.prior_weight == 0.2
