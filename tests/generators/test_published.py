"""StyleGAN2 files of others, made here: what they lack is said or refused, and what is accepted draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.networks.published import load_published_stylegan2
from landscape_core.generators.networks.stylegan import StyleGAN2, binomial_kernel

DIM = 6
State = dict[str, Tensor]


def published(out_channels: int = 3, levels: int = 2) -> tuple[StyleGAN2, State]:
    """A tiny generator of 8x8 pixels, or of more levels, and its tensors under the published names."""
    random = torch.Generator().manual_seed(1)
    model, state = StyleGAN2(DIM, 2, (4,) * levels, out_channels), {}
    for parameter in model.parameters():
        parameter.data.copy_(torch.randn(parameter.shape, generator=random))
    for key, value in model.state_dict().items():
        if key == "w_mean":
            continue
        area, _, rest = key.removeprefix("synthesis.").partition(".")
        if area == "mapping":
            _, layer, tensor = rest.split(".")
            name = f"style.{int(layer) + 1}.{tensor}"
        elif area == "const":
            name = "input.input"
        else:
            index, _, tensor = rest.partition(".")
            name = f"{area[:-1]}1.{tensor}" if index == "0" else f"{area}.{int(index) - 1}.{tensor}"
        name = name.replace("noise_strength", "noise.weight")
        if area == "convs" and name.endswith(".bias") and "modulation" not in name:
            name = name.replace(".bias", ".activate.bias")
        if name.endswith("conv.weight"):
            value = value[None]
        state[name] = value.reshape(1, -1, 1, 1) if area == "to_rgbs" and name.endswith("1.bias") else value
    for level in range(levels - 1):
        state[f"to_rgbs.{level}.bias"] = state[f"to_rgbs.{level}.bias"].reshape(1, -1, 1, 1)
        state[f"convs.{2 * level}.conv.blur.kernel"] = state[f"to_rgbs.{level}.upsample.kernel"] = binomial_kernel(4.0)
    noises = {
        f"noises.noise_{i}": torch.randn(shape, generator=random) for i, shape in enumerate(model.synthesis.noise_shapes())
    }
    return model, state | noises


def saved(tmp_path: Path, content: object) -> Path:
    torch.save(content, tmp_path / "g.pt")
    return tmp_path / "g.pt"


W = torch.randn(2, DIM, generator=torch.Generator().manual_seed(0))
MEAN = torch.arange(float(DIM))


@pytest.mark.parametrize("out_channels", [1, 3])
@pytest.mark.parametrize("wrap", [lambda state: {"g_ema": state, "latent_avg": MEAN}, lambda state: state])
@torch.no_grad()
def test_a_file_draws_what_its_maker_drew(tmp_path: Path, out_channels: int, wrap: Callable[[State], dict]) -> None:
    model, state = published(out_channels)
    loaded = load_published_stylegan2(saved(tmp_path, wrap(state)))
    noises = [state[f"noises.noise_{i}"] for i in range(3)]
    torch.testing.assert_close(loaded.generator.synthesis(W, loaded.noises), model.synthesis(W, noises))
    assert loaded.generator.synthesis(W).shape == (2, out_channels, 8, 8)


@torch.no_grad()
def test_the_mean_of_w_is_read_made_or_averaged_and_said(tmp_path: Path) -> None:
    model, state = published()
    for average in (MEAN, MEAN[None], MEAN.expand(4, DIM)):
        loaded = load_published_stylegan2(saved(tmp_path, {"g_ema": state, "latent_avg": average}))
        assert torch.equal(loaded.generator.get_buffer("w_mean"), MEAN)
        assert loaded.notices == ()
    rows = torch.stack([MEAN, MEAN + 2])
    loaded = load_published_stylegan2(saved(tmp_path, {"g_ema": state, "latent_avg": rows}))
    assert torch.equal(loaded.generator.get_buffer("w_mean"), MEAN + 1)
    assert "each of 2 styles" in loaded.notices[0]
    for content in ({"g_ema": state, "latent_avg": None}, {"g_ema": state}):
        loaded = load_published_stylegan2(saved(tmp_path, content))
        wanted = model.mapping(torch.randn(40_000, DIM, generator=torch.Generator().manual_seed(5))).mean(dim=0)
        torch.testing.assert_close(loaded.generator.get_buffer("w_mean"), wanted, atol=0.03, rtol=0)
        assert "no mean of W" in loaded.notices[0]


def test_a_file_without_noise_maps_has_none(tmp_path: Path) -> None:
    state = {key: value for key, value in published()[1].items() if not key.startswith("noises")}
    assert load_published_stylegan2(saved(tmp_path, {"g_ema": state})).noises == []


def without(key: str) -> Callable[[State], dict]:
    return lambda state: {"g_ema": {name: value for name, value in state.items() if name != key}}


def changed(key: str, value: Tensor) -> Callable[[State], dict]:
    return lambda state: {"g_ema": state | {key: value}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("noises.noise_1"), "not those of convolution 1"),
        (changed("noises.noise_2", torch.zeros(1, 1, 4, 4)), "not those of convolution 2"),
        (changed("convs.0.conv.blur.kernel", torch.ones(4, 4) / 4), "another kernel"),
        (changed("to_rgbs.0.upsample.kernel", torch.ones(2, 2)), "another kernel"),
        (lambda state: {"g_ema": state, "latent_avg": torch.zeros(DIM + 1)}, "must be a w of 6 numbers"),
        (lambda state: {"g_ema": state, "latent_avg": "mean"}, "it is str"),
        (lambda state: {"g_ema": state, "latent_avg": torch.full((DIM,), float("nan"))}, "not finite"),
        (without("convs.1.conv.weight"), "does not have the tensors of a StyleGAN2"),
        (changed("style.1.weight", torch.tensor(1.0)), "does not have the tensors of a StyleGAN2"),
        (changed("to_rgb1.conv.weight", torch.tensor(1.0)), "does not have the tensors of a StyleGAN2"),
        (changed("style.1.bias", torch.zeros(1)), "other shapes"),
    ],
)
def test_what_would_draw_something_else_is_refused(tmp_path: Path, change: Callable[[State], dict], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_published_stylegan2(saved(tmp_path, change(published()[1])))
