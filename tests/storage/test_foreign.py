"""Foreign checkpoints: what is read out of them, and the sentence for each way in which they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from landscape_core.errors import UserError
from landscape_core.storage.foreign import fitted, read_checkpoint, unwrap


def linear(state: dict) -> nn.Linear:
    model = nn.Linear(2, 1)
    model.load_state_dict(state)
    return model


STATE = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}


@pytest.mark.parametrize("wrapped", [STATE, {"model": STATE, "epoch": 3}, {"other": 1, "state_dict": STATE}])
def test_tensors_are_found_bare_wrapped_and_prefixed(wrapped: dict, tmp_path: Path) -> None:
    torch.save(wrapped, tmp_path / "c.pt")
    tensors = unwrap(read_checkpoint(tmp_path / "c.pt"), "state_dict", "model")
    assert set(tensors) == {"weight", "bias"}
    parallel = unwrap({"state_dict": {f"module.{key}": value for key, value in tensors.items()} | {"step": 4}}, "state_dict")
    model = fitted("c.pt", "a line", lambda: linear(parallel))
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
    with pytest.raises(UserError, match="loaded safely"):
        read_checkpoint(tmp_path / "code.pt")
    torch.save(torch.ones(2), tmp_path / "tensor.pt")
    with pytest.raises(UserError, match="holds a Tensor"):
        read_checkpoint(tmp_path / "tensor.pt")
    with pytest.raises(UserError, match="no file"):
        read_checkpoint(tmp_path / "absent.pt")
