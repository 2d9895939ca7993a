"""The spectrum of a Hessian against closed forms: exact where that is cheap, close by Lanczos' method elsewhere."""

from __future__ import annotations

import pytest
import torch

from landscape_core.search.objectives import Target
from landscape_core.search.task import X
from landscape_core.surfaces.hessian import hessian_product
from landscape_core.surfaces.spectrum import Spectrum, spectrum
from tests.surfaces.test_hessian import CURVATURES, N, Saddle, task_of
from tests.tiny.models import tiny_task


def of(values: torch.Tensor) -> Spectrum:
    return Spectrum(values[None].double(), torch.full((1, len(values)), 1.0 / len(values), dtype=torch.float64))


def test_what_is_said_of_a_spectrum_does_not_depend_on_units() -> None:
    values = torch.tensor([-2.0, 1.0, 1.0, 8.0])
    each, scaled = of(values), of(100 * values)
    assert each.condition().item() == pytest.approx(8.0)
    assert each.negative_share().item() == pytest.approx(0.25)
    assert each.roundness().item() == pytest.approx(2.0**2 / (70 / 4))
    for measure in (Spectrum.condition, Spectrum.negative_share, Spectrum.roundness):
        assert measure(each) == pytest.approx(measure(scaled))
    bowl = of(torch.ones(5))
    assert (bowl.condition().item(), bowl.roundness().item()) == (1.0, 1.0)


def test_of_few_dimensions_the_eigenvalues_themselves_are_taken() -> None:
    task = task_of(Saddle())
    points = torch.randn(2, N, generator=torch.Generator().manual_seed(1))
    found = spectrum(hessian_product(task, Target(torch.zeros(2, N)), X, points), points, products=N)
    for values in found.values:
        assert values == pytest.approx(CURVATURES.sort().values.double(), abs=1e-4)


def test_lanczos_finds_the_ends_and_the_moments_of_many() -> None:
    random = torch.Generator().manual_seed(0)
    eigenvalues = torch.cat([torch.logspace(-3, 1, 390), torch.tensor([-4.0] * 10)]).double()
    frame = torch.linalg.qr(torch.randn(400, 400, generator=random, dtype=torch.float64))[0]
    matrix = (frame * eigenvalues) @ frame.T
    like = torch.zeros(3, 400, dtype=torch.float64)
    found = spectrum(lambda v: v @ matrix, like, products=30)
    truth = of(eigenvalues)
    assert found.values.shape == (3, 30)
    assert found.weights.sum(dim=1) == pytest.approx(torch.ones(3, dtype=torch.float64))
    assert found.largest() == pytest.approx(truth.largest().expand(3), rel=1e-3)
    assert found.negative_share().mean() == pytest.approx(truth.negative_share().item(), abs=0.03)
    assert found.roundness().mean() == pytest.approx(truth.roundness().item(), rel=0.4)
    assert found.condition().log10().mean() == pytest.approx(truth.condition().log10().item(), abs=0.5)


def test_every_sample_has_the_hessian_of_its_own_point_and_target() -> None:
    task = tiny_task()
    target = task.sampled(3, torch.Generator().manual_seed(0))
    points = 0.1 * torch.randn(3, task.space(X).dim, generator=torch.Generator().manual_seed(2))
    direction = torch.randn(points.shape, generator=torch.Generator().manual_seed(3))
    together = hessian_product(task, target, X, points)(direction)
    for i in range(3):
        part = slice(i, i + 1)
        assert hessian_product(task, target.select(part), X, points[part])(direction[part])[0] == pytest.approx(
            together[i], rel=1e-3, abs=1e-5
        )
