"""Figure 3a: mean loss per step in X (tuned) and in Z, in- and out-of-distribution, with the encoder's flat line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from landscape_core.experiments.curves import ADAM_SWEEP, COLOURS, LBFGS_SWEEP, encoder_loss, loss_curves, tune_x
from landscape_core.experiments.results import Claim, Result, mean_series, relative_change
from landscape_core.progress import Tick
from landscape_core.search.optimizers import LBFGS, Adam
from landscape_core.search.task import Task, X
from landscape_core.search.updates import Optimizer

CONVERGED = 2000
POINTS = 200  # a longer series is written thinned to about this many


@dataclass(frozen=True)
class ConvergenceSettings:
    """`tune_targets` training pictures choose X's learning rates (the lowest mean loss after `steps`).

    From `CONVERGED` steps on the experiment is another one, "converged": few pictures, and claims about the end alone.
    """

    targets: int = 200
    steps: int = 200
    tune_targets: int = 24
    space: str = "residual"
    seed: int = 0


def run_convergence(
    task: Task, train: Tensor, sets: Mapping[str, Tensor], settings: ConvergenceSettings, command: str, tick: Tick
) -> Result:
    """`train` (n, 3, 64, 64) tunes X; `sets` are the evaluated pictures by label, in-distribution first.

    X runs with Adam (the usual baseline) and with L-BFGS (the strongest we know); Z as its card recommends,
    and, where it is there, the paper's Θ with the paper's Adam.
    """
    tuning = train[: settings.tune_targets]
    adam_lr, adam_sweep = tune_x(task, tuning, settings.steps, tick, [Adam(lr) for lr in ADAM_SWEEP])
    lbfgs_lr, lbfgs_sweep = tune_x(task, tuning, settings.steps, tick, [LBFGS(lr) for lr in LBFGS_SWEEP])
    z = task.advice(settings.space)
    lanes: dict[str, tuple[str, Optimizer]] = {
        "X Adam": (X, Adam(adam_lr)), "X L-BFGS": (X, LBFGS(lbfgs_lr)), "Z": (settings.space, z.build(settings.steps)),
    }  # fmt: skip
    if "paper" in task.mappings and settings.space != "paper":
        lanes["Z paper"] = ("paper", Adam(0.1))
    stride = max(settings.steps // POINTS, 1)
    result = Result(
        experiment_name(task.name, settings.steps), command, settings.seed, task.hashes,
        {label: len(p) for label, p in sets.items()},
        {
            **asdict(settings), "x_adam_lr": adam_lr, "x_adam_sweep": adam_sweep, "x_lbfgs_lr": lbfgs_lr,
            "x_lbfgs_sweep": lbfgs_sweep, "z_optimizer": z.name, "z_lr": z.lr, "domain": task.name, "stride": stride,
        },
    )  # fmt: skip
    for index, (label, pictures) in enumerate(sets.items()):
        curves = loss_curves(task, pictures, lanes, settings.steps, tick, label)
        encoder = encoder_loss(task, pictures)
        result.series |= {f"{name} | {label}": mean_series(losses[::stride]) for name, losses in curves.items()}
        result.series[f"encoder | {label}"] = [float(encoder.mean())]
        result.claims += _claims(label, curves, in_distribution=index == 0)
    return result


def experiment_name(domain: str, steps: int) -> str:
    """The result's name: each domain's own, and "converged" for long runs."""
    name = "converged" if steps >= CONVERGED else "convergence"
    return name if domain == "faces" else f"{name}-{domain}"


PAPER = {20: (-0.31, -0.07), 200: (-0.24, -0.24), 2000: (-0.15, -0.10)}
AIMS = {20: (-0.35, -0.15), 200: (-0.30, -0.25), 2000: (-0.20, -0.15)}


def _claims(label: str, curves: Mapping[str, Tensor], *, in_distribution: bool) -> list[Claim]:
    """The aims for the steps that were run: early equality and the change at 20 and 200 steps, or the change at the end."""
    z, claims, side = curves["Z"], [], 0 if in_distribution else 1
    for baseline in ("X Adam", "X L-BFGS"):
        x = curves[baseline]
        if CONVERGED >= len(x) > 20:
            change, interval = relative_change(z[2], x[20])
            name = f"{label}: loss in Z after 2 steps against {baseline} after 20"
            claims.append(Claim(name, "on par", change, 0.0, "lower", interval))
        for step in [CONVERGED] if len(x) > CONVERGED else [step for step in PAPER if len(x) > step]:
            change, interval = relative_change(z[step], x[step])
            name = f"{label}: loss after {step} steps, Z against {baseline}"
            claims.append(Claim(name, PAPER[step][side], change, AIMS[step][side], "lower", interval))
    return claims


def plot(result: Result, path: Path) -> None:
    """Fig. 3a: loss (log axis) over steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(result.n), 4.0), layout="constrained")
    panels = figure.subplots(1, len(result.n), sharey=True, squeeze=False)[0]
    for axes, label in zip(panels, result.n, strict=True):
        for name, colour in COLOURS.items():
            values = result.series.get(f"{name} | {label}", [])
            if len(values) == 1:
                axes.axhline(values[0], color=colour, linestyle=":", label=name)
            elif values:
                axes.plot([result.settings["stride"] * i for i in range(len(values))], values, color=colour, label=name)
        axes.set(title=label, xlabel="step", yscale="log")
        axes.legend(fontsize=8)
    panels[0].set_ylabel("mean loss (Eq. 5)")
    figure.savefig(path, dpi=150)
