"""The Complete tab without a browser: what it streams, what it says to bad masks, what it sends on."""

from __future__ import annotations

import base64
import io
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from app.complete import observing, picks, stream
from app.complete import run as events
from app.complete.session import CompletionSession as Session
from app.complete.settings import from_values
from app.complete.stream import verdict
from app.runs import lanes
from app.runs.legs import with_errors
from app.runs.models import Models
from app.runs.session import Picked
from app.target import targets
from landscape_core.generators.completion import CompletionSet
from landscape_core.generators.masks import PRESETS, preset
from landscape_core.images.pixels import png_tensor, to_bytes
from tests.app.racing import FORM
from tests.tiny.models import tiny_task

MOUTH = stream.mask_text(preset("mouth", 64))
Message = dict[str, Any]


@pytest.fixture(scope="module")
def models() -> Models:
    return Models({"faces": lambda perceptual: tiny_task()})


@pytest.fixture
def session(models: Models) -> Session:
    return Session(target=targets.drawn(models.get("faces"), 3))


def form(**changes: Any) -> dict[str, Any]:
    usual = {"model": "faces", "space": "residual", "k": 4, "steps": 5, "seed": 0}
    usual |= {name: FORM[name] for name in lanes.FIELDS} | {"lanes": ["X1", "Z1"], "perceptual": "lpips"}
    return usual | changes


def run(models: Models, session: Session, *, mask: Any = MOUTH, **changes: Any) -> list[Message]:
    events.paint(session, mask, 64)
    return list(with_errors(lambda: events.start(models, session, from_values(form(**changes)))))


def picture(sheet: torch.Tensor, index: int) -> torch.Tensor:
    """Completion `index` cut out of a sheet (3, H, K·W)."""
    return sheet[:, :, 64 * index : 64 * (index + 1)]


def decoded(png: str) -> torch.Tensor:
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def test_k_completions_stream_in_together_with_a_loss_each(models: Models, session: Session) -> None:
    messages = run(models, session)
    assert [m["kind"] for m in messages] == ["begin", *["frames"] * (len(messages) - 2), "end"]
    assert [m["seq"] for m in messages] == list(range(len(messages)))
    frames = [m for m in messages if m["kind"] == "frames"]
    assert [step for m in frames for step in m["steps"]] == list(range(6))
    for lane in ("X", "Z"):
        losses = [loss for m in frames for loss in m["lanes"][lane]["loss"]]
        assert losses == [each.tolist() for each in session.run.trajectory.lane(lane).losses]
        assert {len(each) for each in losses} == {4}
    assert messages[0]["mask"] == MOUTH
    json.dumps(messages, allow_nan=False)


def test_the_end_holds_every_completion_without_loss_and_the_core_s_figures(models: Models, session: Session) -> None:
    end = run(models, session)[-1]
    state = session.run.trajectory.last
    for name, lane in zip(("X", "Z"), state.lanes, strict=True):
        assert torch.equal(decoded(end["lanes"][name]["sheet"]), torch.cat(list(to_bytes(lane.output)), dim=2))
        assert end["lanes"][name]["fidelity"] == pytest.approx(float(lane.loss.mean()))
        assert end["lanes"][name]["diversity"] > 0
    assert "varie" in end["verdict"]


def test_hidden_pixels_of_the_target_change_nothing(models: Models, session: Session) -> None:
    losses = run(models, session)[1]["lanes"]["X"]["loss"]
    hidden = preset("mouth", 64)[0] == 0
    other = torch.where(hidden, 255 - session.target.picture, session.target.picture)
    changed = Session(target=Picked(other, "altered where hidden"))
    assert run(models, changed)[1]["lanes"]["X"]["loss"] == losses


def test_about_forty_sheets_are_sent_of_a_long_run() -> None:
    sent = [step for step in range(301) if stream.shown(step, 300)]
    assert sent[:11] == list(range(11))
    assert 40 <= len(sent) <= 60
    assert max(b - a for a, b in pairwise(sent)) <= 7


def test_stop_keeps_what_is_there(models: Models, session: Session) -> None:
    events.paint(session, MOUTH, 64)
    going = events.start(models, session, from_values(form(steps=300)))
    next(going), next(going)
    session.stop()
    end = list(going)[-1]
    assert end["kind"] == "end"
    assert end["step"] < 10
    assert end["reason"].startswith(f"Stopped at step {end['step']}")


def test_the_seed_decides_the_starts(models: Models, session: Session) -> None:
    first, again, other = (run(models, session, seed=seed)[1]["lanes"]["Z"]["loss"] for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [("1" * 4096, "Nothing is hidden"), ("0" * 4096, "Everything is hidden"), ("0" + "1" * 4095, "Only one pixel is hidden"),
     ("1" + "0" * 4095, "Only one pixel is visible"), ("", "64 × 64"), (None, "64 × 64"), ("2" * 4096, "64 × 64"),
     ("01", "64 × 64"), (["1"] * 4096, "64 × 64")],
)  # fmt: skip
def test_a_mask_without_a_problem_in_it_gets_a_sentence(models: Models, session: Session, mask: Any, sentence: str) -> None:
    assert sentence in events.paint(session, mask, 64)
    (message,) = run(models, session, mask=mask)
    assert message["kind"] == "error"
    assert sentence in message["text"]
    assert session.run is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"k": 3}, "from 4 to 20"), ({"k": 21}, "from 4 to 20"), ({"k": None}, "from 4 to 20"), ({"k": 4.5}, "from 4 to 20"),
     ({"steps": 0}, "Steps: it must be at least 1"), ({"steps": 301}, "Steps: it must be at most 300"),
     ({"X1_lr": 0}, "X · Adam learning rate: it must be more than 0"), ({"optimiser1": "sgd"}, "X · optimiser optimiser: "),
     ({"model": "dogs"}, "no model 'dogs'"), ({"steps": None}, "Steps: "), ({"seed": None}, "Seed: "),
     ({"seed": -1}, "Seed: it must be at least 0")],
)  # fmt: skip
def test_a_form_value_out_of_range_is_named(models: Models, session: Session, change: Any, sentence: str) -> None:
    (message,) = run(models, session, **change)
    assert message["kind"] == "error"
    assert sentence in message["text"]


