"""Checkpoints of a training: they come back, and odd ones are a sentence instead of a training that goes on from nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.storage.tensors import read_tensors, write_tensors
from landscape_core.training.checkpoint import Checkpoint


def line(path: Path) -> Checkpoint:
    """Of a line after one step of Adam."""
    model, generator = nn.Linear(2, 1), torch.Generator().manual_seed(3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return Checkpoint(path, modules={"line": model}, optimizers={"adam": optimizer}, generators={"data": generator})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    line(tmp_path / "c.safetensors").save({"seen": 4})
    return tmp_path / "c.safetensors"


def test_a_checkpoint_comes_back(saved: Path) -> None:
    checkpoint = line(saved)
    assert checkpoint.load() == {"seen": 4}
    assert torch.equal(checkpoint.modules["line"].state_dict()["weight"], read_tensors(saved)[0]["module/line/weight"])
    assert line(saved.with_name("absent")).load() is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"module/line/weight": torch.full((1, 2), float("nan"))}, "not finite"),
        ({"optimizer/adam/0/exp_avg": torch.full((1, 2), float("inf"))}, "not finite"),
        ({"module/line/weight": torch.ones(1, 2, dtype=torch.complex64)}, "complex"),
        ({"module/line/weight": torch.ones(3, 2)}, "another architecture"),
        ({"module/line/more": torch.ones(1)}, "another architecture"),
        ({"module/line/bias": None}, "another architecture"),
        ({"generator/data": None}, "another architecture"),
        ({"generator/data": torch.ones(3)}, "another architecture"),
        ({"optimizer/adam/zero/exp_avg": torch.ones(1)}, "another architecture"),
        ({"optimizer/adam/0": torch.ones(1)}, "another architecture"),
    ],
)
def test_odd_tensors_are_a_sentence(saved: Path, change: dict[str, Tensor | None], sentence: str) -> None:
    tensors = {key: value for key, value in (read_tensors(saved)[0] | change).items() if value is not None}
    write_tensors(saved, tensors, {"seen": 4})
    with pytest.raises(UserError, match=sentence):
        line(saved).load()


def test_odd_files_are_a_sentence(saved: Path) -> None:
    tensors = read_tensors(saved)[0]
    for meta in ({"landscape": "{}"}, {"landscape": "[]"}, {"landscape": "{"}, {"other": "{}"}, None):
        save_file(tensors, saved, metadata=meta)
        with pytest.raises(UserError, match=r"does not say how far|not a checkpoint of this project"):
            line(saved).load()
    for content in (b"", b"hello", b"\xff" * 100):
        saved.write_bytes(content)
        with pytest.raises(UserError, match="not a checkpoint of this project"):
            line(saved).load()
