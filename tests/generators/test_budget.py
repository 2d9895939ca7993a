"""The equal-budget table: nobody spends more than the budget, and what is found is what is reported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.experiments.results import Result
from landscape_core.generators import domain
from landscape_core.generators.experiments import budget
from landscape_core.generators.experiments.searchers import SEARCHERS, BestOf, Descent, EvolveThenDescend, Guess, evolve
from landscape_core.generators.experiments.taught import taught
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task
from tests.tiny.models import tiny_task
from tests.tiny.tables import data_folder, pictures, silent


class Counting(nn.Module):
    """F, with the pictures it drew."""

    def __init__(self, forward: nn.Module) -> None:
        super().__init__()
        self.inner, self.drawn = forward, 0

    def forward(self, x: Tensor) -> Tensor:
        self.drawn += len(x)
        return self.inner(x)


def counted() -> tuple[Task, Counting]:
    task = tiny_task()
    counting = Counting(task.forward)
    return replace(task, forward=counting), counting


@pytest.mark.parametrize("evaluations", [1, 5, 40])
@pytest.mark.parametrize("name", list(SEARCHERS))
def test_no_searcher_spends_more_than_its_budget(name: str, evaluations: int) -> None:
    task, counting = counted()
    found = SEARCHERS[name](task, pictures(2), evaluations, SEARCHERS[name].rates[0], 0)
    assert found.shape == (2,)
    assert torch.isfinite(found).all()
    assert 0 < counting.drawn <= 2 * max(evaluations, 1)


def test_a_larger_budget_finds_no_worse_and_mostly_better() -> None:
    task, seen = tiny_task(), pictures(2, 50)
    for searcher in (Descent("lbfgs", (1.0,)), BestOf(2, "adam", (0.1,)), EvolveThenDescend("adam", (0.1,))):
        few, many = (searcher(task, seen, n, searcher.rates[0], 0) for n in (4, 60))
        assert (many <= few + 1e-6).all()
        assert float(many.mean()) < float(few.mean())


def test_restarts_do_not_begin_where_drawn_targets_come_from() -> None:
    task = tiny_task()
    drawn = task.forward(task.prior.sample(3, torch.Generator().manual_seed(0))).detach()
    assert (BestOf(2, "adam", (0.1,))(task, drawn, 2, 0.1, 0) > 1e-3).all()


def test_the_guess_is_the_encoders_loss() -> None:
    task, seen = tiny_task(), pictures(3)
    loss = task.objective.bind(Target(seen))(task.forward(task.encode(seen)))
    assert torch.allclose(Guess()(task, seen, 30, 0.0, 0), loss, atol=1e-5)


def test_evolution_alone_gets_nearer_than_the_mean() -> None:
    task, seen = tiny_task(), pictures(1, 50)
    best, lowest, used = evolve(task, seen, 200, 0)
    loss = task.objective.bind(Target(seen))
    assert used <= 200
    assert lowest == pytest.approx(float(loss(task.forward(best))), rel=1e-4)
    assert lowest < float(loss(task.forward(task.prior.mean[None])))
    assert evolve(task, seen, 1, 0)[1:] == (float("inf"), 0)


def test_rates_are_chosen_on_training_pictures_and_the_table_says_what_was_found(tmp_path: Path) -> None:
    task, train, sets = tiny_task(), pictures(2, 3), {"faces": pictures(3), "cats": pictures(2, 5)}
    chosen = {name: SEARCHERS[name] for name in ("encoder", "X, Adam", "X, L-BFGS", *budget.OURS)}
    settings = budget.BudgetSettings(3, (3, 6), 2)
    result = budget.run_budget(task, train, sets, settings, "test", silent, chosen)
    adam = chosen["X, Adam"]
    swept = {rate: float(adam(task, train, 6, rate, 0).mean()) for rate in adam.rates}
    best = min(swept, key=lambda rate: swept[rate])
    assert result.settings["rate"]["X, Adam"]["6"] == best
    measured = float(adam(task, sets["cats"], 6, best, 0).mean())
    assert result.series["6 evaluations | cats"][1] == pytest.approx(measured)
    assert [each.claim.split(" against ")[0] for each in result.claims[:2]] == [
        "faces, 3 evaluations: Z, L-BFGS", "faces, 3 evaluations: Z, encoder, then L-BFGS",
    ]  # fmt: skip
    lines = budget.markdown(result).splitlines()
    assert len(lines) == 2 + len(chosen)
    assert {line.count("|") for line in lines} == {2 + 4}
    assert f"{measured:.4f}" in lines[3]
    budget.plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_what_was_searched_and_taught_is_kept_and_the_same_table_comes_of_it(tmp_path: Path) -> None:
    (task, counting), sets = counted(), {"faces": pictures(3)}

    def table(seed: int = 0) -> Result:
        rows = {"X, Adam": SEARCHERS["X, Adam"]} | taught(task, pictures(9, 4), 200, seed, silent, tmp_path)
        settings = budget.BudgetSettings(3, (3,), 2, seed=seed)
        return budget.run_budget(task, pictures(2, 3), sets, settings, "test", silent, rows, tmp_path)

    first, drawn = table(), counting.drawn
    again = table()
    assert counting.drawn == drawn > 0
    assert again.series == first.series
    assert repr(again.settings) == repr(first.settings)  # the processor seconds too; what was not swept is nan
    assert again.series == run_anew(task, sets)
    table(seed=1)
    assert counting.drawn > drawn


def run_anew(task: Task, sets: Mapping[str, Tensor]) -> dict[str, list[float]]:
    rows = {"X, Adam": SEARCHERS["X, Adam"]} | taught(task, pictures(9, 4), 200, 0, silent)
    return budget.run_budget(task, pictures(2, 3), sets, budget.BudgetSettings(3, (3,), 2), "test", silent, rows).series


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "load_image_task", lambda *_, **__: tiny_task())
    options = ["--targets", "2", "--tune-targets", "1", "--evaluations", "2"]
    folders = ["--data", str(data_folder(tmp_path / "data")), "--out", str(tmp_path / "r"), "--work", str(tmp_path / "w")]
    result = CliRunner().invoke(cli.app, ["reproduce", "budget", *options, *folders], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "r/budget.json").read_text())["n"] == {"faces": 2, "cats": 2}
    assert any((tmp_path / "w").iterdir())
