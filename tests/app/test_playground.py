"""The playground without a browser: what it streams, how it pauses, goes back and stops, and that visitors are apart."""

from __future__ import annotations

import base64
import json
import threading
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from app.playground import run, stream
from app.playground.session import Play
from app.runs.session import Message
from landscape_core.errors import UserError
from landscape_core.playground.run_card import read_play_card

QUICK = {"model": "arm", "buffers": 4, "targets": 16, "steps": 3, "batch": 16, "width": 8, "limit": 30}


def opened(**changes: Any) -> Play:
    play = Play()
    list(run.opened(lambda: play, {**QUICK, **changes}))
    return play


def kinds(messages: Iterator[Message]) -> list[str]:
    return [message["kind"] for message in messages]


def losses(packed: str) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(packed), "<u2").astype(float)
    return 10.0 ** (stream.LOWEST + (stream.HIGHEST - stream.LOWEST) * values / 65534)


def weights(play: Play) -> list[torch.Tensor]:
    return [value.clone() for value in play.training.trainer.mapping.state_dict().values()]


def test_opening_shows_the_loss_in_x_the_solutions_and_both_descents() -> None:
    play = Play()
    scene, frame = run.opened(lambda: play, QUICK, [1.0, 0.8])
    assert scene["y"] == [1.0, 0.8]
    assert len(scene["solutions"]) == 2
    known = losses(scene["x"]["losses"])
    assert known.shape == (stream.SIDE**2,)
    assert set(frame["paths"]) == {"X", "Z"}
    first = frame["paths"]["X"]
    assert first["loss"][0] == pytest.approx(
        float(play.playground.task.objective.bind(_target(play))(_first(play))[0]), rel=1e-3
    )
    assert [scene["seq"], frame["seq"]] == [0, 1]
    json.dumps([scene, frame], allow_nan=False)


def _target(play: Play) -> Any:
    from landscape_core.search.objectives import Target

    return Target(play.y[None])


def _first(play: Play) -> torch.Tensor:
    return play.playground.task.forward(play.playground.task.prior.mean[None])


def test_packing_keeps_losses_to_a_few_parts_in_ten_thousand() -> None:
    values = torch.tensor([1e-9, 1e-4, 0.5, 123.0, 1e9, torch.inf, torch.nan])
    packed = base64.b64decode(stream.packed(values))
    assert np.frombuffer(packed, "<u2")[-2:].tolist() == [65535, 65535]
    assert losses(stream.packed(values[:5])) == pytest.approx([1e-6, 1e-4, 0.5, 123.0, 1e4], rel=5e-4)


def test_training_streams_frames_in_order_and_ends_trained() -> None:
    play = opened()
    messages = list(run.train(play, one_phase=False, slow=False, clock=iter(range(10_000)).__next__))
    assert [message["seq"] for message in messages] == [*range(2, 2 + len(messages))]
    assert kinds(messages)[-2:] == ["frame", "rest"]
    assert messages[-1] | {"buffer": 4, "done": True} == messages[-1]
    phases = {message["phase"][0] for message in messages if message["kind"] == "frame" and message["phase"]}
    assert phases == {"collect", "descend"}
    moving = [message for message in messages if message["kind"] == "frame" and not message["whole"]]
    assert len(moving) == 4 * (3 + 3)  # every update, as the clock runs a second between two
    assert moving[0]["z"]["losses"] != moving[-1]["z"]["losses"]


def test_frames_are_no_more_frequent_than_a_viewer_needs() -> None:
    play = opened()
    messages = list(run.train(play, one_phase=False, slow=False, clock=lambda: 0.0))
    assert kinds(messages) == ["frame", "frame", "rest"]


def test_single_phases_are_the_same_training() -> None:
    whole, phase_by_phase = opened(), opened()
    list(run.train(whole, one_phase=False, slow=False))
    seen = []
    for _ in range(8):
        *_, last = run.train(phase_by_phase, one_phase=True, slow=False)
        seen.append((last["buffer"], phase_by_phase.phase.name if phase_by_phase.phase else None))
    assert seen[0] == (0, "descend")
    assert seen[1] == (1, "collect")
    assert phase_by_phase.training.done
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(phase_by_phase), strict=True))


