"""Style by the statistics of codes, anomalies by their errors, and the measures of a reconstruction."""

from __future__ import annotations

import pytest
import torch

from landscape_core.autoencoders.anomaly import optimised_error, place, reconstruction_error
from landscape_core.autoencoders.metrics import quality, ssim
from landscape_core.autoencoders.models import Inverter, load_inverter
from landscape_core.autoencoders.style import adain, style_distance, stylised, wct
from landscape_core.autoencoders.task import code_task
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import X
from tests.tiny.defended import pictures
from tests.tiny.inverters import publish_inverter
from tests.tiny.lpips import MeanDistance


@pytest.fixture(scope="module")
def inverter(tmp_path_factory: pytest.TempPathFactory) -> Inverter:
    folder = tmp_path_factory.mktemp("inverter")
    publish_inverter(folder / "a", folder / "work", "features/robust-stage2", depth=2)
    return load_inverter("features/robust-stage2", folder / "a")


def codes(n: int, seed: int) -> torch.Tensor:
    return torch.randn(1, 4, n, n, generator=torch.Generator().manual_seed(seed)) * 2.0 + 1.0


def test_adain_gives_the_styles_means_and_deviations() -> None:
    found, style = adain(codes(6, 0), codes(8, 1) * 3.0), codes(8, 1) * 3.0
    assert torch.allclose(found.mean((2, 3)), style.mean((2, 3)), atol=1e-4)
    assert torch.allclose(found.std((2, 3)), style.std((2, 3)), rtol=1e-3)


def test_wct_gives_the_styles_covariance_and_leaves_a_content_in_its_own_style_alone() -> None:
    content, style = codes(6, 0), codes(8, 1)
    style[:, 1] += style[:, 0]  # channels that go together
    found = wct(content, style)
    assert torch.allclose(torch.cov(found[0].flatten(1)), torch.cov(style[0].flatten(1)), atol=1e-3)
    assert torch.allclose(wct(content, content), content, atol=1e-3)


def test_whitening_of_fewer_cells_than_channels_stays_finite() -> None:
    flat = torch.zeros(1, 4, 2, 2)
    assert torch.isfinite(wct(flat, codes(2, 1))).all()
    assert torch.isfinite(wct(codes(1, 1), codes(2, 0))).all()


def test_strength_leads_from_the_reconstruction_to_the_style(inverter: Inverter) -> None:
    content, style, model = pictures(2)[:1], pictures(2)[1:], inverter.model
    assert torch.equal(stylised([model], content, style, 0.0), model(content))
    code, other = model.encoder(content), model.encoder(style)
    assert torch.allclose(stylised([model], content, style, 1.0, "adain"), model.decoder(adain(code, other)))
    maps = model.encoder.network.stages
    assert float(style_distance(maps, style, style)) == 0.0
    assert float(style_distance(maps, content, style)) > 0.0


def test_an_error_is_placed_among_known_ones() -> None:
    assert [place(score, [1.0, 2.0, 3.0, 4.0]) for score in (0.5, 2.5, 9.0)] == [0.0, 0.5, 1.0]


def test_descent_over_codes_lowers_the_error_of_the_encoders_code(inverter: Inverter) -> None:
    task, some = code_task(inverter), pictures(3, seed=4)
    adam = OptimizerSettings(name="adam", lr=0.1)
    first, last = (optimised_error(task, some, adam, space=X, steps=steps) for steps in (1, 12))
    assert (last < first).all()
    model = inverter.model
    assert torch.allclose(reconstruction_error(model, some), (model(some) - some).square().mean((1, 2, 3)))


def test_a_reconstruction_is_measured_by_libraries() -> None:
    clean = pictures(3)
    found = quality(clean + 0.1, clean, MeanDistance())
    assert torch.allclose(ssim(clean, clean), torch.ones(3))
    assert (found["ssim"] < 1).all()
    assert (found["psnr"] > 20).all()
    assert found["lpips"].shape == (3,)
