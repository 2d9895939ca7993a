"""Appendix B: whether Algorithm 1 climbs as hard expectation-maximisation does, measured in every buffer of a training.

The M-step must lower the mean loss of the buffer that it learned from. The E-step's bound is the lowest loss on each target's
way, at z̃: expectation-maximisation would keep z̃ and go on from there, so that the bound could only fall; Algorithm 1 learns
from every z_t and begins again at z = 0, so that it can rise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.experiments.paired import compare
from landscape_core.experiments.results import Claim, Result, wilson
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import ZSpace
from landscape_core.search.trajectory import states
from landscape_core.training.alternating import MappingTrainer, TargetSampler

FALLS = 0.95
# By name: the buffer's mean loss before and after the M-step; its lowest per target before and, at the same z̃, after;
# and what a descent from the start reaches on the same targets with the new Θ.
FIGURES = ("before", "after", "reached", "kept", "again")
CHUNK = 32


class Remembering:
    """A sampler that remembers what it drew last."""

    def __init__(self, sample: TargetSampler) -> None:
        self.sample = sample
        self.last: Target | None = None

    def __call__(self, n: int, random: torch.Generator) -> Target:
        self.last = self.sample(n, random)
        return self.last


def train_measured(trainer: MappingTrainer, tick: Callable[[int, int], None]) -> list[dict[str, float]]:
    """The remaining buffers, saved after each with `FIGURES` in its history; returns those of all buffers.

    Raises:
        UserError: the training has no buffer, or was begun without being measured.
    """
    if trainer.config.mode != "alternating":
        raise UserError("Appendix B is about a training with a buffer; this preset has none.")
    if any(not set(FIGURES) <= set(each) for each in trainer.progress.history):
        raise UserError("This training was begun without its steps being measured; choose another --work folder.")
    remembering = Remembering(trainer.sample_targets)
    trainer.sample_targets = remembering
    while trainer.progress.buffer < trainer.config.buffers:
        figures = measured_buffer(trainer, remembering)
        trainer.progress.history[-1].update(figures)
        trainer.save()
        tick(trainer.progress.buffer, trainer.config.buffers)
    return trainer.progress.history


def measured_buffer(trainer: MappingTrainer, sampler: Remembering) -> dict[str, float]:
    """One buffer, with `FIGURES` of it."""
    before, z, owner = torch.empty(0), torch.empty(0), torch.empty(0, dtype=torch.long)
    for phase in trainer.phases():
        if phase.name == "descend" and phase.done == 0:
            assert sampler.last is not None
            target, z, owner = sampler.last.to(trainer.device), phase.variable, phase.owner
            before = losses_at(trainer, z, target.select(owner))
    after = losses_at(trainer, z, target.select(owner))
    best = torch.stack([_lowest(before, owner, i) for i in range(len(target))])
    again = lowest_on_the_way(trainer, target)
    means = (before.mean(), after.mean(), before[best].mean(), after[best].mean(), again.mean())
    return dict(zip(FIGURES, map(float, means), strict=True))


def _lowest(losses: Tensor, owner: Tensor, of: int) -> Tensor:
    """The index of one target's lowest loss."""
    mine = (owner == of).nonzero().flatten()
    return mine[losses[mine].argmin()]


@torch.no_grad()
def losses_at(trainer: MappingTrainer, z: Tensor, target: Target) -> Tensor:
    """Losses (n,) of z's (n, z_dim) with their targets, by the Θ that the trainer has now."""
    parts = [slice(first, first + CHUNK) for first in range(0, len(z), CHUNK)]
    found = [trainer.objective.bind(target.select(part))(trainer.forward(trainer.mapping(z[part]))) for part in parts]
    return torch.cat(found).cpu()


def lowest_on_the_way(trainer: MappingTrainer, target: Target) -> Tensor:
    """The lowest loss (n,) of a descent from the start, as long as the buffer's and by the same optimiser."""
    space = ZSpace(trainer.mapping, trainer.z_dim)
    solver = Solver(
        trainer.forward, trainer.objective, target, [Lane("Z", space, trainer.config.descent())], max_steps=trainer.config.steps
    )
    *_, last = states(solver, solver.init([space.mean_start(len(target))]))
    return last.lanes[0].best_loss.cpu()


def run_em(trainer: MappingTrainer, name: str, models: dict[str, str], command: str, tick: Tick) -> Result:
    """Train to the end and say of every buffer what its two steps did; `models` are the hashes of what is inverted."""
    history = train_measured(trainer, lambda done, total: tick("buffers", done, total))
    columns = {figure: torch.tensor([each[figure] for each in history]) for figure in FIGURES}
    config = vars(trainer.config)
    result = Result(name, command, trainer.config.seed, models, {"buffers": len(history)}, {"training": config})
    result.series = {figure: [float(value) for value in column] for figure, column in columns.items()}
    fell = columns["after"] < columns["before"]
    kept_bound = columns["again"] <= columns["kept"]
    result.claims = [
        Claim("share of M-steps that lower their buffer's mean loss", "every", float(fell.double().mean()), FALLS, "higher",
              wilson(fell)),
        _change(result, "mean loss of what the buffer holds, after the M-step against before", "after", "before", "lower"),
        _change(result, "loss at the E-step's z̃ alone, after the M-step against before", "kept", "reached", "lower"),
        _change(result, "the next E-step's bound on the same targets, begun again at 0, against that at z̃", "again", "kept",
                "never higher"),
        Claim("share of buffers after which a new E-step is no higher than z̃ with the new Θ", "every",
              float(kept_bound.double().mean()), FALLS, "higher", wilson(kept_bound)),
    ]  # fmt: skip
    return result


def _change(result: Result, name: str, ours: str, theirs: str, paper: str) -> Claim:
    pair = (torch.tensor(result.series[each]) for each in (ours, theirs))
    found = compare(*pair, floor=0.0)
    result.comparisons[name] = found.to_json()
    return Claim(name, paper, found.change, 0.0, "lower", found.change_interval)


def plot(result: Result, path: Path) -> None:
    """Both steps of every buffer: the M-step on all that the buffer holds, and the E-step's bound."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    styles = {
        "before": ("before the M-step", "#c2410c"), "after": ("after it", "#0369a1"), "reached": ("E-step's bound", "#c2410c"),
        "kept": ("the same z̃, after the M-step", "#0369a1"), "again": ("E-step begun again, new Θ", "#0f766e"),
    }  # fmt: skip
    for axes, names, title in zip(
        panels, (FIGURES[:2], FIGURES[2:]), ("all that a buffer holds", "lowest per target"), strict=True
    ):
        for name in names:
            label, colour = styles[name]
            axes.plot(range(1, len(result.series[name]) + 1), result.series[name], color=colour, label=label, marker=".")
        axes.set(title=title, xlabel="buffer", ylabel="mean loss", yscale="log")
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)