def test_pausing_stops_before_the_next_update_and_playing_goes_on_from_there() -> None:
    whole, paused = opened(), opened()
    list(run.train(whole, one_phase=False, slow=False))
    messages = run.train(paused, one_phase=False, slow=True)
    next(messages)
    paused.stop.set()
    assert kinds(messages) == ["frame", "rest"]
    assert not paused.training.done
    list(run.train(paused, one_phase=False, slow=False))
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(paused), strict=True))


def test_going_back_shows_what_was_there_and_only_what_was_reached() -> None:
    play = opened()
    list(run.train(play, one_phase=False, slow=False))
    frame, rest = run.rewind(play, 2)
    assert (frame["buffer"], rest["buffer"], rest["done"]) == (2, 2, False)
    assert len(play.training.history) == 2
    again, _ = run.rewind(play, 2)
    assert again["z"] == frame["z"]
    list(run.rewind(play, 4))
    fresh = opened()
    for buffer in (1, -1, "1", None, 10**9):
        with pytest.raises(UserError, match="have been reached"):
            list(run.rewind(fresh, buffer))


def test_another_target_redraws_both_landscapes_and_keeps_theta() -> None:
    play = opened()
    before = weights(play)
    told, frame = run.aim(play, [0.5, 1.0])
    assert told["kind"] == "target"
    assert told["y"] == [0.5, 1.0]
    assert frame["paths"]["X"]["loss"][0] == pytest.approx(float((_first(play) - play.y).square().mean()), rel=1e-3)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(play), strict=True))
    told, frame = run.aim(play, "many")
    assert len(told["others"]) == run.MANY - 1
    assert len(frame["paths"]["X"]["x"]) == run.MANY
    for place in (None, [1], ["a", 2], [1e99, 0], {"x": 1}):
        with pytest.raises(UserError, match="two numbers, y1 and y2"):
            list(run.aim(play, place))


def test_of_more_than_two_outputs_the_nearest_that_f_can_make_is_taken() -> None:
    play = opened(model="ripples", begin="zero")
    told, _ = run.aim(play, [0.5, -1.0])
    x = torch.tensor(told["y"][:2])
    assert torch.allclose(x, torch.tensor([0.5, -1.0]), atol=0.02)
    assert torch.allclose(play.playground.task.forward(x[None])[0], torch.tensor(told["y"]), atol=1e-3)


def test_a_start_and_rates_change_the_descents_not_the_training() -> None:
    play = opened()
    before = weights(play)
    (frame,) = run.begin_at(play, [1.0, -2.0])
    assert frame["paths"]["X"]["x"][0][0] == pytest.approx([1.0, -2.0])
    assert frame["paths"]["Z"]["x"][0][0] == pytest.approx([1.0, -2.0], abs=0.05)
    (frame,) = run.search_with(play, {"optimizer": "adam", "x_rate": 0.2})
    assert frame["settings"] | {"optimizer": "adam", "x_rate": 0.2, "start": (1.0, -2.0)} == frame["settings"]
    (frame,) = run.begin_at(play, None)
    assert frame["settings"]["start"] is None
    assert all(torch.equal(a, b) for a, b in zip(before, weights(play), strict=True))
    with pytest.raises(UserError, match="x rate: it must be more than 0"):
        list(run.search_with(play, {"x_rate": -1}))
    with pytest.raises(UserError, match="x1 and x2"):
        list(run.begin_at(play, ["1", 2]))


def test_a_target_during_training_is_taken_up_and_nothing_waits() -> None:
    play = opened()
    messages = run.train(play, one_phase=False, slow=False, clock=iter(range(10_000)).__next__)
    next(messages)
    assert kinds(run.aim(play, [0.4, 0.4])) == ["target"]
    following = next(messages)
    assert following["paths"]["Z"]["loss"][0] is not None
    messages.close()
    assert not play.lock.locked()


