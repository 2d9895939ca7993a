"""Foreign checkpoints: what is read out of them, and the sentence for each way in which they do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from landscape_core.errors import UserError
from landscape_core.storage.foreign import MAX_VALUES, exactly, fitted, read_checkpoint, state_dict


def linear(state: dict) -> nn.Linear:
    model = nn.Linear(2, 1)
    model.load_state_dict(state)
    return model


STATE = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}


@pytest.mark.parametrize("wrapped", [STATE, {"model": STATE, "epoch": 3}, {"other": 1, "state_dict": STATE}])
def test_tensors_are_found_bare_wrapped_and_prefixed(wrapped: dict, tmp_path: Path) -> None:
    torch.save(wrapped, tmp_path / "c.pt")
    found = state_dict(read_checkpoint(tmp_path / "c.pt"), "c.pt", "state_dict", "model")
    assert found.tensors.keys() == {"weight", "bias"}
    assert found.notices == ()
    model = fitted("c.pt", "a line", lambda: linear(found.tensors))
    assert model(torch.ones(1, 2)).item() == 2.0
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight": torch.ones(3, 2)}, "c.pt does not have the tensors of a line: .*size mismatch"),
        ({"extra": torch.ones(1)}, "does not have the tensors of a line: .*Unexpected key"),
        ({"bias": torch.tensor([float("nan")])}, "not finite"),
    ],
)
def test_tensors_that_do_not_fit_are_a_sentence(change: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=f"(?s){sentence}"):
        fitted("c.pt", "a line", lambda: linear(STATE | change))


class Payload:
    """Something that only plain pickle would load."""


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    torch.save({"model": Payload()}, tmp_path / "code.pt")
    with pytest.raises(UserError, match=r"holds more than tensors \(.*Payload\), and reading that could run") as refused:
        read_checkpoint(tmp_path / "code.pt")
    assert "weights_only" not in str(refused.value)
    torch.save(torch.ones(2), tmp_path / "tensor.pt")
    with pytest.raises(UserError, match="holds a Tensor"):
        read_checkpoint(tmp_path / "tensor.pt")
    with pytest.raises(UserError, match="no file"):
        read_checkpoint(tmp_path / "absent.pt")


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module.", "model.", "1.", "module.1.", "net."])
def test_the_prefixes_of_wrapped_modules_are_taken_off(prefix: str) -> None:
    wrapped = {f"{prefix}{key}": value for key, value in STATE.items()} | {"step": 4}
    assert state_dict({"state_dict": wrapped}, "c.pt", "state_dict").tensors.keys() == {"weight", "bias"}


def test_a_normalisation_before_the_network_keeps_its_tensors() -> None:
    sequential = {"0.mean": torch.zeros(3), "0.std": torch.ones(3)} | {f"1.{key}": value for key, value in STATE.items()}
    assert state_dict(sequential, "c.pt").tensors.keys() == {"mean", "std", "weight", "bias"}
    layers = {"0.weight": torch.ones(1), "1.weight": torch.ones(1)}
    with pytest.raises(UserError, match="two tensors of one name: weight"):
        state_dict(layers, "c.pt")


def test_of_several_states_the_best_is_taken_and_that_is_said() -> None:
    last = {key: value + 1 for key, value in STATE.items()}
    found = state_dict({"last": last, "best": {"state_dict": STATE}}, "c.pt", "state_dict")
    assert torch.equal(found.tensors["weight"], STATE["weight"])
    assert found.notices == ("The weights called 'best' are taken; the file also holds last.",)
    assert torch.equal(state_dict({"last": last}, "c.pt").tensors["weight"], last["weight"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"weight": torch.ones(1, 2), "bias": torch.tensor([1j])}, r"complex numbers \(bias\)"),
        ({"weight": torch.tensor([float("inf")])}, r"not finite numbers \(weight\)"),
        ({"a": 1}, "holds no state dict"),
        ({}, "holds no state dict"),
        ({"weight": torch.ones(1).expand(MAX_VALUES + 1)}, "more than 536,870,912 values"),
        ({0: torch.ones(1), "0": torch.ones(1)}, None),
    ],
)
def test_what_no_network_computes_with_is_refused(content: dict, sentence: str | None, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "c.pt")
    checkpoint = read_checkpoint(tmp_path / "c.pt")
    if sentence is None:
        assert list(state_dict(checkpoint, "c.pt").tensors) == ["0"]
        return
    with pytest.raises(UserError, match=sentence):
        state_dict(checkpoint, "c.pt")


def test_numbers_of_numpy_are_refused_in_our_words(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE, "accuracy": np.float64(0.9)}, tmp_path / "c.pt")
    with pytest.raises(UserError, match=r"holds more than tensors \(numpy.*scalar\).*save the tensors alone") as refused:
        read_checkpoint(tmp_path / "c.pt")
    assert "\x1b" not in str(refused.value)
    assert "weights_only" not in str(refused.value)


def test_names_and_shapes_must_be_exactly_the_modules() -> None:
    layer = nn.BatchNorm1d(2)
    state = dict(layer.state_dict())
    counted = exactly(layer, {key: value for key, value in state.items() if key != "num_batches_tracked"})
    layer.load_state_dict(counted)
    for key, value in (("weight", torch.ones(1)), ("weight", torch.tensor(1.0)), ("num_batches_tracked", torch.zeros(1))):
        with pytest.raises(ValueError, match=f"other shapes: {key}"):
            exactly(layer, state | {key: value})
    with pytest.raises(ValueError, match="missing bias; unknown extra"):
        exactly(layer, {key: value for key, value in state.items() if key != "bias"} | {"extra": torch.ones(1)})
