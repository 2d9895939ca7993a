"""W+: it contains W, the comparison with W, and the Θ that is published for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.errors import UserError
from landscape_core.experiments.paired import FLOOR
from landscape_core.generators.commands import reproduce as reproduce_tables
from landscape_core.generators.experiments import ablation as table2
from landscape_core.generators.experiments import wplus
from landscape_core.generators.task import plus_task
from landscape_core.generators.training import theta
from landscape_core.generators.training.theta import mapping_trainer, publish_mapping
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.spaces import ZSpace
from landscape_core.search.task import Task
from landscape_core.search.thetas import thetas
from landscape_core.training.alternating import train_mapping
from tests.tiny.models import DIM, tiny_task
from tests.tiny.tables import SETTINGS, data_folder, pictures, quadratic, silent

NO_MODELS = Path("no-models-here")  # W+ of the tiny task has no Θ of its own


def tiny_plus(task: Task) -> Task:
    plus = plus_task(task, NO_MODELS)
    dim = len(plus.prior.mean)
    taken_out = torch.diag(torch.linspace(0.5, 2.0, dim))
    curvature = build_mapping(MappingConfig("residual", dim, dim, hidden=0), plus.prior, whitener=taken_out)
    return replace(plus, mappings={"whitened": ZSpace(curvature, dim)})


def test_w_plus_contains_w(tmp_path: Path) -> None:
    task = tiny_task()
    plus = plus_task(task, NO_MODELS)
    w = task.prior.sample(3, torch.Generator().manual_seed(2))
    assert plus.name == "faces+"
    assert torch.allclose(plus.forward(w.repeat(1, 4)), task.forward(w), atol=1e-6)
    drawn = plus.prior.sample(5, torch.Generator().manual_seed(2)).reshape(5, 4, DIM)
    assert torch.allclose(drawn, drawn[:, :1].expand_as(drawn))
    picture = pictures(2)
    assert torch.allclose(plus.encode(picture), task.encode(picture).repeat(1, 4))
    layer = torch.zeros(1, 4 * DIM)
    layer[0, -DIM:] = 1.0
    assert not torch.allclose(plus.forward(w[:1].repeat(1, 4) + layer), task.forward(w[:1]))
    with pytest.raises(UserError, match=r"no W\+"):
        plus_task(quadratic())


def test_w_plus_experiment_compares_both_on_the_same_pictures(tmp_path: Path) -> None:
    task = tiny_task()
    same = pictures(1).repeat(3, 1, 1, 1)  # every pair has the same ratio, whichever mean is taken
    args = (pictures(2, 3), {"faces": same}, SETTINGS, "test", silent)
    result = wplus.run_wplus(task, tiny_plus(task), *args)
    rows = [wplus.W, wplus.W_CURVATURE, wplus.W_TRAINED, wplus.PLUS, wplus.PLUS_CURVATURE]
    assert result.settings["rows"] == rows
    values = {row: max(v, FLOOR) for row, v in zip(rows, result.series["rows at 4 steps | faces"], strict=True)}
    ours, theirs = (result.settings["optimizer"][row]["4"] for row in ("W+", "W"))
    words = ours if ours == theirs else f"{ours} against {theirs}"
    first = next(each for each in result.claims if each.claim == f"faces, 4 steps: W+ against W ({words})")
    assert first.ours == pytest.approx(values["W+"] / values["W"] - 1, rel=1e-4, abs=1e-4)
    table2.plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
    with pytest.raises(UserError, match="--domain faces\\+ --preset whitened"):
        wplus.run_wplus(task, plus_task(task, NO_MODELS), *args)


def test_w_plus_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, perceptual: str = "lpips", device: str = "cpu") -> Task:
        return tiny_plus(tiny_task()) if name == "faces+" else tiny_task()

    monkeypatch.setattr(reproduce_tables, "load_image_task", load)
    options = ["--targets", "2", "--tune-targets", "1", "--steps", "1"]
    folders = ["--data", str(data_folder(tmp_path / "data")), "--out", str(tmp_path / "r"), "--work", str(tmp_path / "w")]
    result = CliRunner().invoke(cli.app, ["reproduce", "w-plus", *options, *folders], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "r/w-plus.json").read_text())["n"] == {"faces": 2, "cats": 2}


def test_the_whitener_of_w_is_published_for_every_style_of_w_plus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    w, plus = tiny_task(), plus_task(tiny_task(), NO_MODELS)
    monkeypatch.setattr(theta, "load_image_task", lambda domain, device: plus if domain == "faces+" else w)
    images = ((pictures(6) + 1) * 127).clamp(0, 255).to(torch.uint8)
    trainer, config = mapping_trainer("faces+", "whitened", images, tmp_path / "work")
    train_mapping(trainer, lambda *_: False)
    card = publish_mapping(trainer, config, "faces+", "whitened", trained_on="x", command="y", assets=tmp_path)
    assert (card.name, card.budget["buffers"], card.budget["evaluations"]) == ("faces+/theta-whitened", 0, 0)
    (weights,) = (tmp_path / card.name).glob("*.safetensors")
    assert weights.stat().st_size < 4 * DIM * 4 * DIM * 2  # no matrix over all styles
    found = thetas("faces+/theta-", plus.prior, tmp_path)
    assert list(found.spaces) == ["whitened"]
    assert found.advised["whitened"].name == "lbfgs"
    assert [(each.start, each.optimizer.first_move) for each in found.tuned["whitened"]] == [("mean", 1.0), ("encoder", 0.3)]
    assert found.hashes == {"faces+/theta-whitened": card.sha256}
    z = torch.randn(2, 4 * DIM, generator=torch.Generator().manual_seed(0))
    space = found.spaces["whitened"]
    one = trainer.mapping.get_buffer("whitener")
    expected = plus.prior.mean + torch.cat([part @ one.T for part in z.split(DIM, dim=1)], dim=1)
    assert torch.allclose(space.to_x(z), expected, rtol=1e-2, atol=0.02 * float(expected.std()))
    assert torch.allclose(space.at(space.to_x(z)), z, atol=1e-3)
