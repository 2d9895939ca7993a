"""Appendix B: what is measured of a buffer is what both of its steps did, and a training that goes on measures the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.experiments import em
from landscape_core.experiments.em import FIGURES, Remembering, measured_buffer, run_em, train_measured
from tests.tiny.tables import silent
from tests.training.test_alternating import SETTINGS, sample_targets, trainer

SHORT = replace(SETTINGS, buffers=4)


def test_before_and_after_are_of_the_buffers_own_points_and_targets() -> None:
    each = trainer(None, replace(SHORT, targets=4, keep_start=True))
    memory = Remembering(sample_targets)
    each.sample_targets = memory
    start = {name: value.clone() for name, value in each.mapping.state_dict().items()}
    figures = measured_buffer(each, memory)
    twin = trainer(None, replace(SHORT, targets=4, keep_start=True))
    assert all(torch.equal(value, start[name]) for name, value in twin.mapping.state_dict().items())
    for phase in twin.phases():  # the same buffer again, measured by hand
        if phase.name == "descend" and phase.done == 0:
            z, owner = phase.variable, phase.owner
            target = sample_targets(4, torch.Generator().manual_seed(SHORT.seed))
            table = ((twin.forward(twin.mapping(z)) - target.value[owner]) ** 2).mean(dim=1).detach()
    after = ((twin.forward(twin.mapping(z)) - target.value[owner]) ** 2).mean(dim=1).detach()
    lowest = [int(torch.where(owner == i, table, torch.inf).argmin()) for i in range(4)]
    assert figures["before"] == pytest.approx(float(table.mean()), rel=1e-5)
    assert figures["after"] == pytest.approx(float(after.mean()), rel=1e-5)
    assert figures["reached"] == pytest.approx(float(table[lowest].mean()), rel=1e-5)
    assert figures["kept"] == pytest.approx(float(after[lowest].mean()), rel=1e-5)
    assert figures["reached"] < figures["before"]
    assert figures["again"] > 0


def test_a_training_that_goes_on_measures_the_rest_and_learns_the_same(tmp_path: Path) -> None:
    whole = train_measured(trainer(tmp_path / "a", SHORT), lambda done, total: None)
    part = trainer(tmp_path / "b", SHORT)
    memory = Remembering(part.sample_targets)
    part.sample_targets = memory
    figures = measured_buffer(part, memory)
    part.progress.history[-1].update(figures)
    part.save()
    resumed = train_measured(trainer(tmp_path / "b", SHORT), lambda done, total: None)
    assert [each["after"] for each in resumed] == pytest.approx([each["after"] for each in whole])
    unmeasured = trainer(tmp_path / "c", SHORT)
    unmeasured.buffer_step()
    with pytest.raises(UserError, match="without its steps being measured"):
        train_measured(unmeasured, lambda done, total: None)


def test_claims_follow_from_the_buffers(tmp_path: Path) -> None:
    result = run_em(trainer(None, SHORT), "em", {}, "test", silent)
    assert result.n == {"buffers": 4}
    falls, mean, *_ = result.claims
    before, after = result.series["before"], result.series["after"]
    assert falls.ours == sum(a < b for a, b in zip(after, before, strict=True)) / 4
    assert falls.interval is not None
    assert falls.interval[1] <= 1.0
    ratios = torch.tensor(after).log() - torch.tensor(before).log()
    assert mean.ours == pytest.approx(float(ratios.mean().exp()) - 1, rel=1e-4)
    assert set(result.series) == set(FIGURES)
    em.plot(result, tmp_path / "em.png")
    assert (tmp_path / "em.png").stat().st_size > 10_000
    with pytest.raises(UserError, match="buffer"):
        run_em(trainer(None, replace(SHORT, mode="online")), "em", {}, "test", silent)
