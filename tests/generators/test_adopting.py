"""A published StyleGAN2 becomes a task that draws what its file draws; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from app.runs.models import embedded_models
from landscape_core import cli
from landscape_core.domains import load_task
from landscape_core.errors import UserError
from landscape_core.features.lpips import LEAST_SIDE
from landscape_core.generators.adopting import adopt_stylegan
from landscape_core.storage import zoo
from tests.generators.test_published import DIM, published, saved


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def invoke(*words: object) -> str:
    result = CliRunner().invoke(cli.app, [*map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_is_a_task_of_the_commands_and_of_the_app(tmp_path: Path) -> None:
    model, state = published(levels=4)
    said = invoke("adopt", saved(tmp_path, {"g_ema": state}), "--name", "ffhq", "--licence", "CC0")
    assert "no mean of W" in said
    assert "no noise maps" in zoo.read_card("ffhq/generator", zoo.OWN).notes
    task = load_task("ffhq")
    w = torch.randn(2, DIM, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(task.forward(w), model.synthesis(w))
        mapped = model.mapping(torch.randn(20_000, DIM, generator=torch.Generator().manual_seed(5)))
    torch.testing.assert_close(task.prior.mean, mapped.mean(dim=0), atol=0.05, rtol=0)
    assert task.encode is None
    assert "ffhq" in embedded_models().names
    with pytest.raises(UserError, match="There is a generator 'ffhq' already"):
        adopt_stylegan(tmp_path / "g.pt", "ffhq", licence="", command="")


def test_an_ada_pickle_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    (tmp_path / "ffhq.pkl").write_bytes(b"\x80\x03")
    with pytest.raises(UserError, match=r"convert_weight\.py"):
        adopt_stylegan(tmp_path / "ffhq.pkl", "ffhq", licence="", command="")


def test_pictures_of_one_channel_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="draws pictures of 1 channels; 3"):
        adopt_stylegan(saved(tmp_path, {"g_ema": published(1)[1]}), "grey", licence="", command="")
    assert zoo.names(zoo.OWN) == []


def test_pictures_too_small_for_the_distance_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"draws pictures of 16 pixels; .* from 32 on"):
        adopt_stylegan(saved(tmp_path, {"g_ema": published(levels=3)[1]}), "small", licence="", command="")
    assert zoo.names(zoo.OWN) == []
    assert load_task("faces").objective.distance.maps(torch.zeros(1, 3, LEAST_SIDE, LEAST_SIDE))[-1].numel()


def test_a_stylegan1_of_another_port_is_refused(tmp_path: Path) -> None:
    state = {"g_synthesis.blocks.4x4.const": torch.zeros(3)}
    with pytest.raises(UserError, match="is a StyleGAN1 in a layout that is not read"):
        adopt_stylegan(saved(tmp_path, state), "first", licence="", command="")
    assert zoo.names(zoo.OWN) == []
