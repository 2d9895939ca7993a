"""Reversals, Eq. 7 against its definition, and the defence as a task that every solver takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from landscape_core.defence.objective import BOUND, DIM, PIXEL, ContrastiveObjective, Reversal, margin, random_starts, restored
from landscape_core.defence.task import PAPER_STEP, classifier_names, defence_task, load_defence
from landscape_core.defence.views import identity_view
from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import Adam
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import X
from landscape_core.search.trajectory import run
from landscape_core.storage import zoo
from landscape_core.surfaces.planes import Grid, random_plane
from landscape_core.surfaces.surface import evaluate
from tests.tiny.defended import pictures, tiny_assets, tiny_defence, tiny_objective


def test_a_reversal_is_bounded_and_the_identity_near_zero() -> None:
    r = Reversal()(10.0 * torch.randn(2, DIM, generator=torch.Generator().manual_seed(0)))
    assert r.shape == (2, 3, 32, 32)
    assert r.abs().max() <= PIXEL * BOUND * (1 + 1e-6)
    small = torch.full((1, DIM), 1e-4)
    assert torch.allclose(Reversal()(small).flatten(), torch.full((DIM,), PIXEL * 1e-4), rtol=1e-4)


def test_restored_pictures_are_valid() -> None:
    bright = restored(torch.full((1, 3, 32, 32), 0.95), torch.full((1, 3, 32, 32), 0.2))
    assert bright.max() == 1.0
    assert torch.allclose(restored(torch.zeros(1, 3, 32, 32), torch.full((1, 3, 32, 32), 0.2)), torch.tensor(0.2))


def test_the_margin_is_the_true_logit_minus_the_best_other() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0]])
    assert margin(logits, torch.tensor([0, 2])).tolist() == [1.0, -4.0]


def test_the_contrastive_term_is_its_definition() -> None:
    objective, x = tiny_objective(), pictures(3)
    views = objective.views(x)
    f = torch.stack([objective.head(objective.classifier.features(view)) for view in views])  # (V, B, dim)
    bank, wanted = objective.head.get_buffer("bank"), []
    for sample in range(3):
        terms = []
        for i in range(len(views)):
            for j in range(len(views)):
                if i != j:
                    cosines = F.cosine_similarity(f[i, sample][None], torch.cat([f[j, sample][None], bank]))
                    terms.append(F.cross_entropy(cosines[None] / objective.temperature, torch.tensor([0])))
        wanted.append(torch.stack(terms).mean())
    assert torch.allclose(objective.contrastive(x), torch.stack(wanted), atol=1e-4)


def test_the_decay_prices_the_energy_of_r_for_pixels_in_0_to_1() -> None:
    objective, x = tiny_objective(), 0.5 * pictures(2)
    r = torch.zeros(2, 3, 32, 32)
    r[1, 0, 0, 0] = 0.3
    gap = objective.bind(Target(x))(r) - objective.contrastive(restored(x, r))
    assert torch.allclose(gap, torch.tensor([0.0, 0.15**2]), atol=1e-5)


def test_a_sample_does_not_depend_on_the_rest_of_its_batch() -> None:
    objective, x = tiny_objective(), pictures(4)
    r = 0.05 * torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    together = objective.bind(Target(x))(r)
    alone = torch.cat([objective.bind(Target(x[i : i + 1]))(r[i : i + 1]) for i in range(4)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_one_view_is_too_few() -> None:
    objective = tiny_objective()
    with pytest.raises(ValueError, match="at least two views"):
        ContrastiveObjective(objective.classifier, objective.head, identity_view())


def test_descent_in_x_lowers_the_loss_and_stays_within_the_bound() -> None:
    task, x = defence_task("defence/tiny", tiny_objective()), pictures(3)
    space = task.space(X)
    solver = Solver(task.forward, task.objective, Target(x), [Lane("X", space, Adam(1 / 255))], max_steps=4)
    trajectory = run(solver, random_starts([space], 3, 0))
    table = trajectory.lane("X").loss_table()
    assert (table[-1] < table[0]).all()
    assert trajectory.last is not None
    assert trajectory.last.lanes[0].output.abs().max() <= PIXEL * BOUND


def test_random_starts_are_fixed_by_the_seed_and_a_pictures_start_does_not_depend_on_its_batch() -> None:
    space = defence_task("defence/tiny", tiny_objective()).space(X)
    (few,), (many,) = random_starts([space], 2, 3), random_starts([space], 5, 3)
    assert torch.equal(few, many[:2])
    assert not torch.equal(few, random_starts([space], 2, 4)[0])
    assert few.std() * 255 == pytest.approx(0.2, rel=0.1)


def test_everything_loads_from_files_and_both_spaces_race(tmp_path: Path) -> None:
    defence = tiny_defence(tmp_path)
    assert classifier_names(tmp_path) == ["ro"]
    assert set(defence.task.hashes) == {"defence/ro", "defence/ro/head", "defence/ro/theta-residual"}
    assert defence.task.advice(X) == PAPER_STEP
    assert defence.task.advice("residual") == PAPER_STEP
    lanes = [Lane(name, defence.task.space(name), PAPER_STEP.build(2)) for name in (X, "residual")]
    x = pictures(2)
    solver = Solver(defence.task.forward, defence.task.objective, Target(x), lanes, max_steps=2)
    last = run(solver, random_starts([lane.space for lane in lanes], 2, 0)).last
    assert last is not None
    assert all(torch.isfinite(lane.loss).all() for lane in last.lanes)


def test_surfaces_take_it_like_any_other_task(tmp_path: Path) -> None:
    task, target = load_defence("ro", tiny_assets(tmp_path)).task, Target(pictures(1))
    for name in (X, "residual"):
        origin = torch.zeros(task.space(name).dim)
        grid = Grid(random_plane(origin, name, torch.Generator().manual_seed(0)), (0.1, 0.1), size=3)
        *_, surface = evaluate(task, target, grid)
        x = task.space(name).to_x(origin[None])
        centre = task.objective.bind(target)(task.forward(x))
        assert float(surface.losses[1, 1]) == pytest.approx(float(centre), rel=1e-4)


def test_without_a_theta_the_learned_space_is_the_untrained_one(tmp_path: Path) -> None:
    assert list(load_defence("ro", tiny_assets(tmp_path, mapping=False)).task.mappings) == ["random"]


def test_a_classifier_without_a_head_is_a_sentence(tmp_path: Path) -> None:
    tiny_assets(tmp_path)
    with pytest.raises(UserError, match="There is no model 'defence/mart'"):
        load_defence("mart", tmp_path)
    (tmp_path / "defence" / "ro" / "head" / zoo.CARD).unlink()
    with pytest.raises(UserError, match="There is no model 'defence/ro/head'"):
        load_defence("ro", tmp_path)
