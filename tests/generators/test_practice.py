"""What is said of rates, restarts, inputs found again and costs follows from the curves that were measured."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from landscape_core.experiments.results import share_difference
from landscape_core.generators.experiments import cost, fragile
from landscape_core.generators.experiments.cost import CostSettings, Training, evaluations_needed, run_cost
from landscape_core.generators.experiments.fragile import FragileSettings, failures, run_fragile, too_large
from landscape_core.search.task import X
from landscape_core.storage import zoo
from tests.tiny.models import tiny_task
from tests.tiny.tables import pictures, silent


def test_what_a_rate_costs_is_the_best_one_doubled_twice() -> None:
    losses = [torch.tensor([4.0, 4.0]), torch.tensor([1.0, 2.0]), torch.tensor([2.0, 2.0]), torch.tensor([3.0, 20.0])]
    assert too_large(losses, [4.0, 1.4, 2.0, 7.7]).tolist() == [3.0, 10.0]
    assert too_large(losses, [4.0, 2.0, 1.4, 7.7]).tolist() == [1.5, 10.0], "the largest there is"


def test_a_start_fails_where_it_ends_far_above_the_others_of_its_target() -> None:
    ends = {"X": torch.tensor([[0.1, 1.0], [0.1, 1.1]]), "Z": torch.tensor([[0.12, 4.0], [torch.nan, 1.0]])}
    failed = failures(ends)
    assert failed["X"].tolist() == [[False, False], [False, False]]
    assert failed["Z"].tolist() == [[False, True], [True, False]]


def test_fragile_has_a_curve_over_all_rates_and_claims_of_the_same_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragile, "SWEEPS", {"Adam": (0.05, 0.4), "L-BFGS": (0.5, 2.0, 8.0)})
    settings = FragileSettings(targets=2, steps=(2, 4), restarts=2)
    result = run_fragile(tiny_task(), pictures(2), settings, "test", silent, tmp_path)
    assert len(result.series["Z L-BFGS by rate after 4 steps"]) == 3
    for by in ("Adam", "L-BFGS"):
        few, many = (result.series[f"X {by} by rate after {at} steps"] for at in (2, 4))
        assert all(late <= early for early, late in zip(few, many, strict=True))
    shares = result.series["X: share of random starts that fail, by target"]
    assert len(shares) == 2
    assert set(shares) <= {0.0, 0.5, 1.0}
    ours = result.series["Z: share of random starts that fail, by target"]
    (claim,) = (each for each in result.claims if "random starts that fail" in each.claim)
    _, over_targets = share_difference(torch.tensor(ours), torch.tensor(shares))
    assert claim.interval == pytest.approx(over_targets), "not over restarts: those of one target are alike"
    away = result.series["X: ‖x̂ − x*‖ over ‖x̄ − x*‖ after 4 steps"]
    assert 0 < away[0] < 2
    assert len(result.claims) == 2 * 2 + 1 + 2
    fragile.plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_x_needs_as_many_evaluations_as_its_curve_says() -> None:
    task, each = tiny_task(), pictures(3)
    settings = CostSettings(targets=3, steps=3, most=12)
    needed = evaluations_needed(task, each, "adam", settings, silent, None)
    lanes = {space: (space, task.advice(space, "adam").build(12)) for space in (X, "residual")}
    curves = cost.Searches(task, silent).losses(each, lanes, 12, "again")
    for i in range(3):
        goal, curve = curves["residual"][3, i], curves[X][:, i]
        steps = next((step for step, loss in enumerate(curve) if loss <= goal), None)
        assert needed[i] == (torch.inf if steps is None else steps + 1)


def test_training_is_counted_in_pictures_and_pays_by_what_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "evaluations_needed", lambda *_: torch.tensor([11.0, 31.0, torch.inf]))
    settings, training = CostSettings(targets=3, steps=20, most=50), Training(1000.0, 64.0, 0.5)
    result = run_cost({"faces": tiny_task()}, {"faces": pictures(3)}, {"faces": training}, settings, "test", silent)
    takes, worth, paid, *_ = result.claims
    assert takes.ours == 31.0
    assert "too few for 1 of 3" in takes.claim
    assert worth.ours == pytest.approx(1000 / 31)
    assert paid.ours == pytest.approx(1000 / (31 - 21))
    assert paid.aim == 64.0
    assert result.claims[-1].ours == 0.5
    cost.plot(result, tmp_path / "plot.png")
    monkeypatch.setattr(cost, "evaluations_needed", lambda *_: torch.tensor([5.0]))
    never = run_cost({"faces": tiny_task()}, {"faces": pictures(1)}, {"faces": training}, settings, "test", silent)
    assert not any("has paid" in claim.claim for claim in never.claims)
    assert not never.claims[0].met


def test_seconds_are_compared_on_like_machines_only() -> None:
    theta, generator = (zoo.read_card(f"cats/{name}") for name in ("theta-residual", "generator"))
    found = Training.of(theta, generator, 192)
    assert found.pictures == 192 * theta.budget["buffers"]
    assert found.seconds_over_f == pytest.approx(theta.budget["seconds"] / sum(generator.budget["seconds"].values()))
    generator.budget["hardware"] = "one NVIDIA H200"
    assert Training.of(theta, generator, 192).seconds_over_f is None
