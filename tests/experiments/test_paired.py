"""The one way to compare: closed forms, coverage of the interval, the floor, failures, and the choice of rates."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from landscape_core.experiments.paired import FLOOR, best_so_far, choose_rates, compare, geometric_mean, worst


def losses(n: int, seed: int = 0) -> Tensor:
    """Spread over three orders of magnitude, above the floor."""
    return 10.0 ** (3 * torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 2)


def test_a_constant_ratio_is_found_exactly_however_different_the_targets() -> None:
    theirs = losses(40)
    found = compare(0.75 * theirs, theirs)
    assert found.ratio == pytest.approx(0.75)
    assert found.change == pytest.approx(-0.25)
    assert found.interval == pytest.approx((0.75, 0.75))
    assert found.change_interval == pytest.approx((-0.25, -0.25))
    assert found.means == pytest.approx((0.75 * float(theirs.mean()), float(theirs.mean())))


@given(st.lists(st.floats(0.01, 10.0), min_size=3, max_size=30), st.integers(0, 5))
def test_swapping_sides_inverts_the_ratio_and_the_order_of_targets_does_not_matter(values: list[float], seed: int) -> None:
    theirs = torch.tensor(values, dtype=torch.float64)
    ours = losses(len(values), seed)
    there, back = compare(ours, theirs), compare(theirs, ours)
    assert there.ratio * back.ratio == pytest.approx(1.0)
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed))
    assert compare(ours[order], theirs[order]).ratio == pytest.approx(there.ratio)
    assert there.interval[0] <= there.ratio * (1 + 1e-9)
    assert there.ratio <= there.interval[1] * (1 + 1e-9)


def test_the_interval_covers_the_true_ratio_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(100):
        theirs = torch.from_numpy(random.lognormal(0.0, 2.0, 30))
        ours = theirs * torch.from_numpy(random.lognormal(math.log(0.8), 0.4, 30))
        low, high = compare(ours, theirs, floor=0.0, seed=trial).interval
        covered += low <= 0.8 <= high
    assert 88 <= covered <= 99


def test_pairing_makes_the_interval_narrow() -> None:
    theirs = losses(60)
    ours = theirs * (0.8 + 0.01 * losses(60, 1))
    paired, shuffled = compare(ours, theirs), compare(ours.flip(0), theirs)
    widths = [math.log(each.interval[1] / each.interval[0]) for each in (paired, shuffled)]
    assert widths[0] < 0.05 * widths[1]


def test_searches_of_one_target_are_no_evidence_of_their_own() -> None:
    theirs = losses(20)
    ours = theirs * 10.0 ** (0.2 * torch.randn(20, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    once, thrice = compare(ours, theirs), compare(ours.repeat(3), theirs.repeat(3), restarts=3)
    assert (thrice.n, thrice.ratio) == (20, pytest.approx(once.ratio))
    assert thrice.interval == pytest.approx(once.interval)
    independent = compare(ours.repeat(3), theirs.repeat(3))
    assert independent.interval[1] - independent.interval[0] < 0.8 * (once.interval[1] - once.interval[0])


def test_losses_below_the_floor_are_equal() -> None:
    tiny, tinier = torch.full((5,), FLOOR / 2), torch.full((5,), FLOOR / 50)
    assert compare(tinier, tiny).ratio == 1.0
    assert compare(tinier, tiny, floor=0.0).ratio == pytest.approx(1 / 25)
    assert compare(torch.zeros(5), torch.full((5,), 2 * FLOOR)).ratio == pytest.approx(0.5)
    assert geometric_mean(tinier) == pytest.approx(FLOOR)


def test_failures_are_what_is_not_finite_or_far_above_the_median() -> None:
    theirs = torch.ones(10)
    ours = torch.ones(10)
    ours[0], ours[1], ours[2], ours[3] = math.nan, math.inf, 3.1, 2.9
    found = compare(ours, theirs)
    assert found.failures == pytest.approx((0.3, 0.0))
    assert found.means[0] == pytest.approx((3.1 * 3 + 2.9 + 6) / 10), "a failure counts as the largest finite loss"
    assert math.isfinite(found.ratio)


def test_the_same_seed_gives_the_same_interval() -> None:
    ours, theirs = losses(20, 1), losses(20, 2)
    assert compare(ours, theirs, seed=3) == compare(ours, theirs, seed=3)
    assert compare(ours, theirs, seed=3).interval != compare(ours, theirs, seed=4).interval


def test_degenerate_data_have_an_interval_all_the_same() -> None:
    one = compare(torch.tensor([0.5]), torch.tensor([1.0]))
    assert one.ratio == 0.5
    assert all(math.isnan(end) for end in one.interval)
    mostly_equal = compare(torch.tensor([1.0, 1.0, 1.0, 0.5]), torch.ones(4))
    assert mostly_equal.interval[0] < mostly_equal.ratio <= mostly_equal.interval[1] <= 1.0


def test_nothing_to_compare_is_refused() -> None:
    for ours, theirs in ((torch.ones(2), torch.ones(3)), (torch.ones(0), torch.ones(0)), (torch.full((2,), math.nan),) * 2):
        with pytest.raises(ValueError, match=r"needed|finite"):
            compare(ours, theirs)


def test_best_so_far_ignores_what_is_not_finite() -> None:
    curve = torch.tensor([[3.0], [math.nan], [2.0], [math.inf], [5.0]])
    assert best_so_far(curve)[:, 0].tolist() == [3.0, 3.0, 2.0, 2.0, 2.0]


def test_each_budget_gets_its_own_rate_by_the_geometric_mean_of_the_best_so_far() -> None:
    curves = {
        "fast": torch.tensor([[1.0, 1.0], [0.1, 0.4], [9.0, 9.0]]),
        "slow": torch.tensor([[1.0, 1.0], [0.5, 0.5], [0.01, 1.0]]),  # a higher arithmetic mean, a lower geometric one
    }
    found = choose_rates({name: name for name in curves}, curves.__getitem__, [1, 2])
    assert {budget: choice.setting for budget, choice in found.items()} == {1: "fast", 2: "slow"}
    assert found[2].sweep == pytest.approx({"fast": 0.2, "slow": (0.01 * 0.5) ** 0.5})
    assert found[1].at_the_edge
    three = choose_rates({"a": 3.0, "b": 1.0, "c": 2.0}, lambda level: torch.full((1, 2), level), [0])[0]
    assert (three.setting, three.at_the_edge) == (1.0, False)


def test_the_worst_step_is_the_one_whose_interval_reaches_highest() -> None:
    theirs = losses(20)
    steps = {step: compare(theirs * factor, theirs) for step, factor in ((1, 0.5), (2, 0.9), (3, 0.7))}
    assert worst(steps)[0] == 2


def test_a_comparison_goes_into_a_results_file() -> None:
    found = compare(losses(5, 1), losses(5))
    again = json.loads(json.dumps(found.to_json()))
    assert (again["n"], again["ratio"]) == (5, found.ratio)
    assert again["interval"] == list(found.interval)
