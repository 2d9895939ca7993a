"""Two processes (gloo, on the CPU) do what one does: the same Θ, the same files. What one alone does is in all other tests."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from landscape_core.images.pixels import png_bytes
from landscape_core.storage.tensors import read_tensors
from tests.autoencoders import shared as decoder
from tests.generators import shared as generator
from tests.tiny.plugins import DECAY, curve, plugin
from tests.training.shared import KINDS, trained, trainer

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = (
    "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no",
    "--dynamo_backend", "no", "--main_process_port", "0",
)  # fmt: skip
PICTURES = '''
import torch
from torch import nn
from landscape_core import Prior, SquaredError, Task


class Blobs(nn.Module):
    """Five numbers (B, 5) -> a picture (B, 3, 8, 8)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.randn(5, 3 * 64, generator=torch.Generator().manual_seed(0)))

    def forward(self, x):
        return torch.tanh(x @ self.weight).view(-1, 3, 8, 8)


def task():
    return Task("blobs", Blobs(), Prior(torch.zeros(5), torch.eye(5)), SquaredError())
'''


def python(folder: Path, *words: str, code: int = 0) -> str:
    """What a program prints, run in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=500, check=False
    )
    assert ran.returncode == code, ran.stderr[-3000:]
    return ran.stdout


def together(folder: Path, *words: str) -> str:
    return python(folder, *LAUNCHER, *words)


def alone(folder: Path, *words: str) -> str:
    return python(folder, *words)


def test_one_process_alone_imports_no_accelerate() -> None:
    words = "import sys, landscape_core.cli; print([m for m in sys.modules if m.startswith('accelerate')])"
    assert alone(ROOT, "-c", words).strip() == "[]"


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, list[float]]]:
    tensors, meta = read_tensors(path)
    return tensors, meta["history"]


def furthest(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    return max(float((a[name] - b[name]).abs().max()) for name in b)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_learn_the_theta_of_one_and_resume_on_any_number(tmp_path: Path) -> None:
    shared = ("-m", "tests.training.shared", "trained")
    together(tmp_path, *shared, "mlp-64-3", "flow-64-3", "residual-64-1", "residual-32-3")
    assert trained(tmp_path / "trained" / "residual-64", "residual", upto=2).progress.buffer == 2  # one goes on with it
    gc.collect()  # the folder is free again
    together(tmp_path, *shared, "residual-64-3")
    for kind in KINDS:
        whole = trained(None, kind)
        theta, history = read(tmp_path / "trained" / f"{kind}-64-3.safetensors")
        assert furthest(trained(None, kind, upto=1).mapping.state_dict(), whole.mapping.state_dict()) > 1e-4, kind
        assert furthest(theta, whole.mapping.state_dict()) < 1e-8, kind
        for name, values in history.items():
            assert values == pytest.approx([entry[name] for entry in whole.progress.history], rel=1e-8), (kind, name)

    by_seed = [trained(None, "residual", width=32, seed=seed) for seed in range(4)]
    _, history = read(tmp_path / "trained" / "residual-32-3.safetensors")
    for name, values in history.items():
        curves = torch.tensor([[entry[name] for entry in each.progress.history] for each in by_seed])
        assert ((torch.tensor(values) - curves[0]).abs() < curves.std(dim=0)).all(), name


@pytest.mark.slow
def test_more_processes_than_there_is_to_share_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from landscape_core.errors import UserError

    assert min(each.targets % each.rollout_chunk for each in KINDS.values()) == 3
    monkeypatch.setattr("landscape_core.processes.count", lambda: 4)
    with pytest.raises(UserError, match="takes 3 at a time, which 4 processes cannot share"):
        trainer(None, "residual")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_train_and_publish_one_theta(tmp_path: Path) -> None:
    plugin(tmp_path, DECAY)
    words = ("-m", "landscape_core", "train", "mapping", "--task", "mine.py", "--buffers", "2", "--bundle", "theta.zip")
    said = together(tmp_path, *words)
    assert said.count("Wrote") == 2  # by one of them: Θ, its bundle
    card = json.loads((tmp_path / "runs" / "models" / "decay" / "theta-residual" / "card.json").read_text())
    assert card["budget"]["hardware"].endswith(", 2 processes")
    assert card["budget"]["buffers"] == 2
    curve(tmp_path)
    assert "Wrote" in alone(tmp_path, "-m", "landscape_core", "invert", "curve.json", "--task", "mine.py", "--steps", "5")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_learn_the_generator_of_one_and_resume_on_any_number(tmp_path: Path) -> None:
    words = ("-m", "tests.generators.shared", "shared")
    together(tmp_path, *words, "2")
    for stage in generator.STAGES:
        generator.trained(tmp_path / "shared" / stage, stage, 3)  # one goes on with it
    gc.collect()  # the folders are free again
    together(tmp_path, *words, "4")
    for stage in generator.STAGES:
        shared, _ = read_tensors(tmp_path / "shared" / stage / "checkpoint.safetensors")
        alone_too = generator.trained(tmp_path / "alone" / stage, stage, 4)
        assert torch.equal(shared.pop("generator/random"), alone_too.pop("generator/random")), stage
        assert furthest(shared, alone_too) < 1e-8, stage
        weights = {name: value for name, value in shared.items() if name.endswith("weight")}
        assert furthest(generator.trained(tmp_path / "less" / stage, stage, 3), weights) > 1e-4, stage


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_train_and_publish_one_generator(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    noise = torch.randint(0, 256, (20, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for index, picture in enumerate(noise):
        (tmp_path / "pictures" / f"{index}.png").write_bytes(png_bytes(picture))
    words = ("train", "generator", "--data", "pictures", "--domain", "toys", "--recipe", "smoke", "--seconds", "6")
    said = together(tmp_path, "-m", "landscape_core", *words, "--looks", "2", "--assets", "models")
    assert said.count("Wrote") == 1
    card = json.loads((tmp_path / "models" / "toys" / "generator" / "card.json").read_text())
    assert card["budget"]["hardware"].endswith(", 2 processes")
    assert sum(card["budget"]["seconds"].values()) >= 6  # the clock of one of them, so that all end together
    for stage in ("gan", "sharpen"):
        assert (tmp_path / "runs" / "generator" / "toys" / "smoke" / stage / "log.jsonl").read_text().count("\n") <= 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_learn_the_decoder_of_one_and_one_goes_on_with_it(tmp_path: Path) -> None:
    together(tmp_path, "-m", "tests.autoencoders.shared", "shared", "3")
    for name in ("decoder", "critic"):
        state, _ = read(tmp_path / "shared" / f"{name}.safetensors")
        alone_too = decoder.trained(tmp_path / f"alone-{name}", 3)
        network = {"decoder": alone_too.model.decoder, "critic": alone_too.critic}[name]
        assert furthest(state, network.state_dict()) < 1e-8, name
        assert furthest(decoder.trained(tmp_path / f"first-{name}", 1).model.decoder.state_dict(),
                        alone_too.model.decoder.state_dict()) > 1e-4  # fmt: skip
    whole, further = decoder.trained(tmp_path / "whole", 4), decoder.trained(tmp_path / "shared", 4)
    assert further.seen == 4 * decoder.CONFIG.batch
    assert furthest(further.model.decoder.state_dict(), whole.model.decoder.state_dict()) < 1e-8


def blobs(folder: Path) -> None:
    """Three pictures, a broken one, and a network that makes some."""
    plugin(folder, PICTURES)
    (folder / "pictures").mkdir()
    for number in range(3):
        pixels = torch.randint(256, (3, 8, 8), generator=torch.Generator().manual_seed(number), dtype=torch.uint8)
        (folder / "pictures" / f"{number}.png").write_bytes(png_bytes(pixels))
    (folder / "pictures" / "1-broken.png").write_bytes(b"no picture")


def unpacked(path: Path) -> dict[str, Any]:
    """A run's files, without the seconds that it took, and its film, whose encoder does not repeat itself to the bit."""
    with zipfile.ZipFile(path) as archive:
        files: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    files["measures.csv"] = [line.rsplit(b",", 1)[0] for line in files["measures.csv"].splitlines()]
    return {name: content for name, content in files.items() if name not in ("README.md", "run.mp4")}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_invert_a_folder_as_one(tmp_path: Path) -> None:
    blobs(tmp_path)
    words = ("-m", "landscape_core", "invert", "pictures", "--task", "mine.py", "--steps", "5", "--space", "random", "--out")
    said = {}
    for out, run in (("one", (*words, "one")), ("two", (*LAUNCHER, *words, "two"))):
        said[out] = python(tmp_path, *run, code=1).replace(out, "there")  # one picture was refused
    assert said["two"].count("Wrote") == 3
    assert [line.split(":")[0] for line in said["one"].splitlines()] == [
        line.split(":")[0] for line in said["two"].splitlines()
    ]
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert unpacked(tmp_path / "one" / name) == unpacked(tmp_path / "two" / name)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_draw_the_surfaces_and_tables_of_one(tmp_path: Path) -> None:
    blobs(tmp_path)
    core, chosen = ("-m", "landscape_core"), ("--task", "mine.py", "--space", "random")
    surface = (*core, "surface", "pictures/0.png", *chosen, "--kind", "path", "--steps", "4", "--size", "21", "--cache", "kept")
    table = (*core, "reproduce", "landscapes", *chosen, "--targets", "3", "--steps", "4", "--size", "11")
    for launcher, out in (((), "one"), (LAUNCHER, "two")):
        (tmp_path / out).mkdir()
        python(tmp_path, *launcher, *surface, "--out", out)
        python(tmp_path, *launcher, *table, "--out", out)
        for kept in (tmp_path / "kept").iterdir():
            kept.unlink()
    for name in ("0-path.csv", "0-path.png"):  # every loss of both surfaces and of the paths, and what is drawn of them
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    one, two = (json.loads((tmp_path / out / "landscapes-blobs.json").read_text())["series"] for out in ("one", "two"))
    assert one.keys() == two.keys()
    for name, values in one.items():  # measures are fitted to a surface by LAPACK, which does not repeat itself to the bit
        assert values == pytest.approx(two[name], rel=1e-12), name
