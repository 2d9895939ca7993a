"""Published robust classifiers: the tensors land where an independent forward pass puts them, and mistakes are sentences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.features.robustbench import load_robustbench
from tests.tiny.defended import pictures

State = dict[str, Tensor]


def norm_tensors(name: str, n: int) -> State:
    random = torch.Generator().manual_seed(n)
    return {
        f"{name}.weight": 1 + 0.1 * torch.randn(n, generator=random), f"{name}.bias": 0.1 * torch.randn(n, generator=random),
        f"{name}.running_mean": 0.1 * torch.randn(n, generator=random), f"{name}.running_var": torch.ones(n) * 1.3,
        f"{name}.num_batches_tracked": torch.tensor(7),
    }  # fmt: skip


def conv(n_out: int, n_in: int, kernel: int) -> Tensor:
    random = torch.Generator().manual_seed(n_out + n_in + kernel)
    return torch.randn(n_out, n_in, kernel, kernel, generator=random) / (n_in * kernel * kernel) ** 0.5


def linear(n_out: int, n_in: int) -> Tensor:
    return torch.randn(n_out, n_in, generator=torch.Generator().manual_seed(1))


def preact_state(*, final_norm: bool, width: int = 8) -> State:
    """A PreAct ResNet with [2, 2, 2, 2] blocks, as thin as `width`."""
    state, n_in = {"conv1.weight": conv(width, 3, 3)}, width
    for group in range(4):
        n_out = width * 2**group
        for i in range(2):
            block = f"layer{group + 1}.{i}"
            state |= norm_tensors(f"{block}.bn1", n_in) | norm_tensors(f"{block}.bn2", n_out)
            state |= {f"{block}.conv1.weight": conv(n_out, n_in, 3), f"{block}.conv2.weight": conv(n_out, n_out, 3)}
            if n_in != n_out:
                state[f"{block}.shortcut.0.weight"] = conv(n_out, n_in, 1)
            n_in = n_out
    state |= norm_tensors("bn", n_in) if final_norm else {}
    return state | {"linear.weight": linear(10, n_in), "linear.bias": torch.arange(10.0)}


def wide_state(*, blocks: int = 2, widen: int = 2) -> State:
    """A WideResNet of depth 6 · blocks + 4."""
    state, n_in = {"conv1.weight": conv(16, 3, 3)}, 16
    for group in range(3):
        n_out = 16 * widen * 2**group
        for i in range(blocks):
            block = f"block{group + 1}.layer.{i}"
            state |= norm_tensors(f"{block}.bn1", n_in) | norm_tensors(f"{block}.bn2", n_out)
            state |= {f"{block}.conv1.weight": conv(n_out, n_in, 3), f"{block}.conv2.weight": conv(n_out, n_out, 3)}
            if n_in != n_out:
                state[f"{block}.convShortcut.weight"] = conv(n_out, n_in, 1)
            n_in = n_out
    return state | norm_tensors("bn1", n_in) | {"fc.weight": linear(10, n_in), "fc.bias": torch.arange(10.0)}


def normed(state: State, name: str, x: Tensor) -> Tensor:
    parts = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, *parts)


def block_pass(state: State, name: str, x: Tensor, stride: int, shortcut: str, *, activated: bool) -> Tensor:
    active = F.relu(normed(state, f"{name}.bn1", x))
    out = F.conv2d(active, state[f"{name}.conv1.weight"], stride=stride, padding=1)
    out = F.conv2d(F.relu(normed(state, f"{name}.bn2", out)), state[f"{name}.conv2.weight"], padding=1)
    key = f"{name}.{shortcut}"
    return out + (F.conv2d(active if activated else x, state[key], stride=stride) if key in state else x)


def preact_pass(state: State, x: Tensor, *, final_norm: bool) -> Tensor:
    x = F.conv2d(x, state["conv1.weight"], padding=1)
    for group in range(4):
        for i in range(2):
            stride = 2 if group and i == 0 else 1
            x = block_pass(state, f"layer{group + 1}.{i}", x, stride, "shortcut.0.weight", activated=final_norm)
    x = F.relu(normed(state, "bn", x)) if final_norm else x
    return F.linear(F.avg_pool2d(x, 4).flatten(1), state["linear.weight"], state["linear.bias"])


def wide_pass(state: State, x: Tensor, blocks: int = 2) -> Tensor:
    x = F.conv2d(x, state["conv1.weight"], padding=1)
    for group in range(3):
        for i in range(blocks):
            stride = 2 if group and i == 0 else 1
            x = block_pass(state, f"block{group + 1}.layer.{i}", x, stride, "convShortcut.weight", activated=True)
    return F.linear(F.avg_pool2d(F.relu(normed(state, "bn1", x)), 8).flatten(1), state["fc.weight"], state["fc.bias"])


def saved(tmp_path: Path, content: object) -> Path:
    torch.save(content, tmp_path / "published.pt")
    return tmp_path / "published.pt"


def unit(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], what published networks take."""
    return (x + 1) / 2


@pytest.mark.parametrize("final_norm", [True, False])
def test_a_preact_resnet_answers_as_its_definition(tmp_path: Path, final_norm: bool) -> None:
    state, x = preact_state(final_norm=final_norm), pictures(2)
    model = load_robustbench(saved(tmp_path, state))
    assert torch.allclose(model(x), preact_pass(state, unit(x), final_norm=final_norm), rtol=1e-3, atol=1e-3)
    assert [each.shape[1] for each in model.features(x)] == [8, 8, 16, 32, 64]


