"""What Table 1 measures: which pictures a defence gets right, by space, steps and attack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from landscape_core.defence.attacks import AttackSettings, Defended, Tick, attacked, aware_attack
from landscape_core.defence.objective import Defence
from landscape_core.defence.steps import Steps, evaluation_seed, run_steps
from landscape_core.defence.task import PAPER_STEP
from landscape_core.search.optimizers import Adam, OptimizerSettings
from landscape_core.search.solver import Lane
from landscape_core.search.task import X

SWEEP = tuple(k / 255 for k in (0.2, 0.5, 1.0, 2.0, 4.0, 8.0))  # rates to choose from; the first is section 7.3's


@dataclass(frozen=True)
class DefenceSettings:
    """`tune_targets` attacked training pictures choose the learning rate of X and of Z for each number of steps: the one
    with the highest accuracy.

    The defence-aware attack takes `aware_steps` ascents, each 2.5 radii / `aware_steps` long. `bf16` is for the
    attacks' gradients; every answer that counts is given in float32.
    """

    targets: int = 1000
    steps: tuple[int, ...] = (1, 3, 5)
    space: str = "residual"
    aware_steps: int = 6
    tune_targets: int = 500
    batch: int = 100
    bf16: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Contender:
    """One column of the table: a space searched with an optimiser that may depend on how many steps it is given."""

    name: str
    space: str
    optimizers: Mapping[int, OptimizerSettings]

    def lane(self, defence: Defence, steps: int) -> Lane:
        """What is run for that many steps."""
        return Lane(self.name, defence.task.space(self.space), self.optimizers[steps].build(steps))


def tune(defence: Defence, space: str, pictures: Tensor, labels: Tensor, settings: DefenceSettings) -> dict[float, Steps]:
    """A space by learning rate, on attacked training pictures; all rates in one batch."""
    lanes = [Lane(str(lr), defence.task.space(space), Adam(lr)) for lr in SWEEP]
    found = run_steps(defence, lanes, pictures, labels, max(settings.steps), settings.seed, settings.batch // 2)
    return {lr: found[str(lr)] for lr in SWEEP}


def contenders(sweeps: Mapping[str, Mapping[float, Steps]], settings: DefenceSettings) -> list[Contender]:
    """X and Z, each with the best rate for each number of steps on training pictures, and with section 7.3's rate."""

    def best(sweep: Mapping[float, Steps]) -> dict[int, OptimizerSettings]:
        rates = {k: max(sweep, key=lambda lr, k=k: float(sweep[lr].right[k].float().mean())) for k in settings.steps}  # type: ignore[misc]
        return {k: OptimizerSettings(name="adam", lr=lr) for k, lr in rates.items()}

    paper = dict.fromkeys(settings.steps, PAPER_STEP)
    return [
        Contender("X tuned", X, best(sweeps[X])),
        Contender("Z tuned", settings.space, best(sweeps[settings.space])),
        Contender("X", X, paper),
        Contender("Z", settings.space, paper),
    ]


def after(defence: Defence, each: Contender, pictures: Tensor, labels: Tensor, settings: DefenceSettings) -> dict[int, Steps]:
    """{steps: answers and losses (n,) there}; runs that share an optimiser are one run."""
    found: dict[int, Steps] = {}
    for optimizer in {each.optimizers[k] for k in settings.steps}:
        counts = [k for k in settings.steps if each.optimizers[k] == optimizer]
        lane = each.lane(defence, max(counts))
        run = run_steps(
            defence, [lane], pictures, labels, max(counts), evaluation_seed(settings.seed), settings.batch
        )[each.name]  # fmt: skip
        found |= {k: Steps(run.right[k], run.loss[k]) for k in counts}
    return found


def static_attack(
    defence: Defence, pictures: Tensor, labels: Tensor, attack: AttackSettings, settings: DefenceSettings, tick: Tick
) -> Tensor:
    """The pictures attacked by one who knows the bare classifier alone; `tick` only watches."""
    harmed = attacked(
        defence.classifier, pictures, labels, attack, seed=settings.seed, batch=settings.batch, bf16=settings.bf16, tick=tick
    )
    assert harmed is not None  # nothing stops it
    return harmed


def right_when_aware(
    defence: Defence, each: Contender, k: int, pictures: Tensor, labels: Tensor, survived: Tensor,
    attack: AttackSettings, settings: DefenceSettings, tick: Tick,
) -> Tensor:  # fmt: skip
    """Whether right after k steps under the static and under the defence-aware attack (n,).

    Only what survived the static attack is attacked again: the attacker keeps whichever succeeds.
    """
    index = survived.nonzero()[:, 0]
    right = survived.clone()
    if len(index) == 0:
        return right
    harmed = attacked(
        Defended(defence, each.lane(defence, k), k, seed=settings.seed), pictures[index], labels[index],
        aware_attack(attack, settings.aware_steps), seed=settings.seed, batch=settings.batch, bf16=settings.bf16, tick=tick,
    )  # fmt: skip
    assert harmed is not None  # `tick` only watches
    right[index] = after(defence, each, harmed, labels[index], replace(settings, steps=(k,)))[k].right
    return right
