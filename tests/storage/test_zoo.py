"""Embedded models: cards match files, and an altered file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.storage import zoo

CARD = zoo.Card(
    name="toys/line", kind="test", architecture={}, trained_on="nothing", licence="CC0", command="-", budget={}, metrics={},
    sha256="", seed=0,
)  # fmt: skip


def test_saved_models_come_back_rounded_to_half_precision(tmp_path: Path) -> None:
    value = torch.randn(5)
    saved = zoo.save(CARD, {"w": value, "n": torch.tensor(3)}, tmp_path)
    card, tensors = zoo.load("toys/line", tmp_path)
    assert card == saved
    assert torch.equal(tensors["w"], value.half().float())
    assert tensors["n"].dtype == torch.int64
    assert zoo.names(tmp_path) == ["toys/line"]


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    zoo.save(CARD, {"w": torch.zeros(5)}, tmp_path)
    path = tmp_path / "toys/line" / zoo.WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(UserError, match="altered"):
        zoo.load("toys/line", tmp_path)
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match="git lfs pull"):
        zoo.load("toys/line", tmp_path)
    path.unlink()
    with pytest.raises(UserError, match="missing"):
        zoo.load("toys/line", tmp_path)


def test_a_name_that_does_not_exist_lists_those_that_do(tmp_path: Path) -> None:
    zoo.save(CARD, {"w": torch.zeros(1)}, tmp_path)
    with pytest.raises(UserError, match="there are: toys/line"):
        zoo.load("toys/lime", tmp_path)


@pytest.mark.parametrize("name", zoo.names())
def test_every_embedded_model_matches_its_card(name: str) -> None:
    card, tensors = zoo.load(name)
    assert card.name == name
    assert tensors
    assert all(torch.isfinite(value).all() for value in tensors.values() if value.is_floating_point())
    assert card.licence
    assert card.command.startswith("python -m landscape_core")


def test_assets_stay_small() -> None:
    sizes = [path.stat().st_size for path in zoo.ASSETS.rglob("*") if path.is_file()]
    assert sum(sizes) < 60e6
    assert max(sizes) < 25e6
