"""Attacks on a classifier, and on a defended one: projected gradient ascent by Foolbox (Rauber et al. 2020), seeded.

The static attack knows the classifier alone. The defence-aware one attacks classifier and defence together, with the
gradient taken around the defence (BPDA, Athalye et al. 2018) and a fresh random start in every pass (EOT).
Pictures are (B, 3, H, W) in [-1, 1]; radii and steps are given for pixels in [0, 1], as in the literature.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from landscape_core.defence.objective import PIXEL, START, Defence, restored
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.trajectory import states

Tick = Callable[[int, int], bool]  # (done, total) passes through the model -> whether to stop


class AttackSettings(BaseModel):
    """Radius `eps` and length `step` of an ascent step, for pixels in [0, 1]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    norm: Literal["l2", "linf"] = "l2"
    eps: float = Field(256 / 255, ge=0.0, le=20.0, allow_inf_nan=False)
    step: float = Field(64 / 255, gt=0.0, le=20.0, allow_inf_nan=False)
    steps: int = Field(200, ge=1, le=1000)
    random_start: bool = True


# "l2" is Table 1's attack (section 4.3); "linf" the usual threat against CIFAR-10 (Madry et al. 2018).
ATTACKS = {
    "l2": AttackSettings(),
    "linf": AttackSettings(norm="linf", eps=8 / 255, step=2 / 255, steps=50),
}


class _StoppedError(Exception):
    """Raised between two ascent steps when `tick` asks to stop."""


@cache
def _foolbox() -> ModuleType:
    """Foolbox, imported at its first use: it loads GitPython, which must not insist on an installed git."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import foolbox
    return foolbox


def _ascent(settings: AttackSettings, random: torch.Generator, tick: Callable[[], bool]) -> Any:
    """Foolbox's attack, with its random start drawn from `random` and `tick` asked before every step."""
    attacks = _foolbox().attacks
    kind = attacks.L2ProjectedGradientDescentAttack if settings.norm == "l2" else attacks.LinfProjectedGradientDescentAttack

    class Seeded(kind):  # type: ignore[misc, valid-type]
        def get_random_start(self, x0: Any, epsilon: float) -> Any:
            shape = x0.raw.shape
            if settings.norm == "linf":
                noise = 2.0 * torch.rand(shape, generator=random) - 1.0
            else:  # uniform in the ball: a random direction, its length by the dimension's root (dimension 3072: near 1)
                noise = torch.randn(shape, generator=random)
                share = torch.rand(len(noise), generator=random) ** (1.0 / noise[0].numel())
                noise = noise * (share / noise.flatten(1).norm(dim=1))[:, None, None, None]
            return x0 + epsilon * noise.to(x0.raw)

        def value_and_grad(self, loss_fn: Any, x: Any) -> Any:
            if tick():
                raise _StoppedError
            return super().value_and_grad(loss_fn, x)

    return Seeded(abs_stepsize=settings.step * PIXEL, steps=settings.steps, random_start=settings.random_start)


def _never(done: int, total: int) -> bool:
    return False


def attacked(
    model: nn.Module, pictures: Tensor, labels: Tensor, settings: AttackSettings, *, seed: int = 0, batch: int = 250,
    bf16: bool = False, tick: Tick = _never,
) -> Tensor | None:  # fmt: skip
    """The pictures (B, 3, H, W) attacked for `settings.steps` full steps; None if `tick` stopped it.

    The cross-entropy is summed over the batch, so every picture is attacked on its own; `batch` at a time go through
    the model, in bfloat16 where `bf16`, which about halves the time.
    """
    if settings.eps == 0:
        return pictures.clone()
    random = torch.Generator().manual_seed(seed)
    chunks = -(-len(pictures) // batch)
    done = 0

    def count() -> bool:
        nonlocal done
        done += 1
        return tick(done, chunks * settings.steps)

    bridge = _foolbox().PyTorchModel(model.eval(), bounds=(-1.0, 1.0))
    ascent, parts = _ascent(settings, random, count), []
    try:
        for first in range(0, len(pictures), batch):
            part = slice(first, first + batch)
            with torch.autocast(pictures.device.type, dtype=torch.bfloat16, enabled=bf16):
                parts.append(ascent.run(bridge, pictures[part], labels[part], epsilon=settings.eps * PIXEL).detach())
    except _StoppedError:
        return None
    return torch.cat(parts)


class Defended(nn.Module):
    """Classifier and defence as one model for an attacker: logits of the restored picture.

    The reversal is searched in `lane` for `steps` steps from a random start drawn anew in every pass, and counts as a
    constant in the gradient. For one step of Adam this is no approximation but for the random start: its first step
    is the sign of the gradient times the rate, whose derivative is zero.
    """

    def __init__(self, defence: Defence, lane: Lane, steps: int, *, start: float = START, seed: int = 0) -> None:
        super().__init__()
        self.defence, self.lane, self.steps, self.start = defence, lane, steps, start
        self.random = torch.Generator().manual_seed(seed)

    def reversal(self, pictures: Tensor) -> Tensor:
        """r (B, 3, 32, 32) after all steps on pictures (B, 3, 32, 32)."""
        task = self.defence.task
        solver = Solver(task.forward, task.objective, Target(pictures), [self.lane], max_steps=self.steps)
        noise = self.start * torch.randn(len(pictures), self.lane.space.dim, generator=self.random)
        *_, last = states(solver, solver.init([noise]))
        return last.lanes[0].output

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (B, 10)."""
        return self.defence.classifier(restored(pictures, self.reversal(pictures.detach())))


def aware_attack(attack: AttackSettings, steps: int) -> AttackSettings:
    """The same ball in fewer, longer steps."""
    return attack.model_copy(update={"steps": steps, "step": 2.5 * attack.eps / steps})
