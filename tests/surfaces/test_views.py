"""The views of a race: which plane, which paths, and what the plane does not show."""

from __future__ import annotations

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, run
from landscape_core.surfaces.planes import StoppedError, principal_plane
from landscape_core.surfaces.surface import path_on_plane
from landscape_core.surfaces.views import AXES, KINDS, Kind, in_x, recovered_planes, recovering, views
from tests.tiny.models import DIM


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_path_on_a_plane_has_both_losses(task: Task, targets: Target, race: Trajectory) -> None:
    view = views(task, race, "paper", "path", sample=1)[1]
    path = path_on_plane(task, targets.select(slice(1, 2)), view.grid.plane, view.paths["Z"], view.losses["Z"], batch=2)
    assert path.coordinates.shape == (6, 2)
    assert float(path.distance[-1]) == 0.0  # the plane goes through the last step
    assert float(path.plane_loss[-1]) == pytest.approx(float(path.true_loss[-1]), rel=1e-5)
    off = int(path.distance.argmax())
    assert float(path.distance[off]) > 0
    assert float(path.plane_loss[off]) != pytest.approx(float(path.true_loss[off]), rel=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_view_holds_its_paths(task: Task, targets: Target, race: Trajectory, kind: Kind) -> None:
    recovered = recovered_planes(task, "paper", targets, steps=2, batch=3)
    target = targets.select(slice(1, 2))
    found = views(task, race, "paper", kind, target=target, recovered=recovered, size=5, sample=1)
    assert [view.grid.plane.space for view in found] == ([X] if kind in ("ends", "shared") else [X, "paper"])
    assert {name for view in found for name in view.paths} == {"X", "Z"}
    for view in found:
        for name, path in view.paths.items():
            coordinates, _ = view.grid.plane.project(path)
            inside = (coordinates - torch.tensor(view.grid.centre)).abs() <= torch.tensor(view.grid.half)
            assert inside.all(), f"{name} leaves the grid"
            assert len(path) == len(view.losses[name]) == 6
    assert {view.axes for view in found} == {AXES[kind]}


def test_the_plane_through_the_ends_holds_them_exactly(task: Task, race: Trajectory) -> None:
    (view,) = views(task, race, "paper", "ends")
    ends = torch.stack([view.paths["X"][0], view.paths["X"][-1], view.paths["Z"][-1]])
    assert view.grid.plane.project(ends)[1].max() < 1e-4


def test_z_is_drawn_in_x_through_the_mapping(task: Task) -> None:
    z = torch.randn(3, DIM, generator=random(0))
    with torch.no_grad():
        x = task.space("paper").to_x(z)
    assert torch.allclose(task.space(X).to_x(in_x(task, "paper", z)), x, atol=1e-6)


def test_recovered_planes_are_those_of_the_runs_ends(task: Task, targets: Target) -> None:
    settings = RunSettings.pair(space="paper", steps=3)
    ends = run(*prepare(task, settings, targets)).lanes[1].variables[-1]
    calls: list[tuple[int, int]] = []
    planes = recovered_planes(task, "paper", targets, steps=3, batch=2, progress=lambda *c: calls.append(c))
    expected = principal_plane(ends, "paper")
    assert torch.allclose((planes["paper"].axes @ expected.axes.T).abs(), torch.eye(2), atol=1e-2)
    assert calls == [(0, 12), (2, 12), (4, 12), (6, 12), (6, 12), (8, 12), (10, 12), (12, 12)]  # a step of two targets each


def test_recovery_can_be_stopped(task: Task, targets: Target) -> None:
    asked = iter([False, False, True, True])
    with pytest.raises(StoppedError, match="targets"):
        list(recovering(task, "paper", targets, steps=3, stop=lambda: next(asked)))


def test_a_run_too_short_for_a_plane_is_a_sentence(task: Task, targets: Target) -> None:
    race = run(*prepare(task, RunSettings.pair(space="paper", steps=1), targets))
    with pytest.raises(UserError, match="two steps or more"):
        views(task, race, "paper", "path")
    with pytest.raises(UserError, match="targets to recover"):
        views(task, race, "paper", "recovered")
