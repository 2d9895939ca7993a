"""The cut between both ends: exact at the ends, and its words are what a known loss gives."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task
from landscape_core.search.trajectory import LaneRecord, Trajectory, run
from landscape_core.surfaces.cut import Cut, cut_between, cut_sentence, places
from landscape_core.surfaces.cut_export import cut_figure, cut_page, cut_png
from landscape_core.surfaces.data import cut_csv, cut_npz
from tests.tiny.models import tiny_task


class Along:
    """L = g(first coordinate of F's output)."""

    def __init__(self, shape):  # type: ignore[no-untyped-def]
        self.shape = shape

    def bind(self, target: Target):  # type: ignore[no-untyped-def]
        return lambda output: self.shape(output[:, 0])


class Doubled(nn.Module):
    """Θ(z) = 2 z."""

    def to_x(self, z: Tensor) -> Tensor:
        return 2 * z


def cut_of(shape, x: float, z: float, size: int = 41) -> Cut:  # type: ignore[no-untyped-def]
    prior = Prior.of(torch.tensor([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]))  # around the origin
    task = Task("line", nn.Identity(), prior, Along(shape), {"doubled": Doubled()})
    ends = [torch.tensor([[x, 0.0, 0.0]]), torch.tensor([[z / 2, 0.0, 0.0]])]
    record = [LaneRecord(name, [end], [torch.zeros(1)], [0.0]) for name, end in zip("XZ", ends, strict=True)]
    *_, cut = cut_between(task, Target(torch.zeros(1, 3)), Trajectory(record, [0]), "doubled", size=size, batch=7)
    return cut


def test_a_parabola_has_one_basin_and_a_double_well_a_barrier() -> None:
    bowl = cut_of(lambda t: (t - 1) ** 2, 0.0, 3.0, 73)  # 36 points to the way: a third of it is among them
    assert bowl.ends == pytest.approx({"X": 1.0, "Z": 4.0})
    assert bowl.rise == 0.0
    assert "share one basin" in cut_sentence(bowl)
    assert "33\u00a0% of the way" in cut_sentence(bowl)
    wells = cut_of(lambda t: (t**2 - 1) ** 2, -1.0, 1.0)
    assert wells.length == pytest.approx(2.0)
    assert wells.rise == pytest.approx(1.0)
    assert "rises to 1: along this line a barrier" in cut_sentence(wells)
    assert torch.allclose(wells.losses, ((2 * wells.places - 1) ** 2 - 1) ** 2, atol=1e-5)


def test_both_ends_are_among_the_places() -> None:
    for size in (5, 41, 81):
        assert len(places(size)) == size
        assert {0.0, 1.0, -0.5, 1.5} <= set(places(size).tolist())
    with pytest.raises(ValueError, match="4 k"):
        places(40)


def test_the_losses_at_the_ends_are_the_runs() -> None:
    task = tiny_task()
    target = task.sampled(1, torch.Generator().manual_seed(1))
    race = run(*prepare(task, RunSettings.pair(space="paper", steps=4), target))
    *_, cut = cut_between(task, target, race, "paper", size=9)
    for lane in ("X", "Z"):
        assert cut.ends[lane] == pytest.approx(float(race.lane(lane).losses[-1]), rel=1e-4)


def test_ends_in_one_place_have_no_line_and_stop_is_asked() -> None:
    with pytest.raises(UserError, match="same place"):
        cut_of(lambda t: t**2, 1.0, 1.0)
    task = tiny_task()
    target = task.sampled(1, torch.Generator().manual_seed(1))
    race = run(*prepare(task, RunSettings.pair(space="paper", steps=2), target))
    assert list(cut_between(task, target, race, "paper", size=9, stop=lambda: True)) == []
    first = next(cut_between(task, target, race, "paper", size=41, batch=21))
    assert not first.whole  # coarse places first
    assert torch.isfinite(first.losses[::2]).all()


def test_exports_hold_the_line_its_ends_and_the_settings() -> None:
    cut, said = cut_of(lambda t: t**2, -1.0, 1.0), {"task": "line", "steps": 3}
    markers = {trace.name: (trace.x[0], trace.y[0]) for trace in cut_figure(cut).data if trace.mode == "markers"}
    assert markers == {"X's end": (0, pytest.approx(1.0)), "Z's end": (1, pytest.approx(1.0))}
    page = cut_page(cut, settings=said)
    assert cut_sentence(cut).replace("'", "&#x27;") in page
    assert "<li>steps: 3</li>" in page
    with np.load(io.BytesIO(cut_npz(cut, said)), allow_pickle=False) as arrays:
        assert np.allclose(arrays["losses"], cut.losses)
        assert '"steps": 3' in str(arrays["settings"])
    lines = cut_csv(cut, said).splitlines()
    assert lines[:3] == ["# task: line", "# steps: 3", "place_between_ends,loss"]
    assert len(lines) == 3 + 41
    with Image.open(io.BytesIO(cut_png(cut, settings=said))) as image:
        assert image.width > 800
