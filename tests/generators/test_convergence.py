"""Figure 3a on the tiny task: lanes at their own best rates, claims that follow from the losses, a command that resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.errors import UserError
from landscape_core.experiments.curves import Curves, Searches, encoder_loss
from landscape_core.experiments.paired import compare
from landscape_core.experiments.results import Result
from landscape_core.generators import domain
from landscape_core.generators.experiments import convergence as fig3a
from landscape_core.generators.experiments.convergence_claims import Found, claims
from landscape_core.generators.experiments.picture_sets import PictureSet, checked_kinds, picture_sets
from landscape_core.search.judges import PSNR, Judge, features_judge
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import LBFGS, Adam
from landscape_core.search.task import X
from tests.tiny.models import PooledDistance, tiny_task
from tests.tiny.tables import data_folder, pictures, silent

ROWS = ["X Adam", "Z Adam", "X L-BFGS", "Z L-BFGS", "X from the guess", "Z from the guess", "Z paper"]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig3a, "ADAM_RATES", (0.01, 0.1, 0.5))
    monkeypatch.setattr(fig3a, "FIRST_MOVES", {"mean": (0.5, 2.0), "encoder": (0.1, 1.0)})


def measured(tmp_path: Path | None = None, steps: int = 22) -> Result:
    sets = {"faces": PictureSet(Target(pictures(3)), "real"), "cats": PictureSet(Target(pictures(3, 2).flip(3)), "outside")}
    settings = fig3a.ConvergenceSettings(targets=3, steps=steps, tune_targets=2)
    judges = [PSNR, features_judge(PooledDistance(), "pooled", "")]
    return fig3a.run_convergence(tiny_task(), pictures(2, 3), sets, settings, "test", silent, judges, tmp_path)


@pytest.fixture(scope="module")
def result() -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fig3a, "ADAM_RATES", (0.01, 0.1, 0.5))
        patch.setattr(fig3a, "FIRST_MOVES", {"mean": (0.5, 2.0), "encoder": (0.1, 1.0)})
        return measured()


def test_every_lane_is_there_on_every_set_and_never_rises(result: Result) -> None:
    for label in ("faces", "cats"):
        for row in ROWS:
            series = result.series[f"{row} | {label}"]
            assert len(series) == 23
            assert series == sorted(series, reverse=True)
        assert result.series[f"X Adam | {label}"][0] == pytest.approx(result.series[f"X L-BFGS | {label}"][0])
    task = tiny_task()
    guess = encoder_loss(task, Target(pictures(3)))
    assert result.series["encoder | faces"] == [pytest.approx(float(guess.mean()))]
    assert result.series["X from the guess | faces"][0] == pytest.approx(float(guess.mean()), rel=1e-4)


def test_targets_that_nobody_can_search_keep_their_place() -> None:
    seen = pictures(3)
    seen[2] = torch.nan
    curves = Searches(tiny_task(), silent, batch=2).curves(Target(seen), {"x": (X, Adam(0.1))}, 3, "given up at once")
    assert curves["x"].loss.shape == (4, 3)
    assert torch.isfinite(curves["x"].loss).all(dim=0).tolist() == [True, True, False]


def test_every_lane_has_the_rate_that_is_best_on_train_for_each_budget(result: Result) -> None:
    assert result.settings["budgets"] == [20, 22]
    for row in ROWS:
        for budget, chosen in result.settings["chosen"][row].items():
            sweep = chosen["sweep_on_train"]
            swept = chosen["lr"] if "Adam" in row or row == "Z paper" else chosen["first_move"]
            assert min(sweep, key=lambda name, sweep=sweep: sweep[name]) == f"{swept:g}", (row, budget)
            assert chosen["name"] == ("adam" if "Adam" in row or row == "Z paper" else "lbfgs")
            assert chosen["history"] == (100 if chosen["name"] == "lbfgs" else 10)


def test_claims_are_the_paired_comparisons_of_the_series_own_lanes(result: Result) -> None:
    task, settings = tiny_task(), result.settings
    z, x = settings["chosen"]["Z Adam"]["20"], settings["chosen"]["X Adam"]["20"]
    lanes = {"z": ("residual", Adam(z["lr"])), "x": (X, Adam(x["lr"]))}
    curves = Searches(task, silent).curves(Target(pictures(3)), lanes, 22, "again")
    expected = compare(curves["z"].loss[20], curves["x"].loss[20])
    by_name = {claim.claim: claim for claim in result.claims}
    claim = by_name["faces: loss after 20 steps, Z Adam against X Adam"]
    assert claim.ours == pytest.approx(expected.change, rel=1e-3, abs=1e-4)
    assert (claim.paper, claim.aim) == (-0.31, -0.40)
    assert by_name["cats: loss after 20 steps, Z L-BFGS against X L-BFGS"].aim == -0.15
    assert "faces: Z L-BFGS after 2 steps against X L-BFGS after 20" in by_name
    assert "faces: loss after 5 steps, Z from the guess against X from the guess" in by_name
    assert sum("no regret" in name for name in by_name) == 2
    assert sum("as a judge" in name for name in by_name) == 2
    assert set(result.comparisons) <= set(by_name)


def test_the_result_is_written_and_drawn(result: Result, tmp_path: Path) -> None:
    path = result.write(tmp_path)
    content = json.loads(path.read_text())
    name = "faces: loss after 20 steps, Z Adam against X Adam"
    assert content["comparisons"][name].keys() == {"n", "ratio", "interval", "means", "failures"}
    fig3a.plot(result, path.with_suffix(".png"))
    assert path.with_suffix(".png").stat().st_size > 10_000


def found(z: list[list[float]], x: list[list[float]], encoder: list[float] | None = None) -> Found:
    """Rows of (steps + 1, n) losses."""
    rows = {name: {len(z) - 1: Curves(torch.tensor(values), {})} for name, values in (("Z", z), ("X", x))}
    both = {f"{lane} {column}": rows[lane] for lane in "ZX" for column in ("Adam", "L-BFGS")}
    return Found("faces", "real", both, None if encoder is None else torch.tensor(encoder), [len(z) - 1], ())


def test_one_step_of_regret_is_found() -> None:
    x = [[1.0, 2.0, 4.0], [0.8, 1.6, 3.2], [0.4, 0.8, 1.6]]
    better, worse = [[1.0, 2.0, 4.0], [0.4, 0.8, 1.6], [0.2, 0.4, 0.8]], [[1.0, 2.0, 4.0], [0.88, 1.76, 3.52], [0.2, 0.4, 0.8]]
    made = [claims(found(z, x), {}, converged=False) for z in (better, worse)]
    (fine,), (regret,) = ([claim for claim in each if "no regret" in claim.claim] for each in made)
    assert fine.met
    assert not regret.met
    assert regret.ours == pytest.approx(1.1)
    assert "worst step (1)" in regret.claim


def test_passing_the_encoder_is_counted_in_steps() -> None:
    x = [[1.0, 1.0], [0.9, 0.9], [0.3, 0.3]]
    z = [[1.0, 1.0], [0.4, 0.4], [0.3, 0.3]]
    for encoder, steps, met in (([0.5, 0.5], (1, 2), True), ([0.35, 0.35], (2, 2), False), ([0.1, 0.1], (3, 3), False)):
        made = claims(found(z, x, encoder), {}, converged=False)
        passing = next(claim for claim in made if "pass the encoder" in claim.claim)
        assert (passing.ours, passing.paper, passing.met) == (steps[0], 11, met)
        assert f"(X Adam: {steps[1]};" in passing.claim


def test_judges_see_the_best_so_far_at_every_mark() -> None:
    task, target = tiny_task(), Target(pictures(2))
    loss = Judge("loss", "", lambda found, seen: task.objective.bind(seen)(found.output))
    watch = fig3a.Watch([loss], (1, 5))
    curves = Searches(task, silent).curves(target, {"X": (X, LBFGS(first_move=50.0))}, 5, "test", watch)["X"]
    assert torch.allclose(curves.judged["loss"], curves.loss[[1, 5]], rtol=1e-4)
    assert (curves.loss.diff(dim=0) == 0).any(), "no trial was worse than the best: the test shows nothing"


def test_what_is_kept_of_one_judge_is_not_another_judge_of_that_name(tmp_path: Path) -> None:
    def judged(factor: float) -> Tensor:
        watch = fig3a.Watch([Judge("loss", "", lambda found, _: factor * found.loss)], (1,))
        searches = Searches(tiny_task(), silent, work=tmp_path)
        return searches.curves(Target(pictures(2)), {"X": (X, Adam(0.1))}, 1, "test", watch)["X"].judged["loss"]

    first = judged(1.0)
    assert torch.equal(judged(1.0), first)
    assert len([*tmp_path.iterdir()]) == 1
    assert torch.equal(judged(2.0), 2.0 * first)


def test_sets_are_what_they_say(tmp_path: Path) -> None:
    data, task = data_folder(tmp_path / "data"), tiny_task()
    kinds = checked_kinds(["masked", "real", "noisy", "outside", "drawn", "real"])
    sets = picture_sets(kinds, task, data, "val", "faces", 2, 0)
    assert {label: each.kind for label, each in sets.items()} == {
        "faces": "real", "faces, drawn": "drawn", "cats": "outside", "faces, noisy": "noisy", "faces, masked": "masked"
    }  # fmt: skip
    real, noisy, masked = (sets[label].target for label in ("faces", "faces, noisy", "faces, masked"))
    assert 0.02 < float((noisy.value - real.value).std()) < 0.1
    assert torch.equal(masked.value, real.value)
    assert masked.mask is not None
    assert 0.3 < float(masked.mask.mean()) < 0.7
    again = picture_sets(kinds, task, data, "val", "faces", 2, 0)
    assert all(torch.equal(again[label].target.value, each.target.value) for label, each in sets.items())
    with pytest.raises(UserError, match="no set dogs"):
        checked_kinds(["dogs"])


def test_a_guess_is_not_made_where_something_is_hidden() -> None:
    mask = torch.ones(2, 1, 64, 64)
    mask[..., :32] = 0.0
    settings = fig3a.ConvergenceSettings(targets=2, steps=2, tune_targets=1)
    sets = {"hidden": PictureSet(Target(pictures(2), mask), "masked")}
    result = fig3a.run_convergence(tiny_task(), pictures(1), sets, settings, "test", silent)
    assert "X L-BFGS | hidden" in result.series
    assert not any("guess" in key or "encoder" in key for key in result.series)


def test_what_is_done_is_found_again(tmp_path: Path) -> None:
    first = measured(tmp_path, steps=2)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = measured(tmp_path, steps=2)
    assert again.series == first.series
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files


def test_long_runs_and_other_domains_are_results_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fig3a.experiment_name("faces", 200) == "convergence"
    assert fig3a.experiment_name("cats", 200) == "convergence-cats"
    assert fig3a.experiment_name("cats", 2000) == "converged-cats"
    monkeypatch.setattr(fig3a, "CONVERGED", 20)
    monkeypatch.setattr(fig3a, "POINTS", 5)
    settings = fig3a.ConvergenceSettings(targets=2, steps=20, tune_targets=1)
    result = fig3a.run_convergence(
        tiny_task(), pictures(1), {"faces": PictureSet(Target(pictures(2)), "real")}, settings, "test", silent
    )
    assert result.experiment == "converged"
    assert result.settings["budgets"] == [20]
    assert [claim.claim for claim in result.claims if "no regret" not in claim.claim] == [
        f"faces: loss after 20 steps, Z {column} against X {column}" for column in ("Adam", "L-BFGS")
    ]
    assert len(result.series["Z Adam | faces"]) == 6


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "load_image_task", lambda name, perceptual="lpips", device="cpu": tiny_task(name))


@pytest.mark.usefixtures("_tiny")
def test_convergence_of_cats_is_real_on_cats(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    options = ["--domain", "cats", "--targets", "2", "--tune-targets", "1", "--steps", "2", "--work", str(tmp_path / "w")]
    arguments = ["reproduce", "convergence", *options, "--data", str(data), "--out", str(tmp_path / "r")]
    result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "r/convergence-cats.json").read_text())
    assert list(content["n"]) == ["cats", "cats, drawn", "faces"]
    assert content["settings"]["domain"] == "cats"
    assert any(name.startswith("cats: PSNR as a judge") for name in content["comparisons"])
    for wrong in (["--domain", "dogs"], ["--set", "dogs"]):
        bad = CliRunner().invoke(cli.app, ["reproduce", "convergence", *wrong, "--data", str(data)])
        assert isinstance(bad.exception, UserError)
        assert "dogs" in str(bad.exception)
