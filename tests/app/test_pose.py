"""The Pose tab without a browser: where targets come from, what a run streams, and what is said to bad input."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from app.pose import run as pose_run
from app.pose import stream as pose_stream
from app.pose import targets as pose_targets
from app.pose.form import build_pose_form
from app.pose.settings import PoseSettings, defaults, from_card, from_values, values_of
from app.pose.tab import PoseTab
from app.runs.lanes import CELLS
from app.runs.models import Models, pose_models
from app.runs.session import Session, Visitors
from app.runs.standing import standing_of
from app.views.form import Form
from landscape_core.errors import UserError
from landscape_core.pose.bvh import load_bvh
from landscape_core.pose.drawing import FIGURE_SIDE
from landscape_core.pose.motion import pose_of
from landscape_core.pose.priors import body_of
from landscape_core.pose.task import load_body, lower_body
from landscape_core.records.export import CARD
from landscape_core.search.optimizers import LBFGS
from landscape_core.search.race import RunSettings
from tests.app.racing import FORM as RACE
from tests.app.racing import laid_out

Message = dict[str, Any]
SKELETON = load_body().skeleton
ALL = list(SKELETON.names)
FORM = {
    "model": "pose", "k": 3, "space": "random", "steps": 4, "seed": 0, "optimiser1": "adam", "optimiser2": "lbfgs",
    "lanes": ["X1", "Z2"], **{name: value for name, value in RACE.items() if name[:2] in CELLS}, "Z2_first_move": 0.5
}  # fmt: skip


@pytest.fixture(scope="module")
def models() -> Models:
    return pose_models()


@pytest.fixture
def session(models: Models) -> Session:
    return Session(target=pose_targets.drawn(models.get("pose"), 3))


def run(models: Models, session: Session, k: int = 1, visible: list[str] = ALL, **changes: Any) -> list[Message]:
    settings = RunSettings.pair(task="pose", space=next(iter(models.get("pose").mappings)), steps=4)
    return list(pose_run.start(models, session, PoseSettings(settings.model_copy(update=changes), k), visible))


def column(messages: list[Message], lane: str, what: str) -> list[Any]:
    return [value for m in messages if m["kind"] == "frames" for value in m["lanes"][lane][what]]


@pytest.mark.parametrize("observation", ["pose", "pose-positions"])
def test_a_run_streams_every_step_with_the_bodies_it_stood_at(models: Models, session: Session, observation: str) -> None:
    messages = run(models, session, task=observation, space=next(iter(models.get(observation).mappings)))
    assert [m["kind"] for m in messages] == ["begin", *["frames"] * (len(messages) - 2), "end"]
    assert [m["seq"] for m in messages] == list(range(len(messages)))
    assert [step for m in messages if m["kind"] == "frames" for step in m["steps"]] == [0, 1, 2, 3, 4]
    body = body_of(observation)
    last = session.run.trajectory.last.lanes[0]
    assert column(messages, "X", "joints")[-1] == pose_stream.flat(body.positions(last.output))
    assert column(messages, "X", "loss") == [float(loss[0]) for loss in session.run.trajectory.lane("X").losses]
    assert column(messages, "Z", "spread") == [None] * 5, "one hypothesis has nothing to differ from"
    truth = body.target(session.target.rotvec[None]).value
    assert column(messages, "X", "error")[-1] == pytest.approx(float(body.joint_error(last.output, truth).mean()), rel=1e-4)
    json.dumps(messages, allow_nan=False)


def test_hypotheses_start_from_the_same_bodies_in_both_spaces_and_from_different_ones_each(
    models: Models, session: Session
) -> None:
    messages = run(models, session, k=3, visible=lower_body(SKELETON), start="random")
    x, z = column(messages, "X", "joints")[0], column(messages, "Z", "joints")[0]
    assert len(x) == 3 * 21 * 3
    assert max(abs(a - b) for a, b in zip(x, z, strict=True)) < 50  # millimetres
    assert x[:63] != x[63:126]
    assert column(messages, "Z", "spread")[-1] > 0


def test_hidden_joints_change_nothing_in_what_is_found(models: Models, session: Session) -> None:
    seen = lower_body(SKELETON)
    first = column(run(models, session, visible=seen), "Z", "joints")[-1]
    session.target = pose_targets.edited(session.target, "Head", [40, -30, 10])
    assert column(run(models, session, visible=seen), "Z", "joints")[-1] == first
    assert column(run(models, session), "Z", "joints")[-1] != first


def test_a_run_goes_on_to_the_numbers_of_an_uninterrupted_one(models: Models, session: Session) -> None:
    whole = column(run(models, session, steps=6), "Z", "loss")
    first = column(run(models, session, steps=4), "Z", "loss")
    further = list(pose_run.resume(session, 2))
    assert first + column(further, "Z", "loss") == whole
    assert further[-1]["kind"] == "end"


def test_an_export_brings_back_the_target_and_the_best_bodies(models: Models, session: Session, tmp_path: Path) -> None:
    run(models, session, k=2, start="random")
    with zipfile.ZipFile(pose_run.export(session)) as archive:
        archive.extractall(tmp_path)
    target = pose_of(load_bvh(tmp_path / "target.bvh"), SKELETON)
    body = load_body()
    assert body.joint_error(body.target(target[None]).value, body.target(session.target.rotvec[None]).value).max() < 0.01
    assert len(load_bvh(tmp_path / "Z.bvh").frames) == 2
    with pytest.raises(UserError, match="Run first"):
        pose_run.export(Session())


@pytest.mark.parametrize("observation", ["pose", "pose-positions"])
def test_a_run_card_brings_a_run_back_bit_for_bit(models: Models, session: Session, observation: str) -> None:
    """Also where the run was continued; and a run that differs in anything is not called a repetition."""
    space, seen = next(iter(models.get(observation).mappings)), lower_body(SKELETON)
    first = run(models, session, k=2, visible=seen, task=observation, space=space, start="random", seed=7)
    further = list(pose_run.resume(session, 2))
    with zipfile.ZipFile(pose_run.export(session)) as archive:
        data = archive.read(CARD)
    other = Session()
    card, sentence = pose_run.load_card(models, other, data)
    assert "repeats it exactly" in sentence
    assert (card.settings.steps, card.visible, card.hypotheses) == (6, seen, 2)
    assert torch.equal(other.target.rotvec, session.target.rotvec)
    again = list(pose_run.start(models, other, from_card(card), card.visible))
    for lane in "XZ":
        assert column(again, lane, "loss") == column(first, lane, "loss") + column(further, lane, "loss")
        assert column(again, lane, "joints") == column(first, lane, "joints") + column(further, lane, "joints")
    assert "bit for bit" in again[-1]["replay"]
    whole = list(pose_run.start(models, other, from_card(card), ALL))
    assert "replay" not in whole[-1]
    other.target = pose_targets.edited(other.target, "Head", [1, 2, 3])
    edited = list(pose_run.start(models, other, from_card(card), card.visible))
    assert "replay" not in edited[-1]


def test_cards_that_cannot_be_taken_are_refused_in_a_sentence(models: Models, session: Session) -> None:
    run(models, session)
    valid = json.loads(pose_run.card_of(session.run).model_dump_json())
    before = Session()
    for change, word in (
        ({"hypotheses": 9}, "at most 8"),
        ({"visible": ["Tail"]}, "Tail"),
        ({"kind": "picture"}, "kind"),
        ({"settings": valid["settings"] | {"lanes": [{}, {"space": "flow"}]}}, "no space 'flow'"),
        ({"settings": valid["settings"] | {"task": "faces"}}, "no pose task"),
    ):
        with pytest.raises(UserError, match=word):
            pose_run.load_card(models, before, json.dumps(valid | change).encode())
    assert before.target is None
    assert "pose" in pose_run.load_card(models, before, json.dumps(valid | {"models": {"pose": "0" * 64}}).encode())[1]


@pytest.mark.parametrize("prior_weight", [0.0, 0.2])
def test_the_landscape_takes_the_run_that_stands_and_its_loss(models: Models, session: Session, prior_weight: float) -> None:
    assert standing_of(session.run) is None
    run(models, session, k=2, visible=lower_body(SKELETON), start="random", prior_weight=prior_weight)
    standing = standing_of(session.run)
    assert standing is not None
    assert standing.task.name == "pose"
    assert len(standing.target) == 1
    task, loss = standing.task, standing.task.objective.bind(standing.target)
    for space, lane in zip(("X", standing.space), standing.trajectory.lanes, strict=True):
        x = task.space(space).to_x(lane.variables[-1])
        torch.testing.assert_close(loss(task.forward(x)) + task.input_term(x), lane.losses[-1])
    assert task.shown(None, standing.target).shape == (1, 3, FIGURE_SIDE, FIGURE_SIDE)


@pytest.mark.parametrize(
    ("k", "visible", "word"),
    [
        (1, [], "At least one"),
        (1, ["Tail"], "Tail"),
        (1, "Head", "list"),
        (0, ALL, "1 to 8"),
        (9, ALL, "1 to 8"),
        (1, None, "list"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_a_sentence(
    models: Models, session: Session, k: int, visible: Any, word: str
) -> None:
    with pytest.raises(UserError, match=word):
        run(models, session, k=k, visible=visible)
    assert session.run is None


def test_the_form_is_checked() -> None:
    asked = from_values(FORM)
    settings, k = asked.settings, asked.k
    assert settings.start == "random"
    assert from_values(FORM | {"k": 1}).settings.start == "mean"
    assert from_values(values_of(asked)) == asked
    assert (settings.task, settings.space, settings.steps, k) == ("pose", "random", 4, 3)
    assert settings.lanes[1].optimizer.build(4) == LBFGS(1.0, 0.5, 100)
    for field, value in (
        ("steps", 0),
        ("steps", 5000),
        ("X1_lr", float("nan")),
        ("optimiser1", "sgd"),
        ("seed", -1),
        ("Z2_first_move", 0.0),
        ("Z2_history", 0),
    ):
        with pytest.raises(UserError):
            from_values(FORM | {field: value})


def test_the_form_holds_all_that_a_card_asks_for(models: Models, session: Session) -> None:
    """Run with a form that a card has filled is the card's run, its weight on the prior too."""
    run(models, session, k=2, start="random", seed=7, prior_weight=0.2)
    assert ["weight of the prior", "0.2"] in pose_stream.begin(session.run)["settings"]
    asked = from_card(pose_run.card_of(session.run))
    form, _ = laid_out(lambda: build_pose_form(models.names))
    assert from_values({name: value for name, value in values_of(asked).items() if name in form}) == asked