def test_every_preset_is_offered_and_usable() -> None:
    offered = {each["name"]: each for each in events.presets(64)}
    assert set(offered) == set(PRESETS)
    assert all(events.mask_sentence(each["mask"], 64) == "" for each in offered.values())
    assert torch.equal(observing.read_painted(offered["eyes"]["mask"], 64), preset("eyes", 64))
    assert events.FIRST_MASK in offered


def test_a_completion_sent_on_is_the_one_that_was_shown(models: Models, session: Session) -> None:
    end = run(models, session)[-1]
    invert = Session()
    shown, sentence = picks.send_on(session, invert, {"lane": "Z", "index": 2, "step": 5, "pasted": False})
    assert torch.equal(invert.target.picture, picture(decoded(end["lanes"]["Z"]["sheet"]), 2))
    assert torch.equal(png_tensor(shown["target"]), invert.target.picture)
    assert sentence == "Sent to Invert."


def test_pasted_keeps_the_visible_part_exactly(models: Models, session: Session) -> None:
    run(models, session)
    whole = picks.picked(session, {"lane": "X", "index": 0, "step": 3, "pasted": False}).picture
    both = picks.picked(session, {"lane": "X", "index": 0, "step": 3, "pasted": True}).picture
    visible = preset("mouth", 64)[0].bool().expand(3, -1, -1)
    assert torch.equal(both[visible], session.target.picture[visible])
    assert torch.equal(both[~visible], whole[~visible])
    assert not torch.equal(both, whole)


@pytest.mark.parametrize(
    "change", [{"lane": "Y"}, {"lane": None}, {"index": 4}, {"index": -1}, {"index": "0"}, {"step": 6}, {"step": None}]
)
def test_sending_what_is_not_there_keeps_the_target(models: Models, session: Session, change: Message) -> None:
    run(models, session)
    invert = Session(target=session.target)
    shown, sentence = picks.send_on(session, invert, {"lane": "X", "index": 0, "step": 5} | change)
    assert shown is None
    assert "is no longer known" in sentence
    assert invert.target is session.target


def of(name: str, fidelity: float, diversity: float) -> CompletionSet:
    return CompletionSet(name, torch.zeros(2, 3, 1, 1), torch.full((2,), fidelity), diversity)


@pytest.mark.parametrize(
    ("x", "z", "words"),
    [((0.1, 0.5), (0.1, 0.5), "do not differ"), ((0.2, 0.5), (0.1, 0.5), "equally varied, and Z fits"),
     ((0.1, 0.5), (0.15, 0.6), "Z is 20\u00a0% more varied, but its mean loss is 50\u00a0% higher"),
     ((0.1, 0.6), (0.2, 0.5), "X is 20\u00a0% more varied and fits what is seen better (mean loss 50\u00a0% lower)"),
     ((0.3, 2.0), (0.1, 0.5), "X is 4× more varied, but its mean loss is 3× higher"),
     ((0.1, 0.5), (0.102, 0.6), "Z is 20\u00a0% more varied at the same loss")],
)  # fmt: skip
def test_the_verdict_says_whether_variety_was_bought_with_error(x: Any, z: Any, words: str) -> None:
    sentence = verdict(of("X", *x), of("Z", *z))
    assert words in sentence
    if "%" in sentence and "do not" not in sentence and "equally" not in sentence:
        assert ("not bought" in sentence) == ("higher" not in sentence)


def test_another_model_may_have_another_side_and_the_mask_goes_along(session: Session) -> None:
    models = Models({"faces": lambda perceptual: tiny_task(), "cats": lambda perceptual: tiny_task("cats", 128)})
    assert events.paint(session, MOUTH, 64) == ""
    session.target = targets.for_model(session.target, models.get("cats"))
    shown = events.painter_message(session)
    assert (shown["side"], len(shown["mask"]), len(shown["presets"][0]["mask"])) == (128, 128 * 128, 128 * 128)
    assert torch.equal(observing.read_painted(shown["mask"], 128)[..., ::2, ::2], preset("mouth", 64))
    begin, *_, end = events.start(models, session, from_values(form(model="cats")))
    assert (begin["side"], end["kind"]) == (128, "end")
    assert stream.mask_at(stream.mask_at(MOUTH, 128), 64) == MOUTH
    assert stream.mask_at("", 64) == ""


def test_judges_hold_the_completions_that_are_shown_against_the_whole_picture(models: Models, session: Session) -> None:
    end = run(models, session)[-1]
    assert [head for head, _ in end["judges"]["heads"]] == ["loss", "PSNR", "robust features", "‖x̂ − x*‖", "as far out"]
    state, target = session.run.trajectory.last, session.run.solver.target
    error = (state.lanes[0].output.clamp(-1, 1) - target.truth).square().mean(dim=(1, 2, 3))
    assert end["judges"]["rows"]["X"][1] == f"{float(10 * torch.log10(4 / error.mean())):.1f}\u00a0dB"
    assert end["judges"]["rows"]["X"][0] == f"{float(state.lanes[0].loss.mean()):.3g}"
    assert list(events.resume(models, session, 1))[-1]["judges"] != end["judges"]
