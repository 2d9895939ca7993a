"""A checkpoint belongs to one training, one process at a time trains in a folder, and no broken weights are kept."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.storage.tensors import read_tensors, write_tensors
from landscape_core.training.checkpoint import NAME, Checkpoint
from landscape_core.training.identity import described, difference
from landscape_core.training.lock import hold


@dataclass(frozen=True)
class Inner:
    eps: float = 0.5


@dataclass(frozen=True)
class Settings:
    lr: float = 0.1
    widths: tuple[int, ...] = (4, 8)
    threat: Inner = Inner()


FACTS = {"domain": "faces", "data": torch.arange(5), "settings": Settings()}


def checkpoint(folder: Path, facts: dict[str, Any] = FACTS, network: nn.Module | None = None) -> Checkpoint:
    network = nn.Linear(3, 2) if network is None else network
    return Checkpoint(folder, identity=facts, modules={"net": network}, optimizers={}, generators={})


def test_the_same_training_goes_on(tmp_path: Path) -> None:
    saved, again = nn.Linear(3, 2), nn.Linear(3, 2)
    checkpoint(tmp_path, network=saved).save({"seen": 7})
    assert checkpoint(tmp_path, {**FACTS, "data": torch.arange(5)}, again).load() == {"seen": 7}
    assert torch.equal(saved.weight, again.weight)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": torch.arange(6)}, "another training: other data. Name"),
        ({"domain": "cats"}, "domain faces instead of cats"),
        ({"settings": Settings(lr=0.2)}, "lr 0.1 instead of 0.2"),
        ({"settings": Settings(threat=Inner(8))}, "threat.eps 0.5 instead of 8"),
        ({"settings": Settings(widths=(4,))}, r"widths \[4, 8\] instead of \[4\]"),
        ({"domain": "cats", "data": nn.Linear(1, 1)}, "domain faces instead of cats, other data"),
        ({"start": "abc"}, "start unsaid instead of abc"),
    ],
)
def test_another_training_is_refused_and_told_what_differs(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    checkpoint(tmp_path).save({"seen": 7})
    with pytest.raises(UserError, match=sentence) as refused:
        checkpoint(tmp_path, {**FACTS, **changes}).load()
    assert str(refused.value).endswith(f"Name another folder with --work, or remove {tmp_path} to begin anew.")


def test_a_file_that_does_not_say_whose_it_is_is_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / NAME, {"module/net/weight": torch.zeros(2, 3)}, {"seen": 7})
    with pytest.raises(UserError, match="does not say which training it belongs to"):
        checkpoint(tmp_path).load()


def test_functions_are_told_apart_by_what_they_enclose() -> None:
    def sampler(images: torch.Tensor) -> Any:
        return lambda n: images[:n]

    one, same, other = (described({"data": sampler(torch.arange(n))}) for n in (4, 4, 5))
    assert difference(one, same) == ""
    assert difference(one, other) == "other data"


def test_facts_that_were_described_already_stay_the_same() -> None:
    told = described(FACTS)
    assert described(told) == told
    assert difference(told, described({**told, "settings": replace(Settings(), lr=0.3)})) == "lr 0.1 instead of 0.3"


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_saved_nor_gone_on_with(tmp_path: Path, broken: float) -> None:
    network = nn.Linear(3, 2)
    kept = checkpoint(tmp_path, network=network)
    kept.save({"seen": 7})
    with torch.no_grad():
        network.weight[0, 0] = broken
    with pytest.raises(UserError, match=r"diverged and stops; .* stays as it was"):
        kept.save({"seen": 8})
    tensors, meta = read_tensors(tmp_path / NAME)
    assert meta["seen"] == 7
    tensors["module/net/weight"][0, 0] = broken
    write_tensors(tmp_path / NAME, tensors, meta)
    with pytest.raises(UserError, match="not finite"):
        kept.load()


HOLDER = """
import sys, time
from pathlib import Path
from landscape_core.training.lock import hold
lock = hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_another_process_in_the_folder_is_refused_until_it_is_gone_however_it_went(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=r"Another training is running in .*--work"):
            checkpoint(tmp_path)
        holder.kill()
        holder.wait()
    checkpoint(tmp_path).save({"seen": 1})


def test_one_process_may_hold_a_folder_several_times(tmp_path: Path) -> None:
    first, second = hold(tmp_path), hold(tmp_path)
    assert first.is_locked
    assert second.is_locked


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        checkpoint(tmp_path / "file" / "work")


def line(folder: Path) -> Checkpoint:
    """Of a line after one step of Adam."""
    model, generator = nn.Linear(2, 1), torch.Generator().manual_seed(3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return Checkpoint(
        folder, identity={}, modules={"line": model}, optimizers={"adam": optimizer}, generators={"data": generator}
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    line(tmp_path).save({"seen": 4})
    return tmp_path / NAME


def test_a_checkpoint_comes_back(saved: Path) -> None:
    checkpoint = line(saved.parent)
    assert checkpoint.load() == {"seen": 4}
    assert torch.equal(checkpoint.modules["line"].state_dict()["weight"], read_tensors(saved)[0]["module/line/weight"])
    assert line(saved.parent / "absent").load() is None


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
    write_tensors(saved, tensors, {"seen": 4, "identity": {}})
    with pytest.raises(UserError, match=sentence):
        line(saved.parent).load()


def test_odd_files_are_a_sentence(saved: Path) -> None:
    tensors = read_tensors(saved)[0]
    for meta in ({"landscape": "{}"}, {"landscape": "[]"}, {"landscape": "{"}, {"other": "{}"}, None):
        save_file(tensors, saved, metadata=meta)
        with pytest.raises(UserError, match=r"does not say which training|not a checkpoint of this project"):
            line(saved.parent).load()
    for content in (b"", b"hello", b"\xff" * 100):
        saved.write_bytes(content)
        with pytest.raises(UserError, match="not a checkpoint of this project"):
            line(saved.parent).load()
