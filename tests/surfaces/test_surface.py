"""Surfaces: equal to the run where it stands, every point evaluated once, kept by content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, run
from landscape_core.storage.cache import FolderCache
from landscape_core.storage.fingerprint import fingerprint
from landscape_core.surfaces.planes import Grid, random_plane
from landscape_core.surfaces.surface import Surface, evaluate, evaluate_all, levels, loss_in
from landscape_core.surfaces.views import views
from landscape_core.threads import Threads
from tests.tiny.models import DIM


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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


def test_the_centre_of_the_grid_is_the_runs_loss(task: Task, targets: Target, race: Trajectory) -> None:
    for sample in (0, 2):
        for view in views(task, race, "paper", "path", sample=sample, size=5):
            surface = last(evaluate(task, targets.select(slice(sample, sample + 1)), view.grid))
            assert float(surface.losses[2, 2]) == pytest.approx(float(next(iter(view.losses.values()))[-1]), rel=1e-5)


def test_a_masked_target_has_a_masked_surface(task: Task, targets: Target) -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :20] = 1.0
    target = Target(targets.value[:1], mask)
    race = run(*prepare(task, RunSettings.pair(space="paper", steps=2), target))
    view = views(task, race, "paper", "path", size=3)[1]
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
    assert levels(41) == (6, 11, 21, 41)
    task, sizes = counted
    grid = Grid(random_plane(torch.zeros(DIM), X, random(0)), (1.0, 1.0), size=21)
    seen = list(evaluate(task, targets.select(slice(0, 1)), grid, batch=50))
    assert sum(sizes) == 21 * 21
    reached = [surface.level for surface in seen]
    assert reached == sorted(reached)
    assert set(reached) == {0, 6, 11, 21}
    first = next(surface for surface in seen if surface.level == 6)
    assert first.done == 36  # the coarse one is whole before any finer point
    u, _, coarse = first.at_level(6)
    assert torch.equal(coarse, seen[-1].losses[::4, ::4])
    assert torch.equal(u, grid.ticks()[0][::4])
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
    part = last(evaluate(task, target, grid, batch=16, cache=cache, stop=lambda: next(calls)))
    assert part.done == 32
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
    assert int(kept["evaluated"].sum()) == 36  # the coarsest level


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


def test_threads_find_the_same_surface(task: Task, targets: Target) -> None:
    target = targets.select(slice(0, 1))
    grid = Grid(random_plane(torch.zeros(DIM), X, random(1)), (1.0, 1.0), size=21)
    alone = last(evaluate(task, target, grid, batch=30, thumbnail=4))
    shared = last(evaluate(task, target, grid, batch=30, thumbnail=4, in_turns=Threads(3).in_turns))
    assert torch.equal(shared.losses, alone.losses)
    assert torch.equal(shared.thumbnails, alone.thumbnails)