def test_a_target_chosen_during_a_run_is_told_to_be_the_next_one_s(models: Models, session: Session) -> None:
    panel = SimpleNamespace(message="message", angles=[])  # words in place of components
    form = Form({name: name for name in values_of(defaults(models))})
    tab = PoseTab(None, models, Visitors(Session), panel, form, "view", "note")  # type: ignore[arg-type]
    values = list(values_of(defaults(models)).values())
    settings = RunSettings.pair(task="pose", space=next(iter(models.get("pose").mappings)), steps=4)
    going = pose_run.start(models, session, PoseSettings(settings), ALL)
    next(going)
    changed = tab.choose(session, lambda: pose_targets.drawn(models.get("pose"), 5), values)
    assert json.loads(changed["view"])["label"] == "drawn pose 5"
    assert "keeps its target" in changed["message"]
    assert session.target is not None
    assert session.target.label == "drawn pose 5"
    list(going)
    changed = tab.choose(session, lambda: pose_targets.drawn(models.get("pose"), 6), values)
    assert (json.loads(changed["view"])["label"], changed["message"]) == ("drawn pose 6", "")


def test_judges_measure_joints_and_inputs_that_were_not_optimised(models: Models, session: Session) -> None:
    seen = lower_body(SKELETON)
    judges = run(models, session, k=2, visible=seen, start="random")[-1]["judges"]
    assert [head for head, _ in judges["heads"]] == ["loss", "seen joints", "hidden joints", "‖x̂ − x*‖", "as far out"]
    assert judges["best"][2] is None, "many poses fit what was seen"
    pose, lane = session.run, session.run.trajectory.last.lanes[0]
    with torch.no_grad():
        output = pose.task.forward(lane.best_variable)
    truth = pose.body.target(session.target.rotvec[None]).value
    rows = torch.tensor([name in seen for name in ALL])
    error = pose.body.joint_error(output, truth)
    assert judges["rows"]["X"][1] == f"{float(error[:, rows].mean()):.3g}\u00a0cm"
    assert judges["rows"]["X"][2] == f"{float(error[:, ~rows].mean()):.3g}\u00a0cm"
    true = torch.randn(1, 32, generator=torch.Generator().manual_seed(3))
    assert judges["rows"]["X"][3] == f"{float((lane.best_variable - true).norm(dim=1).mean()):.3g}"
    session.target = pose_targets.edited(session.target, "Head", [40, -30, 10])
    assert len(run(models, session)[-1]["judges"]["heads"]) == 3, "nobody knows the input of an edited pose, and all is seen"