def test_comparing_sweeps_both_spaces_and_takes_the_best_rates() -> None:
    play = opened()
    messages = list(run.measure(play))
    assert kinds(messages) == ["begun", "swept", "swept", "measured", "frame"]
    best = {name: lane["best"] for name, lane in messages[2]["lanes"].items()}
    assert (play.playground.settings.x_rate, play.playground.settings.z_rate) == (best["X"], best["Z"])
    lanes = messages[3]["lanes"]
    assert lanes["X"]["share"] == sorted(lanes["X"]["share"])
    assert lanes["X"]["share"][-1] == pytest.approx(lanes["X"]["reached"], abs=1e-3)
    json.dumps(messages, allow_nan=False)


def test_a_stop_between_the_sweeps_is_said() -> None:
    play = opened()
    messages = run.measure(play)
    assert [next(messages)["kind"] for _ in range(2)] == ["begun", "swept"]
    play.stop.set()
    assert [(m["kind"], m["text"]) for m in messages] == [("stopped", "Stopped; the comparison was not made.")]
    assert not play.going


def test_basins_can_be_stopped_before_they_are_drawn() -> None:
    play = opened()
    messages = run.map_basins(play)
    assert next(messages)["text"] == "Descending from 961 starts in each space…"
    play.stop.set()
    assert [(m["kind"], m["text"]) for m in messages] == [("stopped", "Stopped; no basins are drawn.")]
    assert not play.going


def test_basins_label_every_start_in_both_spaces() -> None:
    play = opened(model="own", first="x1", second="x2", limit=60, x_rate=0.5, z_rate=0.5)
    _, told = run.map_basins(play)
    for lane in told["lanes"].values():
        labels = np.frombuffer(base64.b64decode(lane["labels"]), "u1")
        assert labels.shape == (run.BASIN_SIDE**2,)
        assert lane["share"] == pytest.approx(float((labels > 0).mean()), abs=1e-6)
    assert told["lanes"]["X"]["share"] == 1.0  # a bowl: every start arrives


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"model": "own", "first": "__import__('os')", "second": "x1"}, "not known in an expression"),
        ({"model": "own", "first": "x1**99999", "second": "x1"}, "exponent"),
        ({"model": "own", "first": "x1+" * 4000, "second": "x1"}, "characters"),
        ({"model": "nothing"}, "model: it must be 'arm', "),
        ({"buffers": 0}, "buffers: it must be at least 1"),
        ({"z_dim": 3}, "begins at random"),
        ({"unknown": 1}, "unknown: there is no such setting"),
        (["arm"], None),
    ],
)
def test_what_cannot_be_is_a_sentence_and_leaves_what_stands(settings: Any, wanted: str | None) -> None:
    play = opened()
    if wanted is None:
        assert kinds(run.opened(lambda: play, settings)) == ["scene", "frame"]  # no settings at all: the defaults
        return

    def begin() -> Play:
        raise AssertionError("nothing is begun with settings that cannot be")

    with pytest.raises(UserError, match=wanted) as refused:
        list(run.opened(begin, settings))
    assert "\n" not in str(refused.value)
    assert kinds(run.rewind(play, 0)) == ["frame", "rest"]


def test_an_export_holds_a_card_that_repeats_the_training() -> None:
    play = opened()
    list(run.train(play, one_phase=False, slow=False))
    list(run.rewind(play, 3))
    path = run.export(play)
    with zipfile.ZipFile(path) as archive:
        assert {"run.json", "buffers.csv", "landscape.gif", "landscapes.png", "page.html"} <= set(archive.namelist())
        text = archive.read("run.json").decode()
    assert read_play_card(text).buffer == 3
    assert play.training.buffer == 3
    other = Play()
    messages = list(run.replay(lambda: other, text))
    assert "exactly: after 3 buffers" in messages[-1]["text"]
    assert all(torch.equal(a, b) for a, b in zip(weights(play), weights(other), strict=True))


def test_visitors_train_apart_from_each_other() -> None:
    alone, one, two = opened(), opened(), opened(seed=5, begin="random")
    list(run.train(alone, one_phase=False, slow=False))
    threads = [
        threading.Thread(target=lambda play=play: list(run.train(play, one_phase=False, slow=False))) for play in (one, two)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(a, b) for a, b in zip(weights(alone), weights(one), strict=True))
    assert one.id != two.id
