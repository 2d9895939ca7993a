"""Other ways to invert F, where the minimum is known: they go there, and an encoder that errs by a share corrects it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from landscape_core.generators.experiments.rivals import BarzilaiBorwein, ConjugateGradients, RefinedGuess
from landscape_core.generators.experiments.searchers import Descent
from tests.tiny.tables import quadratic

WANTED = torch.tensor([[1.0, 10.0], [-2.0, 5.0]])  # F stretches the second number by ten: x* = (1, 1) and (-2, 0.5)


def test_conjugate_gradients_solve_a_quadratic_in_two_searches_along_a_line() -> None:
    found = ConjugateGradients()(quadratic(), WANTED, 20, 1.0, 0)
    assert (found < 1e-3 * WANTED.square().mean(dim=1)).all()
    assert (ConjugateGradients()(quadratic(), WANTED, 1, 1.0, 0) == WANTED.square().mean(dim=1)).all()


def test_barzilai_and_borweins_step_beats_the_best_fixed_one_where_curvatures_differ() -> None:
    task = quadratic()
    own = BarzilaiBorwein((0.5,))(task, WANTED, 30, 0.5, 0)
    fixed = torch.stack([Descent("gd", (rate,))(task, WANTED, 30, rate, 0) for rate in (0.005, 0.01, 0.019)])
    assert (own < fixed.min(dim=0).values).all()


def test_barzilai_borwein_is_no_different_for_company() -> None:
    both = BarzilaiBorwein((0.5,))(quadratic(), WANTED, 9, 0.5, 0)
    assert BarzilaiBorwein((0.5,))(quadratic(), WANTED[1:], 9, 0.5, 0).item() == pytest.approx(both[1].item(), rel=1e-4)


def test_an_encoder_that_is_short_by_a_share_is_brought_there_by_its_own_error() -> None:
    task = replace(quadratic(), encode=lambda y: 0.5 * y / torch.tensor([1.0, 10.0]))
    guess = RefinedGuess((1.0,))(task, WANTED, 1, 1.0, 0)
    assert guess.tolist() == pytest.approx((0.25 * WANTED.square().mean(dim=1)).tolist())
    assert (RefinedGuess((1.0,))(task, WANTED, 12, 1.0, 0) < 1e-3 * guess).all()
