"""A domain is a row: a toy one is inverted, raced, drawn and replayed through the contracts that all the others use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from landscape_core import cli, domains
from landscape_core.commands import replay
from landscape_core.domain import Domain, Observed, domain_of
from landscape_core.errors import UserError
from landscape_core.records.run_card import Card, environment, models_used
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.race import Perceptual, RunSettings, prepare
from landscape_core.search.spaces import Prior, ZSpace
from landscape_core.search.summary import result_of
from landscape_core.search.task import Task
from landscape_core.search.trajectory import run

TRUTH = [0.7, -0.3]


class Curve(nn.Module):
    """F: the amplitude and the decay of a curve (B, 2) -> its values at sixteen times (B, 16)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1] * torch.exp(x[:, 1:] * torch.linspace(0.0, 2.0, 16))


class CurveCard(Card):
    kind: Literal["curve"] = "curve"
    values: list[float]


def load(name: str, perceptual: str = "lpips", device: str = "cpu") -> Task:
    prior = Prior(torch.zeros(2), torch.eye(2))
    config = MappingConfig("residual", 2, 2, 8, 2)
    return Task(name, Curve(), prior, SquaredError(), {"residual": ZSpace(build_mapping(config, prior), 2)})


def observe(task: Task, path: Path, frame: int, names: Path | None) -> Observed:
    return Observed(Target(torch.tensor([json.loads(path.read_text())])), ("sixteen numbers were read",))


CURVES = Domain("curves", lambda: ["curve"], load, observe, CurveCard, lambda card, task: Target(torch.tensor([card.values])))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line of registration, as `landscape_core.domains` would have it."""
    for module in (domains, replay):
        monkeypatch.setattr(module, "DOMAINS", (*domains.DOMAINS, CURVES))


@pytest.fixture
def observed(tmp_path: Path) -> Path:
    (tmp_path / "curve.json").write_text(json.dumps(Curve()(torch.tensor([TRUTH]))[0].tolist()))
    return tmp_path / "curve.json"


def test_it_is_loaded_by_name_and_inverted(observed: Path) -> None:
    task = domains.load_task("curve")
    target = domain_of("curve", domains.DOMAINS).observe(task, observed, 0, None).target
    settings = RunSettings.table(task, "residual", ["lbfgs", "levenberg-marquardt"], steps=40)
    trajectory = run(*prepare(task, settings, target))
    for name, lane in zip(settings.names(), settings.lanes, strict=True):
        assert trajectory.lane(name).best_so_far()[-1, 0] < 1e-6
        assert trajectory.last is not None
        found = task.space(lane.space).to_x(trajectory.last.lanes[settings.names().index(name)].best_variable)
        assert torch.allclose(found, torch.tensor([TRUTH]), atol=0.01)


def test_its_surface_is_drawn_by_the_command(observed: Path, tmp_path: Path) -> None:
    options = ["--task", "curve", "--kind", "path", "--steps", "6", "--size", "5", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli.app, ["surface", str(observed), *options], catch_exceptions=False)
    assert "sixteen numbers were read" in result.output
    drawn = json.loads((tmp_path / "out" / "curve-path.json").read_text())
    assert [each["space"] for each in drawn["surfaces"]] == ["X", "residual"]


@pytest.mark.parametrize("perceptual", ["lpips", "robust"])  # the second was once recorded where it does nothing
def test_a_run_card_of_its_own_kind_replays(observed: Path, tmp_path: Path, perceptual: Perceptual) -> None:
    task = load("curve")
    target, settings = observe(task, observed, 0, None).target, RunSettings(task="curve", steps=5, perceptual=perceptual)
    done = run(*prepare(task, settings, target))
    card = CurveCard(
        settings=settings, models=models_used(task, settings), environment=environment(), result=result_of(done),
        values=target.value[0].tolist(),
    )  # fmt: skip
    (tmp_path / "run.json").write_text(card.model_dump_json())
    result = CliRunner().invoke(cli.app, ["replay", str(tmp_path / "run.json")], catch_exceptions=False)
    assert "repeats the card's run exactly" in result.output


def test_what_is_not_registered_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"There is no task .curves.; there are: .*curve"):
        domains.load_task("curves")
