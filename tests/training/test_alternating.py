"""Alternating optimisation on a problem small enough to see that it works, that it resumes, and that it stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from landscape_core.errors import UserError
from landscape_core.progress import silent
from landscape_core.search.curvature import mean_curvature, whitener
from landscape_core.search.mapping import MappingConfig, ResidualMapping, build_mapping
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.optimizers import Adam
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import Prior, XSpace, ZSpace
from landscape_core.search.trajectory import run
from landscape_core.training.alternating import MappingTrainer, train_mapping
from landscape_core.training.rollout import RAN_AWAY, Phase
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import updates_per_buffer

DIM = 6
SETTINGS = MappingTraining(buffers=12, targets=16, steps=5, batch=8, lr=5e-3, weight_decay=0.0)


class Bent(nn.Module):
    """A non-linear forward model whose directions differ in scale by a hundred."""

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.register_buffer("turn", torch.linalg.qr(torch.randn(DIM, DIM, generator=random)).Q)
        self.register_buffer("scale", torch.logspace(-1, 1, DIM))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bent = torch.tanh(x @ self.turn) + 0.3 * x @ self.turn
        return bent * self.scale


def problem() -> tuple[Bent, Prior]:
    return Bent(), Prior(torch.zeros(DIM), torch.eye(DIM))


def sample_targets(n: int, random: torch.Generator) -> Target:
    return Target(Bent()(torch.randn(n, DIM, generator=random)))


def trainer(out: Path | None, settings: MappingTraining = SETTINGS, kind: str = "residual") -> MappingTrainer:
    forward, prior = problem()
    taken_out = None
    if kind == "residual":
        inputs = torch.randn(20, DIM, generator=torch.Generator().manual_seed(7))
        taken_out = whitener(mean_curvature(forward, SquaredError(), inputs))
    mapping = build_mapping(MappingConfig(kind, DIM, DIM, 32), prior, whitener=taken_out, seed=2)
    return MappingTrainer(mapping, DIM, forward, SquaredError(), sample_targets, settings, out)


def collecting_phases(each: MappingTrainer) -> list[Phase]:
    """The phases of a buffer up to the first update of θ, which is not taken."""
    phases = []
    for phase in each.phases():
        phases.append(phase)
        if phase.name == "descend":
            break
    return phases


def mean_loss(space: XSpace | ZSpace, steps: int) -> float:
    forward, _ = problem()
    target = sample_targets(64, torch.Generator().manual_seed(99))
    solver = Solver(forward, SquaredError(), target, [Lane("v", space, Adam(0.1))], max_steps=steps)
    return float(run(solver, [space.mean_start(64)]).last.lanes[0].loss.mean())


@pytest.mark.parametrize("kind", ["residual", "mlp"])
def test_descent_in_the_learned_space_is_faster_on_targets_never_seen(tmp_path: Path, kind: str) -> None:
    settings = replace(SETTINGS, buffers=60, keep_start=kind == "residual")
    mapping = train_mapping(trainer(tmp_path, settings, kind), silent)
    _, prior = problem()
    assert mean_loss(ZSpace(mapping, DIM), 5) < 0.8 * mean_loss(XSpace(prior), 5)


def test_a_buffer_takes_as_many_draws_as_it_holds(tmp_path: Path) -> None:
    each = trainer(tmp_path)
    drawn: list[int] = []
    update = each._update
    each._update = lambda z, target: drawn.append(len(z)) or update(z, target)
    each.buffer_step()
    assert sum(drawn) == SETTINGS.targets * SETTINGS.steps
    assert set(drawn) == {SETTINGS.batch}


def test_the_start_is_kept_in_the_buffer_where_asked(tmp_path: Path) -> None:
    each = trainer(tmp_path, replace(SETTINGS, keep_start=True))
    descending = collecting_phases(each)[-1]
    visited, owners = descending.variable, descending.owner
    assert len(visited) == SETTINGS.targets * (SETTINGS.steps + 1)
    assert (visited == 0).all(dim=1).sum() == SETTINGS.targets
    assert torch.equal(torch.bincount(owners), torch.full((16,), SETTINGS.steps + 1))


class Steep(Bent):
    """Three steps away it is astronomically large."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(20 * x) - 1


