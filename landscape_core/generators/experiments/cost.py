"""What Θ costs: its training counted in pictures that X could have inverted meanwhile, and after how many it has paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.curves import Searches
from landscape_core.experiments.results import Claim, Result
from landscape_core.progress import Tick
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName
from landscape_core.search.task import Task, X
from landscape_core.storage import zoo

OPTIMIZERS: tuple[OptimizerName, ...] = ("adam", "lbfgs")


@dataclass(frozen=True)
class CostSettings:
    """Z has `steps`; X as many as it takes to the same loss, `most` at the most. Settings of optimisers are those on the
    cards, which training pictures chose."""

    targets: int = 20
    steps: int = 20
    most: int = 200
    space: str = "residual"
    seed: int = 0


@dataclass(frozen=True)
class Training:
    """Θ's training: evaluations of F, pictures seen, and its seconds over those of F's own where both ran on processors."""

    evaluations: float
    pictures: float
    seconds_over_f: float | None

    @staticmethod
    def of(theta: zoo.Card, generator: zoo.Card, targets: int) -> Training:
        """What the cards say of a training with so many targets in a buffer."""
        on_cpu = all("cpu" in str(card.budget["hardware"]).lower() for card in (theta, generator))
        own, of_f = float(theta.budget["seconds"]), sum(generator.budget["seconds"].values())
        return Training(
            float(theta.budget["evaluations"]), float(targets * theta.budget["buffers"]), own / of_f if on_cpu else None
        )


def run_cost(
    tasks: Mapping[str, Task], pictures: Mapping[str, Tensor], trainings: Mapping[str, Training], settings: CostSettings,
    command: str, tick: Tick, work: Path | None = None,
) -> Result:  # fmt: skip
    """By domain its task, pictures (n, 3, H, W) and Θ's training."""
    hashes = {name: digest for task in tasks.values() for name, digest in task.hashes.items()}
    sizes = {name: len(each) for name, each in pictures.items()}
    result = Result("cost", command, settings.seed, hashes, sizes, asdict(settings))
    result.settings = {**result.settings, "trainings": {name: asdict(each) for name, each in trainings.items()}}
    for name, task in tasks.items():
        for optimizer in OPTIMIZERS:
            needed = evaluations_needed(task, pictures[name], optimizer, settings, tick, work)
            by = OPTIMISER_NAMES[optimizer]
            result.series[f"evaluations X needs to Z's loss, {by} | {name}"] = needed.tolist()
            result.claims += _claims(f"{name}, {by}", needed, trainings[name], settings)
        share = trainings[name].seconds_over_f
        if share is not None:
            title = f"{name}: seconds of Θ's training over those of F's, both on processors shared with other work"
            result.claims.append(Claim(title, "orders of magnitude less", share, 0.1, "lower"))
    return result


def evaluations_needed(
    task: Task, pictures: Tensor, optimizer: OptimizerName, settings: CostSettings, tick: Tick, work: Path | None
) -> Tensor:
    """How many evaluations (n,) X takes until it is as low as Z after `steps`; infinite where `most` steps were too few."""

    searches = Searches(task, tick, seed=settings.seed, work=work)

    def curve(space: str, steps: int) -> Tensor:
        lanes = {space: (space, task.advice(space, optimizer).build(steps))}
        label = f"{task.name}, {OPTIMISER_NAMES[optimizer]} in {space}"
        return searches.losses(pictures, lanes, steps, label)[space]

    goal = curve(settings.space, settings.steps)[-1]
    reached = curve(X, settings.most) <= goal  # (most + 1, n)
    first = reached.double().argmax(dim=0).double() + 1.0
    return torch.where(reached.any(dim=0), first, torch.inf)


def _claims(place: str, needed: Tensor, training: Training, settings: CostSettings) -> list[Claim]:
    """By the median picture: how many evaluations X takes, what the training is worth, and when it has paid, if ever. What
    was not reached counts as one step more than there were."""
    ours, theirs = settings.steps + 1, float(needed.clamp_max(settings.most + 2).median())
    more = f"{settings.most} steps are too few for {int(torch.isinf(needed).sum())} of {len(needed)}"
    name = f"{place}: evaluations of F that X takes to Z's loss after {settings.steps} steps, the median picture ({more})"
    made = [
        Claim(name, "10 times as many", theirs, ours, "higher"),
        Claim(f"{place}: Θ's training in pictures inverted by X to that loss (it learned from {training.pictures:,.0f})", None,
              training.evaluations / theirs, training.pictures, "lower"),
    ]  # fmt: skip
    if theirs > ours:
        name = f"{place}: pictures after which Θ's training has paid (it learned from {training.pictures:,.0f})"
        made.append(Claim(name, None, training.evaluations / (theirs - ours), training.pictures, "lower"))
    return made


def plot(result: Result, path: Path) -> None:
    """Evaluations that X needs to Z's loss, of every picture; what was not reached stands at the end."""
    from matplotlib.figure import Figure

    most = result.settings["most"] + 1
    figure = Figure(figsize=(7, 0.6 * len(result.series) + 1.4), layout="constrained")
    axes = figure.subplots()
    labels = [key.removeprefix("evaluations X needs to Z's loss, ") for key in result.series]
    for index, values in enumerate(result.series.values()):
        shown = [min(value, most) for value in values]
        axes.plot(shown, [index] * len(shown), "o", color="#c2410c", alpha=0.5)
    axes.axvline(result.settings["steps"] + 1, color="#0369a1", label=f"Z, {result.settings['steps']} steps")
    axes.set(xlabel=f"evaluations of F by X to that loss ({most}: or more)", yticks=range(len(labels)), yticklabels=labels)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)
