"""Our StyleGAN2 against a published implementation's outputs, and its own properties."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.generators.networks.published import load_published_stylegan2
from landscape_core.generators.networks.stylegan import LowPass, ModulatedConv, StyleGAN2, SynthesisNetwork, binomial_kernel


@pytest.fixture
def published(shared: Path) -> tuple:
    fixtures = shared / "fixtures"
    outputs = torch.load(fixtures / "rosinality_64_small_io.pt", weights_only=True)
    return load_published_stylegan2(fixtures / "rosinality_64_small.pt"), outputs


@torch.no_grad()
def test_published_checkpoint_gives_the_reference_outputs(published: tuple) -> None:
    model, io = published
    synthesis = model.generator.synthesis
    assert torch.allclose(model.generator.mapping(io["z"]), io["w"], atol=1e-4)
    assert torch.allclose(synthesis(io["w"], model.noises), io["img_w"], atol=1e-4)
    assert torch.allclose(synthesis(io["w_plus"], model.noises), io["img_w_plus"], atol=1e-4)
    assert torch.allclose(synthesis(io["w"], io["noises"]), io["img_w_noises"], atol=1e-4)
    truncated = model.generator(io["z"], truncation=0.7, noises=model.noises)
    assert torch.allclose(truncated, io["img_z_trunc07"], atol=1e-4)


def test_a_file_that_is_no_checkpoint_is_refused_in_a_sentence(tmp_path: Path) -> None:
    text = tmp_path / "notes.pt"
    text.write_text("not a checkpoint")
    with pytest.raises(UserError, match="not a checkpoint that can be loaded safely"):
        load_published_stylegan2(text)
    other = tmp_path / "other.pt"
    torch.save({"weights": torch.zeros(3)}, other)
    with pytest.raises(UserError, match=r"tensors of a StyleGAN2 generator .*; it has: weights"):
        load_published_stylegan2(other)
    broken = tmp_path / "broken.pt"
    torch.save({"g_ema": {"style.1.weight": torch.zeros(4, 4)}}, broken)
    with pytest.raises(UserError, match="tensors of a StyleGAN2"):
        load_published_stylegan2(broken)
    with pytest.raises(UserError, match="no file"):
        load_published_stylegan2(tmp_path / "absent.pt")


@torch.no_grad()
def test_modulated_conv_equals_per_sample_weights() -> None:
    """The activation-scaling form against the paper's definition: modulated, demodulated weights per sample."""
    torch.manual_seed(0)
    conv = ModulatedConv(5, 7, 3, 4)
    x, w = torch.randn(3, 5, 6, 6), torch.randn(3, 4)
    got = conv(x, w)
    style = conv.modulation(w)
    for i in range(3):
        weight = conv.weight * conv.scale * style[i][None, :, None, None]
        weight = weight * torch.rsqrt(weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
        expected = torch.nn.functional.conv2d(x[i : i + 1], weight, padding=1)
        assert torch.allclose(got[i : i + 1], expected, atol=1e-5)


@pytest.mark.parametrize(("channels", "out"), [((8, 8), 16), ((8, 8, 4), 3), ((8, 4, 4, 4, 4), 3)])
def test_resolution_and_channels_are_parameters(channels: tuple[int, ...], out: int) -> None:
    network = SynthesisNetwork(6, channels, out)
    picture = network(torch.randn(2, 6))
    assert picture.shape == (2, out, network.resolution, network.resolution)
    w_plus = torch.randn(2, network.n_styles, 6)
    assert not torch.allclose(network(w_plus), network(w_plus.flip(1)))


@torch.no_grad()
def test_truncation_ends_at_the_mean() -> None:
    torch.manual_seed(0)
    model = StyleGAN2(8, 2, (8, 8), 3)
    model.w_mean.copy_(torch.randn(8))
    z = torch.randn(3, 8)
    assert torch.allclose(model(z, truncation=0.0), model.synthesis(model.w_mean[None]).expand(3, -1, -1, -1), atol=1e-6)
    assert torch.allclose(model(z, truncation=1.0), model.synthesis(model.mapping(z)), atol=1e-4)


@pytest.mark.parametrize("pad", [(1, 1), (2, 1)])
def test_the_low_pass_filter_is_the_same_by_shifted_sums_and_by_convolution(pad: tuple[int, int]) -> None:
    x = torch.randn(2, 5, 9, 7, generator=torch.Generator().manual_seed(0))
    shifted, convolved = LowPass(pad, 4.0)(x), LowPass(pad, 4.0, binomial_kernel())(x)
    assert torch.allclose(shifted, convolved, atol=1e-6 * float(x.abs().max()))


def test_any_other_low_pass_filter_is_a_convolution() -> None:
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    kernel = torch.rand(3, 3, generator=torch.Generator().manual_seed(1))
    each = torch.nn.functional.conv2d(x.reshape(6, 1, 8, 8), 2 * kernel[None, None], padding=1).reshape(2, 3, 8, 8)
    assert torch.allclose(LowPass((1, 1), 2.0, kernel)(x), each, atol=1e-5)
