"""The prior's term in a loss: against its closed form, in both spaces, on cards and surfaces."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.prior_term import PriorTerm, with_prior_term
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.spaces import Prior
from landscape_core.search.trajectory import run
from landscape_core.surfaces.surface import loss_in
from tests.tiny.models import DIM, tiny_task


def prior() -> Prior:
    factor = torch.randn(6, 6, generator=torch.Generator().manual_seed(0))
    return Prior(torch.arange(6.0), factor)


def test_a_diagonal_factor_is_inverted_without_its_matrix() -> None:
    """Of thousands of pixels, each with a spread of its own, the inverse of the whole matrix would take minutes."""
    spread = torch.tensor([0.5, 0.0, 2.0, 4.0])
    term, x = PriorTerm(Prior(torch.ones(4), spread.diag()), 0.3), torch.tensor([[2.0, 7.0, 1.0, -3.0]])
    assert term.whitener.shape == (4,)
    assert float(term(x)) == pytest.approx(0.3 * (2.0**2 + 0.0 + 0.0 + 1.0**2) / 4)
    inverse = torch.linalg.pinv(spread.diag().double()).float()
    assert torch.allclose(term.whitener.diag(), inverse)


def test_it_is_the_squared_mahalanobis_distance_over_the_dimension() -> None:
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    covariance = prior().factor @ prior().factor.T
    off = x - prior().mean
    expected = (off @ torch.linalg.inv(covariance) * off).sum(dim=1) / 6
    assert torch.allclose(PriorTerm(prior(), 0.5)(x), 0.5 * expected, rtol=1e-3)


def test_a_drawn_input_costs_the_weight_on_average() -> None:
    drawn = prior().sample(4000, torch.Generator().manual_seed(2))
    assert float(PriorTerm(prior(), 0.3)(drawn).mean()) == pytest.approx(0.3, rel=0.05)


def test_a_weight_changes_the_run_keeps_it_nearer_and_zero_changes_nothing() -> None:
    task = tiny_task()
    target = Target(task.forward(task.prior.mean[None] + 1.0).detach())
    plain, zero, heavy = (
        run(*prepare(task, RunSettings.pair(steps=6, prior_weight=weight), target)) for weight in (0.0, 0.0, 1.0)
    )
    assert torch.equal(plain.lanes[1].loss_table(), zero.lanes[1].loss_table())
    distance = PriorTerm(task.prior, 1.0)
    for lane in (0, 1):
        space = task.space(("X", "residual")[lane])
        near, far = (float(distance(space.to_x(each.lanes[lane].variables[-1]))) for each in (heavy, plain))
        assert near < far


def test_a_surface_has_the_term_that_the_run_had() -> None:
    task = tiny_task()
    target = Target(task.forward(task.prior.mean[None] + 1.0).detach())
    there = run(*prepare(task, RunSettings.pair(steps=4, prior_weight=0.5), target)).lanes[1]
    losses, _ = loss_in(with_prior_term(task, 0.5), "residual", target)(there.variables[-1])
    assert torch.allclose(losses, there.losses[-1], rtol=1e-5)


def test_levenberg_marquardt_takes_no_such_term() -> None:
    task = replace(tiny_task(), objective=SquaredError())
    settings = RunSettings.table(task, "residual", ["levenberg-marquardt"], prior_weight=0.1)
    with pytest.raises(UserError, match="no term for the prior"):
        prepare(task, settings, Target(torch.zeros(1, 3, 64, 64)))
    assert DIM <= 128  # else it would be refused for another reason