def test_a_wide_resnet_answers_as_its_definition(tmp_path: Path) -> None:
    state, x = wide_state(), pictures(2)
    model = load_robustbench(saved(tmp_path, state))
    assert torch.allclose(model(x), wide_pass(state, unit(x)), rtol=1e-3, atol=1e-3)
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_wrappers_prefixes_normalisation_and_unused_blocks(tmp_path: Path) -> None:
    state, x = wide_state(), pictures(2)
    mean, std = torch.tensor([0.49, 0.48, 0.44]), torch.tensor([0.25, 0.24, 0.26])
    extra = {"mu": mean.reshape(1, 3, 1, 1), "sigma": std.reshape(1, 3, 1, 1), "sub_block1.layer.0.conv1.weight": conv(4, 4, 3)}
    wrapped = {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in (state | extra).items()}}
    model = load_robustbench(saved(tmp_path, wrapped))
    normalised = (unit(x) - mean[:, None, None]) / std[:, None, None]
    assert torch.allclose(model(x), wide_pass(state, normalised), rtol=1e-3, atol=1e-3)


def test_missing_and_unknown_names_are_told(tmp_path: Path) -> None:
    state = wide_state()
    del state["block2.layer.1.bn2.weight"]
    state["block4.extra"] = torch.zeros(1)
    with pytest.raises(UserError, match=r"WideResNet: missing block2\.layer\.1\.bn2\.weight; unknown block4\.extra\."):
        load_robustbench(saved(tmp_path, state))


def test_other_shapes_other_networks_and_other_files_are_sentences(tmp_path: Path) -> None:
    state = preact_state(final_norm=True)
    state["layer2.0.conv1.weight"] = torch.zeros(1, 1, 3, 3)
    with pytest.raises(UserError, match="other shapes"):
        load_robustbench(saved(tmp_path, state))
    with pytest.raises(UserError, match=r"neither a PreAct ResNet .* it has: features\.0\.weight"):
        load_robustbench(saved(tmp_path, {"features.0.weight": torch.zeros(1)}))
    with pytest.raises(UserError, match="no state dict"):
        load_robustbench(saved(tmp_path, {"epoch": 3}))
    with pytest.raises(UserError, match="There is no file"):
        load_robustbench(tmp_path / "absent.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(UserError, match="loaded safely"):
        load_robustbench(tmp_path / "text.pt")


def test_a_mean_that_is_assumed_is_said_and_can_be_told(tmp_path: Path) -> None:
    state, x = wide_state(), pictures(2)
    neutral = load_robustbench(saved(tmp_path, state))
    assert ["mean" in notice or "deviation" in notice for notice in neutral.notices] == [True, True]
    mean, std = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
    told = load_robustbench(saved(tmp_path, state), mean=mean, std=std)
    assert told.notices == ()
    normed_pictures = (unit(x) - torch.tensor(mean).reshape(3, 1, 1)) / torch.tensor(std).reshape(3, 1, 1)
    assert torch.allclose(told(x), wide_pass(state, normed_pictures), rtol=1e-3, atol=1e-3)
    carried = load_robustbench(saved(tmp_path, state | {"mu": torch.tensor(mean), "sigma": torch.tensor(std)}))
    assert carried.notices == ()
    assert torch.allclose(carried(x), told(x))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mu": torch.tensor([125.3, 123.0, 113.9])}, "is 125.3, 123, 113.9; .* Divide by 255"),
        ({"mu": torch.full((5,), 0.5)}, "has 5 values; 3 are needed"),
        ({"mu": torch.tensor(0.5)}, "has 1 values; 3 are needed"),
        ({"mu": torch.full((3,), -0.1)}, "lies from 0 to 1"),
        ({"sigma": torch.tensor([0.2, 0.0, 0.2])}, "lies from 0.001 to 1"),
        ({"linear.bias": torch.full((10,), float("nan"))}, "not finite"),
        ({"linear.weight": linear(10, 64).to(torch.complex64)}, "complex"),
        ({"linear.bias": torch.tensor(1.0)}, "other shapes: linear.bias"),
        ({"linear.weight": torch.tensor(1.0)}, "does not have the tensors"),
        ({"conv1.weight": torch.ones(1).expand(20_000, 3, 3, 3)}, "other shapes"),
    ],
)
def test_weights_that_no_picture_can_go_through_are_refused(tmp_path: Path, change: State, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_robustbench(saved(tmp_path, preact_state(final_norm=True) | change))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"last": {key: value * 0 for key, value in state.items()}, "best": state},
        lambda state: {f"_orig_mod.{key}": value for key, value in state.items()},
        lambda state: {"0.mean": torch.zeros(3), "0.std": torch.ones(3), **{f"1.{k}": v for k, v in state.items()}},
        lambda state: {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")},
        lambda state: {"state_dict": {f"module.model.{key}": value for key, value in state.items()}, "epoch": 3},
    ],
)
def test_checkpoints_as_trainers_write_them_answer_alike(tmp_path: Path, wrap: Callable[[State], dict[str, object]]) -> None:
    state, x = preact_state(final_norm=False), pictures(2)
    model = load_robustbench(saved(tmp_path, wrap(state)))
    assert torch.allclose(model(x), preact_pass(state, unit(x), final_norm=False), rtol=1e-3, atol=1e-3)
