"""Does a w for every layer (W+, Abdal et al. 2019) help? W and W+ on the same pictures, as X and without the curvature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.experiments.results import Result
from landscape_core.experiments.rows import Chosen, Losses, TableSettings, claim, measure_rows, record
from landscape_core.progress import Tick
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import untrained

W, W_CURVATURE, W_TRAINED = "W", "W, curvature only", "W, residual Θ"
PLUS, PLUS_CURVATURE = "W+", "W+, curvature only"
COMPARED = ((PLUS, W), (PLUS_CURVATURE, W_CURVATURE), (PLUS_CURVATURE, W_TRAINED))


def spaces_of(task: Task, plus: Task) -> tuple[dict[str, SearchSpace], dict[str, SearchSpace]]:
    """The rows in W and the rows in W+.

    Raises:
        UserError: a Θ is not there; the sentence says how to train it.
    """
    for each, preset in ((task, "residual"), (plus, "whitened")):
        if preset not in each.mappings:
            raise UserError(
                f"This needs the Θ {preset!r} of {each.name}, which is not there; train it with: python -m landscape_core "
                f"train mapping --domain {each.name} --preset {preset} --data PICTURES"
            )
    residual = task.space("residual")
    in_w = {W: task.space(X), W_CURVATURE: untrained(task.prior, residual), W_TRAINED: residual}
    return in_w, {PLUS: plus.space(X), PLUS_CURVATURE: plus.space("whitened")}


def run_wplus(
    task: Task, plus: Task, train: Tensor, sets: Mapping[str, Tensor], settings: TableSettings, command: str, tick: Tick
) -> Result:
    """`train` (n, 3, H, W) chooses every row's optimiser; every row is measured on all of `sets`."""
    chosen: dict[str, Chosen] = {}
    losses: Losses = {label: {} for label in sets}
    for each, spaces in zip((task, plus), spaces_of(task, plus), strict=True):
        found, measured = measure_rows(replace(each, mappings=spaces), list(spaces), train, sets, settings, tick)
        chosen |= found
        for label in sets:
            losses[label] |= measured[label]
    result = Result(
        "w-plus", command, settings.seed, {**task.hashes, **plus.hashes},
        {label: len(pictures) for label, pictures in sets.items()}, settings.describe(),
    )  # fmt: skip
    record(result, chosen, losses)
    for label in sets:
        for at in settings.steps:
            for row, against in COMPARED:
                note = _by(result, row, against, at)
                result.claims.append(claim(losses, label, at, row, against, paper=None, aim=0.0, note=note))
    return result


def _by(result: Result, row: str, against: str, at: int) -> str:
    """In words, each row's own best optimiser for that many steps: they need not be the same."""
    ours, theirs = (result.settings["optimizer"][each][str(at)] for each in (row, against))
    return f" ({ours})" if ours == theirs else f" ({ours} against {theirs})"
