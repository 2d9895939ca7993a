"""Table 3: the loss over the dimension of Z, one Θ of the paper's kind trained for each with the same small budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scipy import stats
from torch import Tensor

from landscape_core.experiments.comparing import learned
from landscape_core.experiments.results import Claim, Result
from landscape_core.experiments.rows import BASELINE, Losses, TableSettings, claim, measure_rows, record, with_rows
from landscape_core.progress import Tick
from landscape_core.search.mapping import MappingConfig
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task
from landscape_core.training.alternating import TargetSampler
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import MappingPreset, build_trainer, spent

# Table 3's losses after 200 steps: in-distribution, out-of-distribution, and the baseline's
TABLE3 = {
    16: (3.157, 4.872), 32: (2.797, 4.592), 64: (2.489, 4.277), 128: (2.489, 3.916), 256: (2.212, 3.618),
    512: (1.964, 3.498), 2048: (1.920, 3.392),
}  # fmt: skip
TABLE3_BASELINE = (2.569, 4.617)


@dataclass(frozen=True)
class DimensionSettings:
    """`training` is every dimension's budget: a quarter of the "paper" preset's targets in a buffer, and few buffers."""

    dims: tuple[int, ...] = tuple(TABLE3)
    training: MappingTraining = field(
        default_factory=lambda: MappingTraining(buffers=10, targets=64, batch=32, lr=1e-3, decay_from=0.5, bf16=True)
    )
    table: TableSettings = field(
        default_factory=lambda: TableSettings(
            targets=50, tune_targets=8, candidates=(("adam", 0.05), ("adam", 0.1), ("adam", 0.2), ("lbfgs", 1.0))
        )
    )


def row(dim: int) -> str:
    """The row's name."""
    return f"Z {dim}"


def train_dimensions(
    task: Task, sampler: TargetSampler, settings: DimensionSettings, work: Path, tick: Tick
) -> tuple[dict[str, SearchSpace], dict[str, dict[str, Any]]]:
    """One Θ per dimension of Z, resumed from below `work` where it was begun, and what each training took."""
    spaces: dict[str, SearchSpace] = {}
    took = {}
    for dim in settings.dims:
        preset = MappingPreset(MappingConfig.paper(len(task.prior.mean), dim), settings.training)
        budget = settings.training
        folder = work / f"{task.name}-z{dim}-{budget.buffers}x{budget.targets}-seed{budget.seed}"

        trainer, _ = build_trainer(task, preset, sampler, _no_inputs, folder)
        spaces[row(dim)] = learned(trainer, tick, f"training {row(dim)}")
        took[row(dim)] = spent(trainer)
    return spaces, took


def _no_inputs() -> Tensor:
    raise RuntimeError("the paper's Θ has no curvature to measure")


def run_dimensions(
    task: Task,
    sampler: TargetSampler,
    train: Tensor,
    sets: Mapping[str, Tensor],
    settings: DimensionSettings,
    work: Path,
    command: str,
    tick: Tick,
) -> Result:
    """`train` (n, 3, H, W) chooses every row's optimiser; `sets` are measured, in-distribution first."""
    spaces, took = train_dimensions(task, sampler, settings, work, tick)
    chosen, losses = measure_rows(with_rows(task, spaces), [*spaces, BASELINE], train, sets, settings.table, tick)
    result = Result(
        "z-dimension", command, settings.table.seed, task.hashes, {label: len(pictures) for label, pictures in sets.items()},
        {**settings.table.describe(), "dims": settings.dims, "training": asdict(settings.training), "training_budget": took},
    )  # fmt: skip
    record(result, chosen, losses)
    for index, label in enumerate(sets):
        result.claims += _claims(losses, label, settings, side=min(index, 1), x_dim=len(task.prior.mean))
    return result


def _claims(losses: Losses, label: str, settings: DimensionSettings, *, side: int, x_dim: int) -> list[Claim]:
    """After the last step: Z of X's dimension against X, the largest Z against the smallest, and the trend between."""
    last, dims = max(settings.table.steps), settings.dims
    means = [float(losses[label][row(dim)][last].mean()) for dim in dims]
    paper = [TABLE3[dim][side] for dim in dims if dim in TABLE3]
    known = paper[-1] / paper[0] - 1 if len(paper) == len(dims) else None
    claims = [claim(losses, label, last, row(max(dims)), row(min(dims)), paper=known, aim=0.0)]
    if x_dim in dims:
        change = TABLE3[x_dim][side] / TABLE3_BASELINE[side] - 1 if x_dim in TABLE3 else None
        claims.append(claim(losses, label, last, row(x_dim), BASELINE, paper=change, aim=0.0))
    trend = f"{label}, {last} steps: rank correlation of the loss with the dimension of Z"
    theirs = _rank_correlation(dims, paper) if len(paper) == len(dims) else None
    return [*claims, Claim(trend, theirs, _rank_correlation(dims, means), -0.9, "lower")]


def _rank_correlation(dims: Sequence[int], losses: Sequence[float]) -> float:
    """Spearman's; not a number for a single dimension."""
    return round(float(stats.spearmanr(dims, losses).statistic), 3) if len(dims) > 1 else float("nan")


def plot(result: Result, path: Path) -> None:
    """Loss over the dimension of Z, a line per set and number of steps, and the baseline's as a dashed one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    dims = result.settings["dims"]
    for index, (key, values) in enumerate((k, v) for k, v in result.series.items() if k.startswith("rows at ")):
        axes.plot(dims, values[:-1], color=f"C{index}", marker="o", label=key.removeprefix("rows at "))
        axes.axhline(values[-1], color=f"C{index}", linestyle="--", linewidth=0.8)
    axes.set(xlabel="dimension of Z (dashed: X, the baseline)", ylabel="mean loss (Eq. 5)", xscale="log")
    axes.set_xticks(dims, [str(dim) for dim in dims])
    axes.minorticks_off()
    axes.set_ylim(bottom=0.0)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)