def test_a_step_that_ran_away_is_not_learned_from(tmp_path: Path) -> None:
    settings = replace(SETTINGS, z_optimizer="gd", z_lr=0.05)
    mapping, target = nn.Linear(DIM, DIM), Target(torch.full((16, DIM), 2.0))
    nn.init.eye_(mapping.weight)
    nn.init.zeros_(mapping.bias)
    each = MappingTrainer(mapping, DIM, Steep(), SquaredError(), lambda *_: target, settings, tmp_path)
    *collecting, descending = collecting_phases(each)

    def losses(phase: Phase) -> torch.Tensor:
        return SquaredError().bind(target.select(phase.owner))(Steep()(phase.variable))

    assert (losses(collecting[1]) > RAN_AWAY * losses(collecting[0])).all()  # it did
    assert (losses(descending) <= RAN_AWAY * losses(collecting[0])[0]).all()
    for _ in range(3):
        each.buffer_step()
        each.save()


def test_collecting_leaves_theta_alone(tmp_path: Path) -> None:
    each = trainer(tmp_path)
    before = {name: value.clone() for name, value in each.mapping.state_dict().items()}
    *collecting, descending = collecting_phases(each)
    assert [phase.done for phase in collecting] == [*range(SETTINGS.steps)]
    assert descending.variable.shape == (SETTINGS.targets * SETTINGS.steps, DIM)
    assert torch.equal(torch.bincount(descending.owner), torch.full((16,), SETTINGS.steps))
    assert torch.equal(descending.variable[:16], collecting[1].variable)
    assert all(torch.equal(before[name], value) for name, value in each.mapping.state_dict().items())


