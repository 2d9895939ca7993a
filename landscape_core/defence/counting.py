"""Accuracy of a classifier undefended, defended in X and in Z, over pictures that come a few at a time (Table 1's columns).

Every picture meets a static attack (on the bare classifier) and, for each defence, one that knows that defence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from landscape_core.defence.attacks import AttackSettings, Defended, attacked, aware_attack
from landscape_core.defence.objective import Defence, random_starts
from landscape_core.defence.steps import evaluation_seed, steps_right
from landscape_core.experiments.results import wilson
from landscape_core.images.pixels import to_unit
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.solver import Lane
from landscape_core.search.task import X

STATIC = "static"
LANES = ("X", "Z")
UNDEFENDED = "undefended"
_CHUNK_STREAM = 7919  # added to the seed per chunk
BatchTick = Callable[[str, int, int], bool]  # (what is attacked, done, total steps) -> whether to stop


@dataclass(frozen=True)
class DefencePlan:
    """How pictures are attacked and defended: `steps` in both lanes, from random starts. An attack that knows a defence
    takes `aware_steps` ascents within the same ball."""

    attack: AttackSettings
    space: str
    steps: int
    x: OptimizerSettings
    z: OptimizerSettings
    seed: int = 0
    aware_steps: int = 20

    def lanes(self, defence: Defence) -> dict[str, Lane]:
        """X and Z by name.

        Raises:
            UserError: there is no such space.
        """
        task = defence.task
        spaces = {"X": (task.space(X), self.x), "Z": (task.space(self.space), self.z)}
        return {name: Lane(name, space, optimizer.build(self.steps)) for name, (space, optimizer) in spaces.items()}

    def attack_of(self, lane: Lane | None) -> AttackSettings:
        """The static attack, or the one that knows a lane."""
        return self.attack if lane is None else aware_attack(self.attack, self.aware_steps)

    def starts(self, lanes: list[Lane], n: int) -> list[Tensor]:
        """Random starts (n, dim) of each lane, not those that an attacker tried."""
        return random_starts([lane.space for lane in lanes], n, evaluation_seed(self.seed))

    def right(self, defence: Defence, lane: Lane, pictures: Tensor, labels: Tensor) -> Tensor:
        """Whether pictures (B, 3, 32, 32) restored in a lane are classified rightly after all steps (B,)."""
        seed = evaluation_seed(self.seed)
        return steps_right(defence, [lane], pictures, labels, self.steps, seed, len(pictures))[lane.name][self.steps]


@dataclass(frozen=True)
class Tally:
    """Whether each picture was classified rightly (n,): `clean` without attack, `static` and `aware` by UNDEFENDED, "X", "Z".

    An attack that knows a defence counts as won where the static one won already. Without a defence there is nothing
    more to know: both columns hold the same there.
    """

    clean: Tensor
    static: dict[str, Tensor]
    aware: dict[str, Tensor]

    @staticmethod
    def empty() -> Tally:
        none = torch.zeros(0, dtype=torch.bool)
        rows = (UNDEFENDED, *LANES)
        return Tally(none, dict.fromkeys(rows, none), dict.fromkeys(rows, none))

    def __len__(self) -> int:
        return len(self.clean)

    def __add__(self, other: Tally) -> Tally:
        static = {row: torch.cat([right, other.static[row]]) for row, right in self.static.items()}
        aware = {row: torch.cat([right, other.aware[row]]) for row, right in self.aware.items()}
        return Tally(torch.cat([self.clean, other.clean]), static, aware)


def share(right: Tensor) -> tuple[float, float, float]:
    """Accuracy and its 95 % Wilson interval, 0..1; an interval of (0, 1) where nothing was counted."""
    return (float(right.float().mean()), *wilson(right)) if len(right) else (0.0, 0.0, 1.0)


def attack_knowing(
    defence: Defence, lane: Lane | None, pictures: Tensor, labels: Tensor, plan: DefencePlan, tick: Callable[[int, int], bool]
) -> Tensor | None:
    """Pictures (B, 3, 32, 32) attacked by one who knows the classifier and that lane of the defence (None: no defence);
    None where `tick` stopped it."""
    model = defence.classifier if lane is None else Defended(defence, lane, plan.steps, seed=plan.seed)
    return attacked(model, pictures, labels, plan.attack_of(lane), seed=plan.seed, tick=tick)


def counted(defence: Defence, plan: DefencePlan, index: int, pictures: Tensor, labels: Tensor, tick: BatchTick) -> Tally | None:
    """The tally of chunk `index` of uint8 pictures (B, 3, 32, 32) and labels (B,), with random numbers of its own; None
    where `tick` stopped it."""
    plan = replace(plan, seed=(plan.seed + _CHUNK_STREAM * index) % 2**31)
    pictures = to_unit(pictures)
    harmed = attack_knowing(defence, None, pictures, labels, plan, partial(tick, STATIC))
    if harmed is None:
        return None
    static = {UNDEFENDED: defence.logits(harmed).argmax(dim=1) == labels}
    aware = {UNDEFENDED: static[UNDEFENDED]}
    for name, lane in plan.lanes(defence).items():
        static[name] = plan.right(defence, lane, harmed, labels)
        found = _right_when_known(defence, plan, lane, pictures, labels, static[name], partial(tick, name))
        if found is None:
            return None
        aware[name] = found
    return Tally(defence.logits(pictures).argmax(dim=1) == labels, static, aware)


def _right_when_known(
    defence: Defence, plan: DefencePlan, lane: Lane, pictures: Tensor, labels: Tensor, survived: Tensor,
    tick: Callable[[int, int], bool],
) -> Tensor | None:  # fmt: skip
    """Only what survived the static attack is attacked again."""
    right, index = survived.clone(), survived.nonzero()[:, 0]
    if len(index):
        harmed = attack_knowing(defence, lane, pictures[index], labels[index], plan, tick)
        if harmed is None:
            return None
        right[index] = plan.right(defence, lane, harmed, labels[index])
    return right
