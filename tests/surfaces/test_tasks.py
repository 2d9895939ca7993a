"""Landscape draws the loss around runs on poses and on defences as it does on pictures: one piece of code, no names."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from app.landscape import plan
from app.landscape import run as events
from app.landscape.drawing import Drawing, Resources
from app.landscape.plan import OWN_SAMPLES, PLANES, Plan, at_once, offered
from app.runs.models import Models
from app.runs.session import Session
from app.runs.standing import Standing
from landscape_core.defence.objective import restored
from landscape_core.images.pixels import png_base64, to_bytes
from landscape_core.pose.task import load_pose_task
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import run
from tests.tiny.defence import tiny_defence

Message = dict[str, Any]


def standing(task: Task, target: Target, space: str) -> Standing:
    settings = RunSettings.pair(task=task.name, space=space, steps=4, x=task.advice(X), z=task.advice(space))
    return Standing(task, target, run(*prepare(task, settings, target)), "a target", space)


def drawn(given: Standing, kind: Any) -> list[Message]:
    wanted = Plan(kind, 21, RunSettings())
    return list(events.run(Resources(Models({})), Drawing(1), wanted, "Pose", given, Session()))


def decoded(text: str) -> Tensor:
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return torch.tensor(list(image.convert("RGB").tobytes())).reshape(image.height, image.width, 3)


@pytest.fixture(scope="module")
def pose() -> Standing:
    task = load_pose_task("positions")
    return standing(task, task.sampled(1, torch.Generator().manual_seed(3)), "residual")


@pytest.fixture(scope="module")
def defence() -> Standing:
    pictures = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return standing(tiny_defence().task, Target(pictures), "narrow")


@pytest.mark.parametrize(("which", "kind", "n"), [("pose", "recovered", 2), ("pose", "ends", 1), ("defence", "path", 2)])
def test_every_task_gets_its_surfaces_with_pictures(which: str, kind: str, n: int, request: pytest.FixtureRequest) -> None:
    given: Standing = request.getfixturevalue(which)
    messages = drawn(given, kind)
    last = [m for m in messages if m["kind"] == "surfaces"][-1]
    assert len(last["panels"]) == n
    for panel in last["panels"]:
        for name, path in panel["paths"].items():
            losses = [float(loss) for loss in given.trajectory.lane(name).losses]
            assert path["true_loss"] == pytest.approx(losses, rel=1e-4)
        sheet = decoded(panel["thumbnails"]["sheet"])
        assert sheet.shape == (21 * 32, 21 * 32, 3)
        assert sheet.float().std() > 5  # something is to be seen
    frames = [m for m in messages if m["kind"] == "frames"]
    assert [value for m in frames for value in m["lanes"]["Z"]["psnr"]] == [None] * 5  # no pictures to be near to


def test_a_defence_is_seen_as_the_restored_picture(defence: Standing) -> None:
    messages = drawn(defence, "path")
    begin = next(m for m in messages if m["kind"] == "begin")
    assert begin["target"] == png_base64(to_bytes(defence.target.value)[0])
    shown = next(m for m in messages if m["kind"] == "frames")["lanes"]["X"]["png"]
    task = defence.task
    r = task.forward(task.space(X).to_x(defence.trajectory.lane("X").variables[-1]))
    assert shown[-1] == png_base64(to_bytes(restored(defence.target.value, r))[0])


def test_a_plane_that_a_task_lacks_is_not_offered_and_why_is_said(defence: Standing, pose: Standing) -> None:
    choices, sentence = offered(defence.task, "narrow")
    assert "recovered" not in [kind for _, kind in choices]
    assert "random targets need a data set" in sentence
    assert at_once(defence.task, "narrow") == "path"


def test_the_papers_plane_is_the_first_where_it_is_embedded_and_said_to_be_slow_where_not(
    pose: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "load_recovered", lambda task, space: None)
    (words, kind), *_ = offered(pose.task, "residual")[0]
    assert (kind, words) == ("recovered", f"{PLANES['recovered']}, slow here")
    assert f"{OWN_SAMPLES} random targets are recovered first" in offered(pose.task, "residual")[1]
    assert at_once(pose.task, "residual") == "path"
    monkeypatch.setattr(plan, "load_recovered", lambda task, space: {})
    assert offered(pose.task, "residual") == ([(words, kind) for kind, words in PLANES.items()], "")
    assert at_once(pose.task, "residual") == "recovered"


def test_a_defence_has_no_random_targets_and_is_drawn_on_its_own_path(defence: Standing) -> None:
    messages = drawn(defence, "recovered")
    panels = next(m for m in reversed(messages) if m["kind"] == "surfaces")["panels"]
    path = next(m for m in reversed(drawn(defence, "path")) if m["kind"] == "surfaces")["panels"]
    assert [each["losses"] for each in panels] == [each["losses"] for each in path]
