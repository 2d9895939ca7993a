"""A StyleGAN1 in the layout of its common PyTorch port draws what the layout's equations say; what does not fit is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.domains import load_task
from landscape_core.errors import UserError
from landscape_core.generators.adopting import adopt_stylegan
from landscape_core.storage import zoo

DIM, CHANNELS, FUSED, GROWN = 6, (5, 4, 3, 2, 2), (2, 4), 4  # of five levels the last was never trained
BLUR = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16
State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def published() -> State:
    """Random tensors of the layout, the picture of the last level as it began."""
    random = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    state: State = {}
    for layer in (1, 3):
        state |= {f"style.{layer}.linear.weight_orig": drawn(DIM, DIM), f"style.{layer}.linear.bias": drawn(DIM)}
    for i, n in enumerate(CHANNELS):
        at, before = f"generator.progression.{i}", CHANNELS[max(i - 1, 0)]
        blur = {".weight": BLUR.expand(n, 1, 3, 3).clone(), ".weight_flip": BLUR.expand(n, 1, 3, 3).clone()}
        if i == 0:
            state[f"{at}.conv1.input"] = drawn(1, n, 4, 4)
        elif i in FUSED:
            state |= {f"{at}.conv1.0.weight": drawn(before, n, 3, 3), f"{at}.conv1.0.bias": drawn(n)}
            state |= {f"{at}.conv1.1{part}": kernel for part, kernel in blur.items()}
        else:
            state |= {f"{at}.conv1.1.conv.weight_orig": drawn(n, before, 3, 3), f"{at}.conv1.1.conv.bias": drawn(n)}
            state |= {f"{at}.conv1.2{part}": kernel for part, kernel in blur.items()}
        state |= {f"{at}.conv2.conv.weight_orig": drawn(n, n, 3, 3), f"{at}.conv2.conv.bias": drawn(n)}
        for k in (1, 2):
            state |= {f"{at}.adain{k}.style.linear.weight_orig": drawn(2 * n, DIM)}
            state |= {f"{at}.adain{k}.style.linear.bias": drawn(2 * n), f"{at}.noise{k}.weight_orig": drawn(1, n, 1, 1)}
        state[f"generator.to_rgb.{i}.conv.weight_orig"] = drawn(3, n, 1, 1)
        state[f"generator.to_rgb.{i}.conv.bias"] = drawn(3) if i < GROWN else torch.zeros(3)
    return state


def saved(folder: Path, content: object) -> Path:
    torch.save(content, folder / "first.model")
    return folder / "first.model"


def reference(state: State, w: Tensor, levels: int = GROWN) -> Tensor:
    """The layout's equations, one after the other, without noise."""

    def conv(x: Tensor, name: str, padding: int) -> Tensor:
        weight = state[f"{name}.weight_orig"]
        return F.conv2d(x, weight * math.sqrt(2 / weight[0].numel()), state[f"{name}.bias"], padding=padding)

    def styled(x: Tensor, name: str) -> Tensor:
        x = torch.where(x > 0, x, 0.2 * x)
        style = w @ (state[f"{name}.weight_orig"] * math.sqrt(2 / DIM)).T + state[f"{name}.bias"]
        scale, shift = style[:, : x.shape[1], None, None], style[:, x.shape[1] :, None, None]
        centred = x - x.mean(dim=(2, 3), keepdim=True)
        return scale * centred / (centred.square().mean(dim=(2, 3), keepdim=True) + 1e-5).sqrt() + shift

    x = state["generator.progression.0.conv1.input"].expand(len(w), -1, -1, -1)
    for i in range(levels):
        at = f"generator.progression.{i}"
        if i in FUSED:
            weight = state[f"{at}.conv1.0.weight"]
            weight = F.pad(weight * math.sqrt(2 / (weight.shape[0] * 9)), (1, 1, 1, 1))
            mean = sum(weight[:, :, a : a + 4, b : b + 4] for a in (0, 1) for b in (0, 1)) / 4
            assert isinstance(mean, Tensor)
            x = F.conv_transpose2d(x, mean, state[f"{at}.conv1.0.bias"], stride=2, padding=1)
        elif i:
            x = conv(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3), f"{at}.conv1.1.conv", 1)
        if i:
            x = F.conv2d(x, BLUR.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
        x = styled(x, f"{at}.adain1.style.linear")
        x = styled(conv(x, f"{at}.conv2.conv", 1), f"{at}.adain2.style.linear")
    return conv(x, f"generator.to_rgb.{levels - 1}.conv", 0)


@pytest.mark.parametrize("wrapped", [True, False])
def test_it_draws_what_the_equations_of_its_layout_say(tmp_path: Path, wrapped: bool) -> None:
    state = published()
    file = saved(tmp_path, {"g_running": state, "generator": {}} if wrapped else state)
    result = CliRunner().invoke(cli.app, ["adopt", str(file), "--name", "first"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "It was grown to 32 pixels" in result.output
    assert "no noise maps" in zoo.read_card("first/generator", zoo.OWN).notes
    task = load_task("first")
    w = torch.randn(3, DIM, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        drawn = task.forward(w)
        torch.testing.assert_close(drawn, reference(state, w), atol=1e-4, rtol=1e-4)
        plus = load_task("first+")
        torch.testing.assert_close(plus.forward(w.repeat(1, 2 * GROWN)), drawn, atol=1e-4, rtol=1e-4)
    assert drawn.shape == (3, 3, 32, 32)
    assert task.side == 32


def test_the_prior_is_that_of_its_mapping_network(tmp_path: Path) -> None:
    state = published()
    for layer in (1, 3):  # w is then z by its length, through leaky ReLUs at slope 1 where nothing is negative
        state[f"style.{layer}.linear.weight_orig"] = torch.zeros(DIM, DIM)
        state[f"style.{layer}.linear.bias"] = torch.linspace(1.0, 2.0, DIM)
    adopt_stylegan(saved(tmp_path, state), "first", licence="", command="")
    prior = load_task("first").prior
    torch.testing.assert_close(prior.mean, torch.linspace(1.0, 2.0, DIM), atol=1e-4, rtol=0)
    assert prior.factor.abs().max() < 1e-2


def altered(**changes: Tensor | None) -> State:
    state = {**published(), **{key: value for key, value in changes.items() if value is not None}}
    return {key: value for key, value in state.items() if changes.get(key, value) is not None}


def test_what_does_not_fit_is_refused_in_a_sentence(tmp_path: Path) -> None:
    at = "generator.progression.1."
    old = {f"{at}conv1.conv.weight_orig": torch.zeros(4, 5, 3, 3)}
    no_picture = {f"generator.to_rgb.{i}.conv.bias": torch.zeros(3) for i in range(5)}
    for changes, sentence in [
        (old, "an earlier layout"),
        (no_picture, "no level that was trained"),
        ({f"{at}conv1.2.weight": torch.ones(4, 1, 3, 3)}, "filters with another kernel"),
        ({f"{at}conv2.conv.weight_orig": None}, "does not have the tensors of a StyleGAN1 generator"),
        ({f"{at}conv2.conv.weight_orig": torch.zeros(4, 4, 5, 5)}, "does not have the tensors of a StyleGAN1 generator"),
        ({f"{at}attention": torch.zeros(4)}, "does not have the tensors of a StyleGAN1 generator"),
    ]:
        with pytest.raises(UserError, match=sentence):
            adopt_stylegan(saved(tmp_path, altered(**changes)), "first", licence="", command="")
    assert zoo.names(zoo.OWN) == []
