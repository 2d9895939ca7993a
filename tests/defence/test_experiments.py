"""Table 1's measurement on tiny networks: intervals, tuning, static and aware columns, claims, and the plot."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scipy import stats

from landscape_core.defence.attacks import ATTACKS, aware_attack
from landscape_core.defence.experiments.contenders import (
    SWEEP,
    Contender,
    DefenceSettings,
    after,
    contenders,
    right_when_aware,
    tune,
)
from landscape_core.defence.experiments.table1 import claims, plot, run_defence
from landscape_core.defence.objective import Defence, random_starts, restored
from landscape_core.defence.steps import Steps, evaluation_seed, run_steps
from landscape_core.experiments.results import share_difference, wilson
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import Adam, OptimizerSettings
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import X
from landscape_core.search.trajectory import run
from landscape_core.storage.cache import Kept
from tests.tiny.defended import pictures, tiny_defence

QUICK = {name: settings.model_copy(update={"steps": 2}) for name, settings in ATTACKS.items()}
SETTINGS = DefenceSettings(targets=6, steps=(1, 2), aware_steps=2, tune_targets=4, batch=4, bf16=False)


@pytest.fixture
def defence(tmp_path: Path) -> Defence:
    return tiny_defence(tmp_path / "assets")


def answers(defence: Defence, x: torch.Tensor) -> torch.Tensor:
    return defence.logits(x).argmax(dim=1)


def test_wilson_is_its_closed_form() -> None:
    n, k, z = 40, 9, stats.norm.ppf(0.975)
    p = k / n
    centre, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    expected = [(centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)]
    assert wilson(torch.arange(n) < k) == pytest.approx(expected)


def test_a_paired_difference_is_sharper_than_its_parts() -> None:
    base = torch.arange(100) < 40
    better = torch.arange(100) < 52
    mean, (low, high) = share_difference(better, base)
    assert mean == pytest.approx(0.12)
    centre, spread = 12 / 102, ((12 + 2) / 102 - (12 / 102) ** 2) ** 0.5  # Bonett & Price: one more pair of each kind
    assert (low, high) == pytest.approx((centre - 1.96 * spread / 102**0.5, centre + 1.96 * spread / 102**0.5), abs=1e-5)
    assert high - low < sum(b - a for a, b in (wilson(better), wilson(base)))


def test_a_paired_difference_holds_its_level_where_few_or_no_pictures_differ() -> None:
    """At 20 pairs, of which one in ten differs, it holds the truth at least 19 times in 20."""
    same = torch.arange(20) < 7
    mean, (low, high) = share_difference(same, same)
    assert (mean, low) == (0.0, -high)
    assert 0.05 < high < 0.2
    assert share_difference(torch.ones(3), torch.zeros(3)) == (1.0, (pytest.approx(0.6 - 1.96 * 0.8 / 5**0.5, abs=1e-4), 1.0))
    random = torch.Generator().manual_seed(0)
    drawn = torch.rand(400, 20, generator=random)
    holds = [low <= 0.04 <= high for row in drawn for _, (low, high) in [share_difference(row < 0.07, row > 0.97)]]
    assert sum(holds) / len(holds) >= 0.95


def test_every_step_is_judged_as_the_solver_runs_it(defence: Defence) -> None:
    x, labels = pictures(5), torch.tensor([0, 1, 2, 3, 4])
    lane = Lane("X", defence.task.space(X), Adam(8 / 255))
    found = run_steps(defence, [lane], x, labels, 2, seed=3, batch=2)["X"]
    solver = Solver(defence.task.forward, defence.task.objective, Target(x), [lane], max_steps=2)
    last = run(solver, random_starts([lane.space], 5, 3)).last
    assert found.right.shape == found.loss.shape == (3, 5)
    assert last is not None
    assert torch.allclose(found.loss[-1], last.lanes[0].loss, atol=1e-4)
    assert torch.equal(found.right[-1], answers(defence, restored(x, last.lanes[0].output)) == labels)


def test_runs_with_several_rates_are_each_their_own(defence: Defence) -> None:
    x = pictures(4)
    labels = answers(defence, x)
    rates = {1: OptimizerSettings(name="adam", lr=8 / 255), 2: OptimizerSettings(name="adam", lr=0.2 / 255)}
    found = after(defence, Contender("X tuned", X, rates), x, labels, SETTINGS)
    for k, optimizer in rates.items():
        lane = Lane("X", defence.task.space(X), optimizer.build(k))
        alone = run_steps(defence, [lane], x, labels, k, evaluation_seed(SETTINGS.seed), 4)["X"].right[k]
        assert torch.equal(found[k].right, alone)


def test_only_the_numbers_of_steps_asked_for_are_run(defence: Defence) -> None:
    """A column whose rate differs by steps is attacked for one number of steps at a time."""
    x, labels = pictures(3), torch.tensor([0, 1, 2])
    each = Contender("X", X, {1: OptimizerSettings(lr=0.01), 2: OptimizerSettings(lr=0.02)})
    both = after(defence, each, x, labels, SETTINGS)
    for k in (1, 2):
        alone = after(defence, each, x, labels, replace(SETTINGS, steps=(k,)))
        assert list(alone) == [k]
        assert torch.equal(alone[k].loss, both[k].loss)


def test_the_best_rate_is_chosen_for_each_number_of_steps(defence: Defence) -> None:
    sweep = {
        lr: Steps(torch.tensor([[False], [lr == SWEEP[2]], [lr == SWEEP[4]]]), torch.zeros(3, 1)) for lr in SWEEP
    }  # fmt: skip
    flat = {lr: Steps(torch.ones(3, 1, dtype=torch.bool), torch.zeros(3, 1)) for lr in SWEEP}
    x_tuned, z_tuned, x_fixed, z_fixed = contenders({X: sweep, "residual": flat}, SETTINGS)
    assert [x_tuned.optimizers[k].lr for k in (1, 2)] == [SWEEP[2], SWEEP[4]]
    assert [z_tuned.optimizers[k].lr for k in (1, 2)] == [SWEEP[0], SWEEP[0]]
    assert {each.optimizers[k].lr for each in (x_fixed, z_fixed) for k in (1, 2)} == {0.2 / 255}
    assert (x_tuned.space, x_fixed.space, z_tuned.space, z_fixed.space) == (X, X, "residual", "residual")
    x = pictures(4)
    for space in (X, "residual"):
        measured = tune(defence, space, x, answers(defence, x), SETTINGS)
        assert set(measured) == set(SWEEP)
        assert all(len(each.right) == len(each.loss) == 3 for each in measured.values())


def test_who_knows_the_defence_never_leaves_more_right_than_who_does_not(defence: Defence) -> None:
    x = pictures(6)
    labels = answers(defence, x)
    each = Contender("Z", "residual", {1: OptimizerSettings(lr=0.2 / 255)})
    survived, strong = torch.tensor([True, True, True, True, False, False]), ATTACKS["l2"].model_copy(update={"eps": 15.0})
    ticks: list[tuple[int, int]] = []
    found = right_when_aware(
        defence, each, 1, x, labels, survived, strong, SETTINGS, lambda a, b: bool(ticks.append((a, b)))
    )  # fmt: skip
    assert (found <= survived).all()
    assert int(found.sum()) < 4
    assert ticks == [(1, 2), (2, 2)]  # one batch of the four that survived, two ascents
    none = torch.zeros(6, dtype=torch.bool)
    assert not right_when_aware(defence, each, 1, x, labels, none, ATTACKS["l2"], SETTINGS, lambda *_: False).any()


def test_a_tensor_is_kept_for_the_same_and_made_anew_for_anything_else(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> torch.Tensor:
        made.append(1)
        return torch.tensor([True, False])

    kept = Kept(tmp_path, "these models")
    assert torch.equal(kept.get("l2", make), kept.get("l2", make))
    assert len(made) == 1
    kept.get("linf", make)
    Kept(tmp_path, "other models").get("l2", make)
    Kept(None).get("l2", make)
    assert len(made) == 4


def test_fewer_ascents_still_cross_the_ball() -> None:
    attack = aware_attack(ATTACKS["linf"], 10)
    assert attack.steps * attack.step == pytest.approx(2.5 * attack.eps)
    assert (attack.norm, attack.eps) == ("linf", ATTACKS["linf"].eps)


def test_the_whole_experiment_writes_table_claims_and_plot(defence: Defence, tmp_path: Path) -> None:
    x = pictures(6)
    labels = answers(defence, x)
    stages: list[str] = []
    result = run_defence(
        defence, (x[:4], labels[:4]), (x, labels), QUICK, SETTINGS, "python", lambda label, *_: stages.append(label),
        folder=tmp_path / "kept",
    )  # fmt: skip
    assert {"Z, clean", "l2, static", "l2, aware of Z", "linf, aware of X tuned", "linf, aware of Z tuned"} <= set(stages)
    assert result.settings["steps_of_series"] == [0, 1, 2]
    columns = {"Z | clean": 3, "X tuned | l2, static": 3, "X | linf, static": 2, "Z | l2, aware": 3, "X tuned | linf, aware": 2}
    for column, length in columns.items():
        assert len(result.series[column]) == length
        assert all(low <= p <= high for p, low, high in zip(
            result.series[column], result.series[f"{column} | low"], result.series[f"{column} | high"], strict=True
        ))  # fmt: skip
    assert result.series["Z | clean"][0] == 1.0
    assert len(result.series["Z | l2, static | loss"]) == 2
    assert result.series["Z | l2, aware"][1] <= result.series["Z | l2, static"][1]
    assert result.series["ms | bare"][0] < result.series["ms | Z"][0]
    stages.clear()
    again = run_defence(
        defence, (x[:4], labels[:4]), (x, labels), QUICK, SETTINGS, "python", lambda label, *_: stages.append(label),
        folder=tmp_path / "kept",
    )  # fmt: skip
    assert {key: value for key, value in again.series.items() if not key.startswith("ms")} == {
        key: value for key, value in result.series.items() if not key.startswith("ms")
    }
    assert "l2, static" not in stages
    others = pictures(6).flip(0)
    run_defence(
        defence, (x[:4], labels[:4]), (others, answers(defence, others)), {"l2": QUICK["l2"]}, SETTINGS, "python",
        lambda label, *_: stages.append(label), folder=tmp_path / "kept",
    )  # fmt: skip
    assert "l2, static" in stages
    written = json.loads(result.write(tmp_path).read_text())
    assert written["experiment"] == "defence-ro"
    assert set(written["models"]) == set(defence.task.hashes)
    plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_the_papers_claim_is_met_only_by_ten_points_beyond_doubt() -> None:
    n = 1000
    base, none = torch.arange(n) < 350, torch.arange(n) < 320
    for ours, met in ((torch.arange(n) < 480, True), (torch.arange(n) < 430, False)):
        columns = {
            "X tuned": {0: none, 1: base}, "X": {0: none, 1: base}, "Z": {0: none, 1: base}, "Z tuned": {0: none, 1: ours}
        }  # fmt: skip
        made = claims("ro", {"l2, static": columns}, SETTINGS)
        first = next(each for each in made if each.claim.endswith("Z tuned minus X tuned"))
        assert (first.met, first.paper, first.aim) == (met, 0.1003, 0.10)
