"""How several processes share a batch; that they then learn what one does is in tests/test_processes.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.training.gan import GanConfig, GanTrainer
from landscape_core.generators.training.shares import Shares
from landscape_core.generators.training.sharpen import SharpenConfig
from tests.generators.test_sharpen import trainer
from tests.generators.test_training import recipe_run


def by_process(shares: Shares, whole: Tensor, n: int, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Each one's rows, of n processes."""
    monkeypatch.setattr("landscape_core.processes.count", lambda: n)

    def sharing(index: int) -> Callable[[Tensor], Tensor]:
        return lambda rows: rows.tensor_split(n)[index]

    found = []
    for index in range(n):
        monkeypatch.setattr("landscape_core.processes.share", sharing(index))
        found.append(shares.of(whole))
    return found


@pytest.mark.parametrize(("parts", "group", "n"), [((12, 12, 12), 4, 2), ((12, 12, 12), 4, 3), ((3, 4), 1, 3), ((8,), 4, 2)])
def test_every_row_is_one_processs_and_groups_stay_together(
    parts: tuple[int, ...], group: int, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares, rows = Shares(parts, group), torch.arange(sum(parts))
    assert shares.n == len(rows)
    found = by_process(shares, rows, n, monkeypatch)
    assert sorted(torch.cat(found).tolist()) == rows.tolist()
    for own in found:
        assert ((own[::group, None] + torch.arange(group)).flatten() == own).all()
    first = by_process(Shares(parts[:1], group), rows[: parts[0]], n, monkeypatch)
    assert all(torch.equal(own[: len(part)], part) for own, part in zip(found, first, strict=True))


def test_parts_of_a_mean_add_up_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shares, values = Shares((3, 4)), torch.rand(7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    parts = [shares.mean(own) for own in by_process(shares, values, 3, monkeypatch)]
    assert float(torch.stack(parts).sum()) == pytest.approx(float(values.mean()), rel=1e-12)


@pytest.mark.usefixtures("no_lpips")
def test_more_processes_than_can_share_a_batch_are_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landscape_core.processes.count", lambda: 3)
    with pytest.raises(UserError, match="takes 16 at a time, which 3 processes cannot share; start at most 2"):
        recipe_run(tmp_path).run()
    assert not any(tmp_path.iterdir())
    with pytest.raises(UserError, match="share batches of a multiple of 8, not of 12"):
        GanTrainer.check_shares(GanConfig(batch=12))


@pytest.mark.usefixtures("no_lpips")
def test_what_several_processes_share_is_not_captured_and_they_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = trainer(tmp_path)
    run.device = torch.device("cuda")
    assert run.config == SharpenConfig(**{**vars(run.config), "graph": True})
    assert run._capture() is not None
    monkeypatch.setattr("landscape_core.processes.count", lambda: 2)
    assert run._capture() is None
    (record,) = caplog.records
    assert record.message == "Several processes share an update, which therefore runs without a CUDA graph."
