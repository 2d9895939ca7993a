"""Tables 2 and 3 on the tiny task: every row tuned by the same rule, the rows what they say, the files complete."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.errors import UserError
from landscape_core.experiments.curves import Searches
from landscape_core.experiments.paired import FLOOR, geometric_mean
from landscape_core.experiments.rows import BASELINE, TableSettings, choose, losses_at, markdown, with_rows
from landscape_core.generators import domain
from landscape_core.generators.commands import reproduce as reproduce_tables
from landscape_core.generators.datasets import pictured
from landscape_core.generators.experiments import ablation as table2
from landscape_core.generators.experiments import z_dimension as table3
from landscape_core.generators.training.theta import MAPPING_PRESETS, image_targets, published_name
from landscape_core.images.datasets import ImageSource
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.optimizers import Adam
from landscape_core.search.spaces import Prior, XSpace, ZSpace
from landscape_core.search.task import Task
from landscape_core.search.thetas import untrained
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import evaluations_per_buffer
from tests.tiny.models import DIM, tiny_task
from tests.tiny.tables import SETTINGS, data_folder, pictures, quadratic, silent


def test_each_row_gets_the_candidate_that_is_lowest_on_train_for_each_horizon() -> None:
    task = with_rows(quadratic(), {})
    train = torch.tensor([[0.1, 1.0], [-0.1, 1.0]])
    settings = TableSettings(steps=(1, 2), tune_targets=2, candidates=(("adam", 0.05), ("adam", 0.1)))
    chosen = choose(task, BASELINE, train, settings, silent)
    assert chosen.names == {1: "adam 0.1", 2: "adam 0.1"}  # the large step lands on it; that it then overshoots does not count
    for at, sweep in chosen.sweep.items():
        assert min(sweep, key=lambda name: sweep[name]) == chosen.names[at]
    losses = losses_at(task, BASELINE, chosen, train, settings, silent, "toy")
    for at in (1, 2):
        assert geometric_mean(losses[at]) == pytest.approx(chosen.sweep[at][chosen.names[at]], rel=1e-4)


def test_what_was_computed_is_found_again_and_nothing_else_is(tmp_path: Path) -> None:
    task, each = with_rows(tiny_task(), {}), pictures(2)
    asked: list[int] = []

    def curves(seen: Tensor, row: str, lr: float) -> Tensor:
        lanes = {"lane": (row, Adam(lr))}
        return Searches(task, lambda label, done, total: asked.append(done), work=tmp_path).losses(seen, lanes, 2, "x")["lane"]

    first = curves(each, BASELINE, 0.1)
    assert asked == [0, 2, 4, 4]
    asked.clear()
    assert torch.equal(curves(each, BASELINE, 0.1), first)
    assert asked == [4], "nothing was stepped again"
    for other in ((each.flip(3), BASELINE, 0.1), (each, BASELINE, 0.2)):
        assert not torch.equal(curves(*other), first)
    assert len(list(tmp_path.iterdir())) == 3


def tiny_rows(task: Task) -> dict[str, ZSpace]:
    kinds = {"paper": "mlp", "online": "mlp", "residual": "residual", "online-residual": "residual"}
    whitener = torch.diag(torch.linspace(0.5, 2.0, DIM))
    spaces = {}
    for index, (row, preset) in enumerate(table2.PRESETS.items()):
        config = MappingConfig(kinds[preset], DIM, DIM, 8)
        taken_out = whitener if config.kind == "residual" else None
        spaces[row] = ZSpace(build_mapping(config, task.prior, whitener=taken_out, seed=index), DIM)
    return spaces


def test_curvature_only_is_the_trained_theta_without_its_training() -> None:
    task = tiny_task()
    full = tiny_rows(task)[table2.RESIDUAL.full]
    with torch.no_grad():
        full.mapping.log_scale.add_(1.0)
    fresh = untrained(task.prior, full)
    z = torch.randn(3, DIM, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(fresh.to_x(z), task.prior.mean + z @ full.mapping.get_buffer("whitener").T, atol=1e-6)
    with pytest.raises(TypeError):
        untrained(task.prior, XSpace(task.prior))


def test_table_2_has_every_row_on_every_set_and_claims_that_follow(tmp_path: Path) -> None:
    task, sets = tiny_task(), {"faces": pictures(3), "cats": pictures(1, 2)}  # of one picture every mean is its loss
    settings = replace(SETTINGS, steps=(2, 20))
    result = table2.run_ablation(task, tiny_rows(task), {}, pictures(2, 3), sets, settings, "test", silent)
    content = json.loads(result.write(tmp_path).read_text())
    rows = content["settings"]["rows"]
    assert rows == [*table2.PAPER.rows, *table2.RESIDUAL.rows, BASELINE]
    assert set(content["series"]) == {f"rows at {at} steps | {label}" for at in (2, 20) for label in sets}
    values = dict(zip(rows, content["series"]["rows at 20 steps | cats"], strict=True))
    named = {claim["claim"]: claim for claim in content["claims"]}
    against = named[f"cats, 20 steps: {table2.PAPER.full} against {BASELINE}"]
    full, baseline = (max(values[row], FLOOR) for row in (table2.PAPER.full, BASELINE))
    assert against["ours"] == pytest.approx(full / baseline - 1, rel=1e-4, abs=1e-4)
    assert (against["paper"], against["aim"]) == (pytest.approx(4.932 / 5.292 - 1, abs=1e-5), -0.15)
    online = named[f"faces, 20 steps: {table2.RESIDUAL.full} against {table2.RESIDUAL.online}"]
    assert online["aim"] == 0.0
    assert len(content["claims"]) == 2 * 2 * 6
    assert content["settings"]["optimizer"][BASELINE].keys() == {"2", "20"}
    lines = markdown(result).splitlines()
    assert len(lines) == 2 + 4
    assert len({line.count("|") for line in lines}) == 1
    table2.plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def save_rows(assets: Path) -> None:
    task = tiny_task()
    for row, space in tiny_rows(task).items():
        kind = "mlp" if row.startswith("paper") else "residual"
        card = zoo.Card(
            name=published_name("faces", table2.PRESETS[row]), kind="Θ", licence="CC0", trained_on="noise", command="test",
            architecture={"kind": kind, "z_dim": DIM, "x_dim": DIM, "hidden": 8, "layers": 3}, sha256="", seed=0,
            budget={"buffers": 1}, metrics={},
        )  # fmt: skip
        zoo.save(card, space.mapping.state_dict(), assets)


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (domain, reproduce_tables):
        monkeypatch.setattr(module, "load_image_task", lambda name, perceptual="lpips", device="cpu": tiny_task(name))


@pytest.mark.usefixtures("_tiny")
def test_ablation_command_says_which_theta_is_missing_and_runs_when_all_are_there(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    options = ["--targets", "2", "--tune-targets", "1", "--steps", "2", "--data", str(data), "--out", str(tmp_path / "r")]
    arguments = ["reproduce", "ablation", "--thetas", str(tmp_path / "thetas"), "--work", str(tmp_path / "w"), *options]
    save_rows(tmp_path / "thetas")
    (tmp_path / "thetas/faces/ablation-online").rename(tmp_path / "elsewhere")
    missing = CliRunner().invoke(cli.app, arguments)
    assert isinstance(missing.exception, UserError)
    assert "faces/ablation-online" in str(missing.exception)
    assert "--preset online" in str(missing.exception)
    (tmp_path / "elsewhere").rename(tmp_path / "thetas/faces/ablation-online")
    result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "r/ablation.json").read_text())
    assert content["n"] == {"faces": 2, "cats": 2}
    assert "faces/ablation-online" in content["models"]
    assert (tmp_path / "r/ablation.png").exists()
    assert table2.RESIDUAL.untrained in result.output


def dimension_settings() -> table3.DimensionSettings:
    training = MappingTraining(buffers=2, targets=4, steps=2, batch=4, lr=1e-3)
    return table3.DimensionSettings((4, DIM), training, SETTINGS)


def test_table_3_trains_each_dimension_alike_resumes_and_compares(tmp_path: Path) -> None:
    task, sampler = tiny_task(), image_targets(((pictures(6) + 1) * 127).clamp(0, 255).to(torch.uint8))
    settings = dimension_settings()
    args = (task, sampler, pictures(2, 3), {"faces": pictures(3)}, settings, tmp_path)
    labels: list[str] = []
    first = table3.run_dimensions(*args, "test", lambda label, done, total: labels.append(label))
    assert first.settings["rows"] == ["Z 4", f"Z {DIM}", BASELINE]
    assert {"training Z 4", f"training Z {DIM}"} <= set(labels)
    checkpoints = sorted(tmp_path.rglob("checkpoint.safetensors"))
    assert len(checkpoints) == 2
    before = [path.stat().st_mtime_ns for path in checkpoints]
    again = table3.run_dimensions(*args, "test", silent)
    assert [path.stat().st_mtime_ns for path in checkpoints] == before
    assert again.series == first.series
    names = [claim.claim for claim in first.claims]
    assert f"faces, 4 steps: Z {DIM} against Z 4" in names
    assert f"faces, 4 steps: Z {DIM} against {BASELINE}" in names
    trend = first.claims[-1]
    values = first.series["rows at 4 steps | faces"]
    assert trend.ours == (-1.0 if values[1] < values[0] else 1.0)
    table3.plot(first, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_table_3_s_own_trend_is_read_off_its_numbers() -> None:
    settings = table3.DimensionSettings()
    losses = {"faces": {table3.row(dim): {200: torch.full((3,), each[0])} for dim, each in table3.TABLE3.items()}}
    losses["faces"][BASELINE] = {200: torch.full((3,), 2.569)}
    claims = table3._claims(losses, "faces", settings, side=0, x_dim=512)
    assert [claim.ours for claim in claims] == pytest.approx([claim.paper for claim in claims], abs=1e-5)
    assert claims[1].ours == pytest.approx(1.964 / 2.569 - 1, abs=1e-5)
    assert claims[2].met


@pytest.mark.usefixtures("_tiny")
def test_z_dimension_command_keeps_its_budget_apart(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    options = ["--dim", "4", "--dim", "8", "--buffer-targets", "2", "--targets", "1", "--tune-targets", "1", "--steps", "2"]
    folders = ["--data", str(data), "--out", str(tmp_path / "r"), "--work", str(tmp_path / "w")]
    for buffers in ("1", "2"):
        arguments = ["reproduce", "z-dimension", *options, *folders, "--buffers", buffers]
        result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "w").rglob("checkpoint.safetensors"))) == 4
    content = json.loads((tmp_path / "r/z-dimension.json").read_text())
    assert content["settings"]["training"]["buffers"] == 2
    assert content["settings"]["rows"] == ["Z 4", "Z 8", BASELINE]


def test_ablation_presets_take_as_many_evaluations_of_f_as_what_they_are_compared_with(tmp_path: Path) -> None:
    budgets = {name: evaluations_per_buffer(preset.training) for name, preset in MAPPING_PRESETS.items()}
    assert budgets["online"] == budgets["paper"]
    total = {name: budgets[name] * MAPPING_PRESETS[name].training.buffers for name in budgets}
    assert total["online-residual"] == pytest.approx(total["residual"], rel=0.02)
    seen = 0

    class Counted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            nonlocal seen
            seen += len(x)
            return x

    prior = Prior(torch.zeros(4), torch.eye(4))
    for settings in (
        MappingTraining(targets=8, steps=3, batch=4, keep_start=True),
        MappingTraining(targets=8, steps=3, mode="online"),
    ):
        mapping = build_mapping(MappingConfig("mlp", 4, 4, 8), prior)
        sampler = lambda n, random: Target(torch.randn(n, 4, generator=random))  # noqa: E731
        trainer = MappingTrainer(mapping, 4, Counted(), SquaredError(), sampler, settings, tmp_path / settings.mode)
        seen = 0
        trainer.buffer_step()
        assert seen == evaluations_per_buffer(settings)


def test_a_domains_rates_are_chosen_on_its_own_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def targets(source: ImageSource, n: int, seed: int) -> Tensor:
        asked.append((source.path.name, source.split))
        return torch.zeros(n)

    monkeypatch.setattr(reproduce_tables, "targets", targets)
    _, sets = reproduce_tables.train_and_val(Path("data"), 2, 3, 0, 8, "cats")
    assert [*sets] == ["cats", "faces"]
    assert sorted(asked) == [("cats128.zip", "train"), ("cats128.zip", "val"), ("faces128.zip", "val")]
    assert pictured("cats+") == "cats"
    with pytest.raises(UserError, match="no data set for the domain 'pose'; there are: faces, cats"):
        pictured("pose")


def test_ablation_presets_are_no_spaces_to_search_in() -> None:
    assert published_name("faces", "online") == "faces/ablation-online"
    assert published_name("faces", "paper") == "faces/theta-paper"
