"""Planes, grids and surfaces: exact where geometry says so, equal to the run where it stands, cheap to refine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.fingerprint import fingerprint
from landscape_core.objectives import SquaredError, Target
from landscape_core.planes import Grid, Plane, extent, grid_over, plane_through, principal_plane, random_plane
from landscape_core.runs import RunSettings, prepare
from landscape_core.surface import Surface, evaluate, evaluate_all, levels, loss_in, path_on_plane
from landscape_core.surface_cache import FolderCache
from landscape_core.surface_views import KINDS, Kind, in_x, recovered_planes, views
from landscape_core.tasks.base import Task, X
from landscape_core.trajectory import Trajectory, run
from tests.tiny import DIM, tiny_task


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def task() -> Task:
    return tiny_task()


@pytest.fixture(scope="module")
def targets(task: Task) -> Target:
    with torch.no_grad():
        return Target(task.forward(task.prior.sample(4, random(1))))


@pytest.fixture(scope="module")
def race(task: Task, targets: Target) -> Trajectory:
    return run(*prepare(task, RunSettings(steps=5), targets))


@pytest.fixture
def counted(task: Task) -> tuple[Task, list[int]]:
    """The task with an F that notes the size of every batch it is given."""
    sizes: list[int] = []

    class Counting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            return task.forward(x)

    return replace(task, forward=Counting()), sizes


def last(surfaces: Iterator[Surface]) -> Surface:
    *_, surface = surfaces
    return surface


# Planes


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_points_of_a_plane_project_to_themselves(seed: int) -> None:
    points = torch.randn(3, 7, generator=random(seed))
    for plane in (plane_through(*points, X), principal_plane(points, X), random_plane(points[0], X, random(seed))):
        assert torch.allclose(plane.axes @ plane.axes.T, torch.eye(2), atol=1e-5)
        coordinates = torch.randn(5, 2, generator=random(seed))
        found, distance = plane.project(plane.at(coordinates))
        assert torch.allclose(found, coordinates, atol=1e-4)
        assert distance.max() < 1e-4


def test_the_distance_from_a_plane_is_the_length_of_what_sticks_out() -> None:
    plane = Plane(torch.zeros(4), torch.eye(4)[:2], X)
    coordinates, distance = plane.project(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    assert coordinates.tolist() == [[1.0, 2.0]]
    assert float(distance) == 5.0


def test_three_points_lie_on_their_plane_and_a_line_has_none() -> None:
    points = torch.randn(3, 9, generator=random(0))
    assert plane_through(*points, X).project(points)[1].max() < 1e-5
    with pytest.raises(UserError, match="one line"):
        plane_through(points[0], points[1], points[0] + 2 * (points[1] - points[0]), X)
    with pytest.raises(UserError, match="one line"):
        plane_through(points[0], points[0], points[1], X)


def test_principal_directions_are_those_of_the_spread() -> None:
    scale = torch.tensor([0.1, 3.0, 0.2, 2.0, 0.1])
    points = torch.randn(4000, 5, generator=random(0)) * scale
    plane = principal_plane(points, X, origin=points[7])
    assert plane.explained is not None
    assert plane.spread is not None
    assert plane.axes.abs().argmax(dim=1).tolist() == [1, 3]
    assert plane.explained[0] == pytest.approx(9 / 13.06, abs=0.03)
    assert plane.spread.tolist() == pytest.approx([3.0, 2.0], rel=0.05)
    assert torch.equal(plane.at(torch.zeros(1, 2))[0], points[7])


@pytest.mark.parametrize("points", [torch.randn(2, 5), torch.arange(6.0)[:, None] * torch.ones(5), torch.zeros(6, 5)])
def test_too_few_points_or_a_line_have_no_principal_plane(points: Tensor) -> None:
    with pytest.raises(UserError, match="points"):
        principal_plane(points, X)


def test_a_grid_has_its_centre_and_holds_the_path() -> None:
    plane = Plane(torch.zeros(3), torch.eye(3)[:2], X)
    path = torch.tensor([[0.0, 0.0], [4.0, 1.0]])
    grid = grid_over(plane, path, size=11)
    assert grid.coordinates()[5, 5].tolist() == [2.0, 0.5]
    assert grid.coordinates()[0, -1].tolist() == pytest.approx([2 - 2.4, 0.5 + 0.6])
    assert extent(torch.tensor([[1.0, 0.0]]), margin=1.0) == pytest.approx((1.0, 0.1))  # still a surface
    with pytest.raises(UserError, match="not moved"):
        extent(torch.zeros(3, 2))
    with pytest.raises(ValueError, match="odd"):
        Grid(plane, (1.0, 1.0), size=10)


# Surfaces


def test_the_centre_of_the_grid_is_the_runs_loss(task: Task, targets: Target, race: Trajectory) -> None:
    for sample in (0, 2):
        for view in views(task, race, "residual", "path", sample=sample, size=5):
            surface = last(evaluate(task, targets.select(slice(sample, sample + 1)), view.grid))
            assert float(surface.losses[2, 2]) == pytest.approx(float(next(iter(view.losses.values()))[-1]), rel=1e-5)


def test_a_masked_target_has_a_masked_surface(task: Task, targets: Target) -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :20] = 1.0
    target = Target(targets.value[:1], mask)
    race = run(*prepare(task, RunSettings(steps=2), target))
    view = views(task, race, "residual", "path", size=3)[1]
    surface = last(evaluate(task, target, view.grid))
    assert float(surface.losses[1, 1]) == pytest.approx(float(race.lanes[1].losses[-1][0]), rel=1e-5)


def test_every_point_of_the_surface_is_the_loss_there(task: Task, targets: Target) -> None:
    plane = random_plane(torch.zeros(DIM), "paper", random(0))
    grid = Grid(plane, (2.0, 1.0), (0.5, 0.0), size=5)
    target = targets.select(slice(0, 1))
    surface = last(evaluate(task, target, grid, batch=7, thumbnail=8))
    u, v = grid.ticks()
    point = plane.at(torch.tensor([[u[1], v[3]]]))
    with torch.no_grad():
        output = task.forward(task.space("paper").to_x(point))
    assert float(surface.losses[1, 3]) == pytest.approx(float(task.objective.bind(target)(output)), rel=1e-5)
    assert surface.thumbnails is not None
    expected = (nn.functional.avg_pool2d(output[0], 8).clamp(-1, 1) + 1) * 127.5
    assert (surface.thumbnails[1, 3] - expected).abs().max() <= 1.0


def test_levels_nest_and_refinement_evaluates_every_point_once(counted: tuple[Task, list[int]], targets: Target) -> None:
    assert levels(41) == (11, 21, 41)
    task, sizes = counted
    grid = Grid(random_plane(torch.zeros(DIM), X, random(0)), (1.0, 1.0), size=21)
    seen = list(evaluate(task, targets.select(slice(0, 1)), grid, batch=50))
    assert sum(sizes) == 21 * 21
    reached = [surface.level for surface in seen]
    assert reached == sorted(reached)
    assert set(reached) == {0, 11, 21}
    first = next(surface for surface in seen if surface.level == 11)
    assert first.done == 121  # the coarse one is whole before any finer point
    u, _, coarse = first.at_level(11)
    assert torch.equal(coarse, seen[-1].losses[::2, ::2])
    assert torch.equal(u, grid.ticks()[0][::2])
    assert torch.isfinite(seen[-1].losses).all()
    assert torch.isnan(first.losses[1, 1])


def test_both_surfaces_are_coarse_before_either_is_fine(task: Task, targets: Target) -> None:
    target = targets.select(slice(0, 1))
    grids = {name: Grid(random_plane(torch.zeros(DIM), name, random(0)), (1.0, 1.0), size=21) for name in (X, "paper")}
    for both in evaluate_all({name: evaluate(task, target, grid, batch=40) for name, grid in grids.items()}):
        assert abs(both[X].done - both["paper"].done) <= 40
    assert both[X].level == both["paper"].level == 21


def test_stop_keeps_what_is_there_and_the_cache_goes_on(counted: tuple[Task, list[int]], targets: Target) -> None:
    task, sizes = counted
    target, grid = targets.select(slice(0, 1)), Grid(random_plane(torch.zeros(DIM), X, random(0)), (1.0, 1.0), size=11)
    cache: dict[str, dict[str, Tensor]] = {}
    calls = iter([False, False, True])
    part = last(evaluate(task, target, grid, batch=30, cache=cache, stop=lambda: next(calls)))
    assert part.done == 60
    assert part.level == 0
    whole = last(evaluate(task, target, grid, batch=30, cache=cache))
    assert whole.done == sum(sizes) == 121
    assert torch.equal(whole.losses[part.evaluated], part.losses[part.evaluated])


def test_a_caller_who_walks_away_leaves_the_points_in_the_cache(task: Task, targets: Target) -> None:
    cache: dict[str, dict[str, Tensor]] = {}
    grid = Grid(random_plane(torch.zeros(DIM), X, random(0)), (1.0, 1.0), size=11)
    walk = evaluate_all({"a": evaluate(task, targets.select(slice(0, 1)), grid, batch=30, cache=cache)})
    for _ in range(3):
        next(walk)
    walk.close()  # type: ignore[attr-defined]
    (kept,) = cache.values()
    assert int(kept["evaluated"].sum()) == 60


@pytest.mark.parametrize("folder", [False, True])
def test_a_cache_hit_is_equal_and_free(counted: tuple[Task, list[int]], targets: Target, tmp_path: Path, folder: bool) -> None:
    task, sizes = counted
    cache = FolderCache(tmp_path) if folder else {}
    target, grid = targets.select(slice(0, 1)), Grid(random_plane(torch.zeros(DIM), X, random(0)), (1.0, 1.0), size=5)
    first = last(evaluate(task, target, grid, cache=cache, thumbnail=4))
    assert sum(sizes) == 25
    second = last(evaluate(task, target, grid, cache=FolderCache(tmp_path) if folder else cache, thumbnail=4))
    assert sum(sizes) == 25
    assert torch.equal(first.losses, second.losses)
    assert first.thumbnails is not None
    assert second.thumbnails is not None
    assert torch.equal(first.thumbnails, second.thumbnails)
    for other in (targets.select(slice(1, 2)), Target(target.value, torch.ones(1, 1, 64, 64))):
        last(evaluate(task, other, grid, cache=cache))
    last(evaluate(task, target, replace(grid, centre=(0.1, 0.0)), cache=cache))
    last(evaluate(replace(task, objective=SquaredError()), target, grid, cache=cache))
    assert sum(sizes) == 5 * 25  # another target, mask, grid or objective is another surface
    assert len(cache) == 5


def test_the_folder_cache_is_a_mapping(tmp_path: Path) -> None:
    cache = FolderCache(tmp_path / "new")
    assert list(cache) == []
    cache["a"] = {"losses": torch.ones(2)}
    assert "a" in cache
    del cache["a"]
    with pytest.raises(KeyError):
        cache["a"]
    with pytest.raises(KeyError):
        del cache["a"]


def test_a_fingerprint_is_that_of_contents() -> None:
    layer, same = nn.Linear(2, 2), nn.Linear(2, 2)
    assert fingerprint(layer) != fingerprint(same)
    same.load_state_dict(layer.state_dict())
    assert fingerprint(layer, {"a": 1, "b": (2.0, None)}) == fingerprint(same, {"b": (2.0, None), "a": 1})
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint(torch.zeros(2, 3)) != fingerprint(torch.zeros(3, 2))


def test_losses_need_one_target_and_an_objective_per_sample(task: Task, targets: Target) -> None:
    with pytest.raises(ValueError, match="one target"):
        loss_in(task, X, targets)

    class Averaging:
        def bind(self, target: Target):  # type: ignore[no-untyped-def]
            return lambda output: (output - target.value).square().mean()

    losses = loss_in(replace(task, objective=Averaging()), X, targets.select(slice(0, 1)))
    with pytest.raises(ValueError, match="many outputs"):
        losses(torch.zeros(3, DIM))


# Views


def test_a_path_on_a_plane_has_both_losses(task: Task, targets: Target, race: Trajectory) -> None:
    view = views(task, race, "residual", "path", sample=1)[1]
    path = path_on_plane(task, targets.select(slice(1, 2)), view.grid.plane, view.paths["Z"], view.losses["Z"], batch=2)
    assert path.coordinates.shape == (6, 2)
    assert float(path.distance[-1]) == 0.0  # the plane goes through the last step
    assert float(path.plane_loss[-1]) == pytest.approx(float(path.true_loss[-1]), rel=1e-5)
    off = int(path.distance.argmax())
    assert float(path.distance[off]) > 0
    assert float(path.plane_loss[off]) != pytest.approx(float(path.true_loss[off]), rel=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_view_holds_its_paths(task: Task, targets: Target, race: Trajectory, kind: Kind) -> None:
    recovered = recovered_planes(task, "residual", targets, steps=2, batch=3)
    found = views(task, race, "residual", kind, recovered=recovered, size=5, sample=1)
    assert [view.grid.plane.space for view in found] == ([X] if kind in ("ends", "shared") else [X, "residual"])
    assert {name for view in found for name in view.paths} == {"X", "Z"}
    for view in found:
        for name, path in view.paths.items():
            coordinates, _ = view.grid.plane.project(path)
            inside = (coordinates - torch.tensor(view.grid.centre)).abs() <= torch.tensor(view.grid.half)
            assert inside.all(), f"{name} leaves the grid"
            assert len(path) == len(view.losses[name]) == 6


def test_the_plane_through_the_ends_holds_them_exactly(task: Task, race: Trajectory) -> None:
    (view,) = views(task, race, "residual", "ends")
    ends = torch.stack([view.paths["X"][0], view.paths["X"][-1], view.paths["Z"][-1]])
    assert view.grid.plane.project(ends)[1].max() < 1e-4


def test_z_is_drawn_in_x_through_the_mapping(task: Task) -> None:
    z = torch.randn(3, DIM, generator=random(0))
    with torch.no_grad():
        x = task.space("paper").to_x(z)
    assert torch.allclose(task.space(X).to_x(in_x(task, "paper", z)), x, atol=1e-6)


def test_recovered_planes_are_those_of_the_runs_ends(task: Task, targets: Target) -> None:
    settings = RunSettings(steps=3)
    ends = run(*prepare(task, settings, targets)).lanes[1].variables[-1]
    calls: list[tuple[int, int]] = []
    planes = recovered_planes(task, "residual", targets, steps=3, batch=2, progress=lambda *c: calls.append(c))
    expected = principal_plane(ends, "residual")
    assert torch.allclose((planes["residual"].axes @ expected.axes.T).abs(), torch.eye(2), atol=1e-2)
    assert calls == [(2, 4), (4, 4)]


def test_a_run_too_short_for_a_plane_is_a_sentence(task: Task, targets: Target) -> None:
    race = run(*prepare(task, RunSettings(steps=1), targets))
    with pytest.raises(UserError, match="two steps or more"):
        views(task, race, "residual", "path")
    with pytest.raises(UserError, match="targets to recover"):
        views(task, race, "residual", "recovered")
