"""Trainings in their queue: one at a time, paused, resumed, finished, killed and taken up by the next server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app import limits
from app.runs.models import Models
from app.train.queue import Trainings
from app.train.tab import server_functions
from app.train.told import told
from app.train.training import Training
from landscape_core.errors import UserError
from landscape_core.storage.files import write_text
from tests.app.train.making import NICENESS, request, until


def test_one_is_trained_at_a_time_and_the_others_know_their_place(started: Callable[..., Trainings]) -> None:
    trainings = started()
    first, second, third = (trainings.begin(request(name), []) for name in ("long", "b", "c"))
    until(lambda: first.record.state == "running" and trainings.all() and len(first.looks) > 1)
    assert [each["place"] for each in told(trainings, None, 0)["trainings"]] == [2, 1, 0]
    if hasattr(os, "getpriority"):
        assert first.process is not None
        assert os.getpriority(os.PRIO_PROCESS, first.process.pid) == NICENESS
    trainings.act(second.id, "pause")
    trainings.act(first.id, "pause")
    until(lambda: third.record.state == "done")
    assert (first.record.state, second.record.state) == ("paused", "paused")
    trainings.act(second.id, "resume")
    until(lambda: second.record.state == "done")


def test_what_is_long_in_beginning_says_that_the_machine_is_busy(started: Callable[..., Trainings]) -> None:
    trainings = started()
    training = trainings.begin(request("long"), [])
    until(lambda: training.process is not None)
    assert told(trainings, None, 0)["trainings"][0]["busy"] == ""
    training.begun -= 65
    assert "begun 60 s ago: a training gets only the processor time" in told(trainings, None, 0)["trainings"][0]["busy"]


def test_paused_it_goes_on_where_it_was_and_finishes_when_told(started: Callable[..., Trainings]) -> None:
    trainings = started()
    training = trainings.begin(request("long"), [])
    until(lambda: trainings.all() and len(training.looks) >= 3)
    trainings.act(training.id, "pause")
    until(lambda: training.record.state == "paused")
    trainings.all()
    stood = training.looks[-1]["buffer"]
    trainings.act(training.id, "resume")
    until(lambda: trainings.all() and training.looks[-1]["buffer"] > stood)
    trainings.act(training.id, "finish")
    until(lambda: training.record.state == "done")
    buffers = [look["buffer"] for look in training.looks]
    assert buffers == list(range(1, len(buffers) + 1))


def test_the_next_server_goes_on_with_what_one_left(started: Callable[..., Trainings]) -> None:
    trainings = started()
    running, waiting, paused = (trainings.begin(request(name), []) for name in ("long", "b", "c"))
    trainings.act(paused.id, "pause")
    until(lambda: trainings.all() and len(running.looks) > 1)
    trainings.close()
    following = started()
    again = following.get(running.id)
    until(lambda: following.all() and len(again.looks) > len(running.looks))
    assert following.get(waiting.id).record.state == "queued"
    assert following.get(paused.id).record.state == "paused"


def test_a_killed_server_leaves_its_training_as_it_stood(started: Callable[..., Trainings]) -> None:
    trainings = started()
    training = trainings.begin(request("b"), [])
    until(lambda: training.record.state == "running")
    assert Training.read(training.folder).record.state == "running"  # what a kill would leave on the disk
    until(lambda: training.record.state == "done")
    training.become(state="running")
    trainings.close()
    again = started().get(training.id)
    until(lambda: again.record.state == "done")


@pytest.mark.parametrize(("name", "reason"), [("refused", "No space left on device."), ("killed", "SIGKILL")])
def test_what_ended_it_is_said_in_a_sentence(started: Callable[..., Trainings], name: str, reason: str) -> None:
    trainings = started()
    training = trainings.begin(request(name), [])
    until(lambda: training.record.state == "failed")
    assert reason in training.record.reason
    trainings.act(training.id, "resume")
    until(lambda: training.record.state == "failed")


def test_a_full_disk_keeps_no_end_from_being_noted(
    started: Callable[..., Trainings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = [True]

    def write(path: Path, text: str) -> None:
        if full and '"done"' in text:
            full.pop()
            raise UserError(f"{path} cannot be written: no space left on device.")
        write_text(path, text)

    monkeypatch.setattr("app.train.training.write_text", write)
    trainings = started()
    training, following = (trainings.begin(request(name), []) for name in ("b", "c"))
    until(lambda: following.record.state == "done")
    assert training.record.state == "done"
    assert "no space left on device" in capsys.readouterr().out


def test_without_its_model_it_waits_for_a_server_that_has_it(started: Callable[..., Trainings], models: Models) -> None:
    trainings = started()
    training = trainings.begin(request("long"), [])
    trainings.close()
    models.own.clear()
    following = started()
    again = following.get(training.id)
    assert "This server has no model 'decay'" in again.record.reason
    with pytest.raises(UserError, match="start it with --task"):
        following.act(training.id, "resume")


def test_names_are_taken_by_spaces_and_by_trainings(started: Callable[..., Trainings]) -> None:
    trainings = started()
    trainings.begin(request("long"), [])
    for name in ("long", "random"):
        with pytest.raises(UserError, match="already, or in training"):
            trainings.begin(request(name), [])


def test_no_more_are_kept_than_the_limit(started: Callable[..., Trainings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRAININGS", 1)
    trainings = started()
    training = trainings.begin(request("long"), [])
    with pytest.raises(UserError, match="remove one first"):
        trainings.begin(request("b"), [])
    trainings.act(training.id, "remove")
    assert not training.folder.exists()
    trainings.begin(request("b"), [])
    with pytest.raises(UserError, match="not here any more"):
        trainings.act(training.id, "pause")


def test_another_server_cannot_train_in_the_same_folder(started: Callable[..., Trainings], models: Models) -> None:
    from filelock import FileLock

    Path("trainings").mkdir()
    with FileLock("trainings/.lock"), pytest.raises(UserError, match="Another training is running"):
        started()


def test_pages_are_told_what_it_costs_and_only_looks_they_lack(started: Callable[..., Trainings]) -> None:
    trainings = started()
    training = trainings.begin(request("b", minutes=1), [])
    until(lambda: training.record.state == "done")
    state, sheets = server_functions(trainings)
    said = state([training.id, 3])
    assert [look["buffer"] for look in said["looks"]] == [4, 5]
    assert said["trainings"][0]["seconds"] == 10.0
    assert state(["../..", -5])["looks"] == state(None)["looks"] == []
    assert sheets([training.id, 99]) is sheets(["no", 0]) is sheets("x") is None