def test_phases_are_the_buffer_step_one_update_at_a_time(tmp_path: Path) -> None:
    whole, by_phase = trainer(tmp_path / "a"), trainer(tmp_path / "b")
    whole.buffer_step()
    names = [phase.name for phase in by_phase.phases()]
    assert names == ["collect"] * SETTINGS.steps + ["descend"] * (SETTINGS.targets * SETTINGS.steps // SETTINGS.batch)
    assert by_phase.progress.history == whole.progress.history
    assert all(torch.equal(value, by_phase.mapping.state_dict()[name]) for name, value in whole.mapping.state_dict().items())


def test_a_restored_snapshot_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    each = trainer(tmp_path)
    each.buffer_step()
    kept = each.snapshot()
    first = [each.buffer_step() for _ in range(2)]
    each.restore(kept)
    assert each.progress.buffer == 1
    assert [each.buffer_step() for _ in range(2)] == first


@pytest.mark.parametrize(("mode", "within"), [("alternating", SETTINGS.steps + 2), ("online", 3)])
def test_a_training_that_is_stopped_within_a_buffer_has_the_theta_of_the_last_whole_one(mode: str, within: int) -> None:
    settings = replace(SETTINGS, mode=mode)
    whole, stopped = (trainer(None, settings) for _ in range(2))
    whole.buffer_step()
    updates = iter(range(updates_per_buffer(settings) + within))
    theta = train_mapping(stopped, lambda *_: next(updates, None) is None)
    assert stopped.progress.buffer == 1
    assert all(torch.equal(value, theta.state_dict()[name]) for name, value in whole.mapping.state_dict().items())
    assert stopped.buffer_step() == whole.buffer_step()  # and its random numbers


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    each = trainer(None)
    each.buffer_step()
    each.save()
    assert not any(tmp_path.iterdir())


def test_weighting_descends_the_mean_logarithm_of_the_losses() -> None:
    weighted, plain = (trainer(None, replace(SETTINGS, weighting=w)) for w in (0.01, None))
    target = sample_targets(8, torch.Generator().manual_seed(3))
    z = torch.randn(8, DIM, generator=torch.Generator().manual_seed(4))
    losses = weighted.objective.bind(target)(weighted.forward(weighted.mapping(z)))
    wanted = torch.autograd.grad((losses / (losses.detach() + 0.01)).mean(), weighted.mapping.log_scale)[0]
    assert weighted._update(z, target) == pytest.approx(plain._update(z, target))
    assert torch.allclose(weighted.mapping.log_scale.grad, wanted, rtol=1e-4)
    assert not torch.allclose(plain.mapping.log_scale.grad, wanted, rtol=1e-1)


def test_collecting_with_momentum_is_heavy_ball_descent(tmp_path: Path) -> None:
    each = trainer(tmp_path, replace(SETTINGS, z_optimizer="momentum", z_lr=0.01))
    zero, one, two, *_ = (phase.variable for phase in collecting_phases(each))
    plain = trainer(tmp_path, replace(SETTINGS, z_optimizer="gd", z_lr=0.01))
    _, same, less, *_ = (phase.variable for phase in collecting_phases(plain))
    assert torch.equal(one, same)
    assert torch.allclose(two - less, 0.9 * (one - zero), atol=1e-6)


def test_killed_at_any_moment_it_resumes_where_it_would_have_been(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole")
    train_mapping(whole, silent)
    calls = 0

    def kill(done: int, total: int, figures: object) -> bool:
        nonlocal calls
        calls += 1
        return calls == 47  # in the middle of some buffer

    train_mapping(trainer(tmp_path / "cut"), kill)
    resumed = trainer(tmp_path / "cut")
    assert 0 < resumed.progress.buffer < SETTINGS.buffers
    train_mapping(resumed, silent)
    for name, value in whole.mapping.state_dict().items():
        assert torch.equal(value, resumed.mapping.state_dict()[name]), name
    assert resumed.progress.history == whole.progress.history


def test_a_theta_begun_for_another_forward_model_is_not_continued(tmp_path: Path) -> None:
    begun = trainer(tmp_path)
    begun.save()
    other = Bent()
    other.scale *= 2
    with pytest.raises(UserError, match="other forward model"):
        MappingTrainer(begun.mapping, DIM, other, SquaredError(), sample_targets, SETTINGS, tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"), [({"seed": 5}, "seed 0 instead of 5"), ({"buffers": 3}, "buffers 12 instead of 3")]
)
def test_a_theta_of_other_settings_is_not_continued(tmp_path: Path, changes: dict[str, int], sentence: str) -> None:
    trainer(tmp_path).save()
    with pytest.raises(UserError, match=sentence):
        trainer(tmp_path, replace(SETTINGS, **changes))


def test_a_theta_of_other_targets_is_not_continued(tmp_path: Path) -> None:
    forward, prior = problem()

    def begin(images: torch.Tensor) -> MappingTrainer:
        mapping = build_mapping(MappingConfig("mlp", DIM, DIM, 8), prior)
        return MappingTrainer(mapping, DIM, forward, SquaredError(), lambda n, random: Target(images[:n]), SETTINGS, tmp_path)

    begin(torch.zeros(4, DIM)).save()
    begin(torch.zeros(4, DIM))
    with pytest.raises(UserError, match="another training: other data"):
        begin(torch.ones(4, DIM))


def test_online_variant_updates_theta_along_the_rollout(tmp_path: Path) -> None:
    settings = replace(SETTINGS, mode="online", buffers=40)
    each = trainer(tmp_path, settings)
    updates: list[int] = []
    update = each._update
    each._update = lambda z, target: updates.append(len(z)) or update(z, target)
    each.buffer_step()
    assert updates == [16] * SETTINGS.steps
    each._update = update
    mapping = train_mapping(each, silent)
    _, prior = problem()
    assert mean_loss(ZSpace(mapping, DIM), 5) < mean_loss(XSpace(prior), 5)


def test_untrained_residual_mapping_is_x_itself() -> None:
    random = torch.Generator().manual_seed(1)
    samples = torch.randn(500, DIM, generator=random) @ torch.randn(DIM, DIM, generator=random) + 3.0
    prior = Prior.of(samples)
    mapping = build_mapping(MappingConfig("residual", DIM, DIM, 16), prior)
    z = torch.randn(50, DIM, generator=random)
    assert torch.allclose(mapping(z), XSpace(prior).to_x(z), atol=1e-5)


def test_a_prior_is_the_gaussian_of_its_samples() -> None:
    random = torch.Generator().manual_seed(1)
    samples = torch.randn(500, DIM, generator=random) @ torch.randn(DIM, DIM, generator=random) + 3.0
    drawn = Prior.of(samples).sample(20_000, random)
    assert torch.allclose(drawn.mean(dim=0), samples.mean(dim=0), atol=0.15)
    assert torch.allclose(torch.cov(drawn.T), torch.cov(samples.T), rtol=0.1, atol=0.3)


def test_paper_preset_is_the_papers_network() -> None:
    config = MappingConfig.paper()
    mapping = build_mapping(config, Prior(torch.zeros(512), torch.eye(512)))
    shapes = [tuple(layer.weight.shape) for layer in mapping.mlp.layers]
    assert shapes == [(1024, 512), (1024, 1024), (512, 1024)]
    defaults = MappingTraining()
    assert (defaults.buffers, defaults.targets, defaults.steps) == (500, 256, 20)
    assert (defaults.z_lr, defaults.lr, defaults.weight_decay, defaults.batch) == (0.1, 1e-4, 0.1, 1)


def test_residual_mapping_needs_equal_dimensions() -> None:
    with pytest.raises(ValueError, match="z_dim == x_dim"):
        ResidualMapping(MappingConfig("residual", 4, 6), Prior(torch.zeros(6), torch.eye(6)))
