"""The file every experiment writes: `results/NAME.json`, with claims whose `met` is computed, never typed."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import typer
from pydantic import TypeAdapter, ValidationError
from scipy import stats
from torch import Tensor
from typing_extensions import TypedDict

from landscape_core.errors import UserError, first_problem, reading
from landscape_core.storage.files import whole, write_text


@dataclass(frozen=True)
class Claim:
    """One statement with the paper's figure, ours, our aim, and a 95 % interval of ours.

    `better` says on which side of `aim` ours must lie for the claim to be met: all of the interval, where there is
    one, so that a tie or a doubtful difference meets nothing.
    """

    claim: str
    paper: float | str | None
    ours: float
    aim: float
    better: Literal["lower", "higher"]
    interval: tuple[float, float] | None = None

    @property
    def met(self) -> bool:
        if self.interval is None:
            return self.ours <= self.aim if self.better == "lower" else self.ours >= self.aim
        low, high = self.interval
        return high < self.aim if self.better == "lower" else low > self.aim


def commit_of_code(file: Path = Path(__file__)) -> str | None:
    """The commit that the code of this file's folder is at, "-dirty" behind it where that folder was changed since; None for
    an installed copy, or where there is no git."""

    def git(*arguments: str) -> str:
        words = ["git", "-C", str(file.parent), *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", file.name)  # a copy installed below somebody's own repository is none of its files
        changed = git("status", "--porcelain", "--untracked-files=no", "--", str(file.parents[1]))
        return git("rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


@dataclass
class Result:
    """An experiment's outcome. `series` holds plain numbers by label; `models` the sha256 of every model used; `commit` is that
    of the code, and is left out where it is not known."""

    experiment: str
    command: str
    seed: int
    models: Mapping[str, str]
    n: Mapping[str, int]
    settings: Mapping[str, Any]
    series: dict[str, list[float]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    comparisons: dict[str, dict[str, Any]] = field(default_factory=dict)  # the paired comparisons behind the claims, by name
    commit: str | None = field(default_factory=commit_of_code)

    def write(self, folder: Path) -> Path:
        """`folder/EXPERIMENT.json`, written atomically. Raises UserError where it cannot be written."""
        path = folder / f"{self.experiment}.json"
        content = asdict(self)
        content["claims"] = [{**asdict(claim), "met": claim.met} for claim in self.claims]
        if self.commit is None:
            del content["commit"]
        write_text(path, json.dumps(_rounded(content), indent=1) + "\n")
        return path


class ClaimEntry(TypedDict):
    """A claim as its file has it."""

    claim: str
    paper: float | str | None
    ours: float | None
    aim: float | None
    better: Literal["lower", "higher"]
    interval: tuple[float | None, float | None] | None
    met: bool


class ResultEntry(TypedDict):
    """What every reader of a results file counts on; there may be more."""

    experiment: str
    command: str
    seed: int
    models: dict[str, str]
    n: dict[str, int]
    settings: dict[str, Any]
    series: dict[str, list[float | None]]
    claims: list[ClaimEntry]


_ENTRY = TypeAdapter(ResultEntry)


def read_result(path: Path) -> dict[str, Any]:
    """The contents of a results file. Raises UserError where it is none; the sentence names the file and what is wrong."""
    with reading(str(path), "is not a results file"):
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        try:
            _ENTRY.validate_python(content)
        except ValidationError as error:
            raise UserError(f"{path} is not a results file: {first_problem(error)}") from error
    return content


def relative_change(ours: Tensor, baseline: Tensor) -> tuple[float, tuple[float, float]]:
    """Change of the mean loss against the baseline's on the same targets, (B,) each, with a 95 % bootstrap interval.

    -0.25 means 25 % lower. The pairs are resampled together.
    """
    change = float(ours.mean() / baseline.mean() - 1.0)
    pairs = (ours.numpy(), baseline.numpy())
    if len(ours) < 2:
        return change, (math.nan, math.nan)

    def ratio(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return a.mean(axis=axis) / b.mean(axis=axis) - 1.0

    interval = stats.bootstrap(
        pairs, ratio, paired=True, vectorized=True, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return change, (float(interval.low), float(interval.high))


def mean_series(losses: Tensor) -> list[float]:
    """(steps, B) -> the mean per step."""
    return [float(value) for value in losses.mean(dim=1)]


def figure(value: float | None) -> str:
    """A number as every table shows it: two decimals, two digits of a small one, three of a large one; – for none."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    text = (
        "0" if size == 0 else f"{value:.2g}" if size < 0.1 else f"{value:.2f}" if size < 10 else f"{float(f'{value:.3g}'):,g}"
    )
    return text.replace("-", "−")


def bracketed(ends: Sequence[float | None] | None) -> str:
    """ " [low, high]", or nothing where there is no interval."""
    return "" if ends is None or None in ends else f" [{figure(ends[0])}, {figure(ends[1])}]"


def table(claims: Sequence[Claim]) -> str:
    """The claims as a Markdown table."""
    rows = ["| claim | paper | ours | aim | met |", "|---|---|---|---|---|"]
    for c in claims:
        paper = c.paper if isinstance(c.paper, str) else figure(c.paper)
        aim = f"{'≤' if c.better == 'lower' else '≥'} {figure(c.aim)}"
        rows.append(f"| {c.claim} | {paper} | {figure(c.ours)}{bracketed(c.interval)} | {aim} | {'yes' if c.met else 'no'} |")
    return "\n".join(rows)


def _rounded(value: Any) -> Any:
    """Floats to six significant digits, so that committed results stay small and diff cleanly."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    return value.item() if isinstance(value, torch.Tensor) else value


def finish(result: Result, out: Path, plot: Callable[[Result, Path], None]) -> None:
    """Write the result and its plot, and print the claims."""
    path = result.write(out)
    with whole(path.with_suffix(".png")) as partial:
        plot(result, partial)
    typer.echo(table(result.claims))
    typer.echo(f"Wrote {path} and {path.with_suffix('.png')}.")


def wilson(right: Tensor) -> tuple[float, float]:
    """95 % Wilson interval of the share of True in (n,)."""
    interval = stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def share_difference(a: Tensor, b: Tensor) -> tuple[float, tuple[float, float]]:
    """Share of True in a minus that in b, (n,) each on the same pictures, with the 95 % interval of the paired difference; of
    several tries of a picture, give its share of them.

    The interval is Wald's with the adjustment of Bonett & Price (2012): two pictures more, of which each side alone gets one
    right. So it has a width where no picture tells the two apart, and holds its level at few; SciPy has none for pairs.
    """
    difference = a.double() - b.double()
    adjusted = torch.cat([difference, difference.new_tensor([1.0, -1.0])])
    centre, error = float(adjusted.mean()), float(adjusted.std(unbiased=False)) / len(adjusted) ** 0.5
    half = float(stats.norm.ppf(0.975)) * error
    return float(difference.mean()), (max(centre - half, -1.0), min(centre + half, 1.0))
