"""Embedded models: cards match files, and an altered file is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

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


def test_figures_are_added_to_a_card_and_its_weights_stay(tmp_path: Path) -> None:
    before = zoo.save(CARD.model_copy(update={"metrics": {"psnr": 20.0, "advised": 1}}), {"w": torch.zeros(5)}, tmp_path)
    zoo.add_metrics("toys/line", {"advised": 2, "comparison": {"X": 0.1}}, tmp_path)
    card, _ = zoo.load("toys/line", tmp_path)
    assert card == before.model_copy(update={"metrics": {"psnr": 20.0, "advised": 2, "comparison": {"X": 0.1}}})


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    path = zoo.weights_path(zoo.save(CARD, {"w": torch.zeros(5)}, tmp_path), tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(UserError, match="altered"):
        zoo.load("toys/line", tmp_path)
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match="git lfs pull"):
        zoo.load("toys/line", tmp_path)
    path.unlink()
    with pytest.raises(UserError, match="missing"):
        zoo.load("toys/line", tmp_path)


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({"w": torch.tensor([1.0, float("nan")])}, "not finite numbers"),
        ({"w": torch.tensor([1e9])}, "not finite numbers"),  # beyond half precision
        ({"w": torch.tensor([1j])}, "complex numbers"),
    ],
)
def test_what_no_network_computes_with_is_not_published(tensors: dict, sentence: str, tmp_path: Path) -> None:
    zoo.save(CARD, {"w": torch.zeros(5)}, tmp_path)
    with pytest.raises(UserError, match=f"toys/line is not published: it holds .*{sentence}"):
        zoo.save(CARD, tensors, tmp_path)
    assert torch.equal(zoo.load("toys/line", tmp_path)[1]["w"], torch.zeros(5))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read"),
        (b"\xff" * 8, "cannot be read"),
        (b"\x02\0\0\0\0\0\0\0[]", "cannot be read"),
        (save({"w": torch.tensor([float("inf")])}), "not finite"),
        (save({"w": torch.tensor([1j])}), "complex"),
    ],
)
def test_a_malformed_file_that_matches_its_hash_is_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    zoo.save(CARD, {"w": torch.zeros(5)}, tmp_path)
    (tmp_path / "toys/line" / zoo.WEIGHTS).write_bytes(content)
    zoo.update_card("toys/line", tmp_path, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(UserError, match=sentence):
        zoo.load("toys/line", tmp_path)


@pytest.mark.parametrize("card", ["", "{", "[]", '{"name": "toys/line"}', "\xff"])
def test_a_card_that_is_none_is_a_sentence(card: str, tmp_path: Path) -> None:
    zoo.save(CARD, {"w": torch.zeros(5)}, tmp_path)
    (tmp_path / "toys/line" / zoo.CARD).write_bytes(card.encode("latin-1"))
    with pytest.raises(UserError, match="not a valid model card"):
        zoo.read_card("toys/line", tmp_path)


@pytest.mark.parametrize("name", ["", "../../evil", "/etc/evil", "a//b", "a/", "a\nb", "a b", ".", "a" * 300, "faces/../b"])
def test_names_that_are_no_folders_below_assets_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot name a model"):
        zoo.save(CARD.model_copy(update={"name": name}), {"w": torch.zeros(1)}, tmp_path / "assets")
    with pytest.raises(UserError, match="There is no model"):
        zoo.read_card(name, tmp_path / "assets")
    assert list(tmp_path.iterdir()) == []
    assert zoo.check_name("faces+/theta-z_8") == "faces+/theta-z_8"


def test_tensors_of_another_architecture_are_a_sentence() -> None:
    with (
        pytest.raises(UserError, match=r"weights of toys/line are not those of the architecture on its card: 'w'"),
        zoo.fitting(CARD),
    ):
        {}["w"]


def test_published_files_are_readable_as_new_files_are(tmp_path: Path) -> None:
    zoo.save(CARD, {"w": torch.zeros(5)}, tmp_path)
    (tmp_path / "other").touch()
    for published in (tmp_path / "toys/line").iterdir():
        assert published.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_disk_that_fills_between_weights_and_card_leaves_the_earlier_model_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither file may fail after the other took its place."""
    zoo.save(CARD, {"w": torch.zeros(5)}, tmp_path)
    for failing in ("write_text", "write_bytes"):

        def full(path: Path, content: object) -> None:
            raise UserError(f"{path} cannot be written: no space left on device.")

        with monkeypatch.context() as patch:
            patch.setattr(zoo, failing, full)
            with pytest.raises(UserError, match="no space left"):
                zoo.save(CARD, {"w": torch.ones(5)}, tmp_path)
        assert torch.equal(zoo.load("toys/line", tmp_path)[1]["w"], torch.zeros(5))
    zoo.save(CARD, {"w": torch.ones(5)}, tmp_path)
    assert torch.equal(zoo.load("toys/line", tmp_path)[1]["w"], torch.ones(5))
    assert len(list((tmp_path / "toys/line").iterdir())) == 2  # nothing of the earlier ones is left


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
    assert card.command.startswith("python -m landscape_core") or name == "lpips"  # whose weights are published ones


def test_assets_stay_small() -> None:
    sizes = [path.stat().st_size for path in zoo.ASSETS.rglob("*") if path.is_file()]
    assert sum(sizes) < 70e6
    assert max(sizes) < 25e6
