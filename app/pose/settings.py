"""The settings of a run on a pose: those of a race, with the number of hypotheses in place of the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.runs import address, settings
from app.runs.models import Models
from landscape_core.errors import UserError
from landscape_core.pose.run_card import PoseCard
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import RunSettings
from landscape_core.search.spaces import Start
from landscape_core.search.task import X

MAX_K = 8
USUAL_STEPS = 40
LIMITS = {"k": (1, MAX_K)}
COLUMNS: tuple[OptimizerName, ...] = ("lbfgs", "levenberg-marquardt", "adam")


@dataclass(frozen=True)
class PoseSettings:
    """A run of `k` hypotheses; `settings.task` names what is observed."""

    settings: RunSettings
    k: Any = 1


def defaults(models: Models, model: str | None = None) -> PoseSettings:
    """The settings that a page starts with."""
    return PoseSettings(settings.defaults(models, model, columns=columns(models, model), steps=USUAL_STEPS))


def columns(models: Models, model: str | None = None) -> list[OptimizerName]:
    """The optimisers of a race on poses: L-BFGS, and Levenberg-Marquardt where what is observed and both spaces allow it."""
    task = models.get(model or models.names[0])
    able = set(task.optimizers(X)) & set(task.optimizers(next(iter(task.mappings))))
    return [name for name in COLUMNS if name in able][:2]


def values_of(asked: PoseSettings) -> dict[str, Any]:
    """The form's values: those of a run, with `k`."""
    return {**settings.values_of(asked.settings), "k": asked.k}


def from_values(values: Mapping[str, Any]) -> PoseSettings:
    """Settings from the form's values, which are untrusted. One hypothesis starts from the mean, several from random inputs
    of F.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    k = checked_k(values["k"])
    return PoseSettings(settings.from_values({**values, "start": start_for(k)}), k)


def from_query(query: Mapping[str, str], models: Models) -> tuple[PoseSettings, list[str]]:
    """Settings from the address, with a sentence for each thing changed or ignored."""
    usual = defaults(models, query.get("model"))
    extra, notes = address.over(
        query, {"k": usual.k}, lambda values: checked_k(values["k"]), LIMITS, {"k": "number of hypotheses"}
    )
    chosen, more = settings.from_query({**query, "start": start_for(extra["k"])}, usual.settings, models)
    return PoseSettings(chosen, extra["k"]), [*notes, *more]


def query_of(asked: PoseSettings, models: Models) -> dict[str, str]:
    """URL parameters of what differs from the settings a page opens with."""
    usual = defaults(models, asked.settings.task)
    own = settings.query_of(asked.settings, models, usual.settings)
    del own["start"]  # it follows from k
    return own | address.query_of({"k": asked.k}, {"k": usual.k})


def checked_k(k: Any) -> int:
    """A number of hypotheses. Raises UserError for any other value."""
    if not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise UserError(f"The number of hypotheses must be from 1 to {MAX_K}.")
    return k


def start_for(k: Any) -> Start:
    """Where that many hypotheses start."""
    return "mean" if k == 1 else "random"


def from_card(card: PoseCard) -> PoseSettings:
    """What a card asks for."""
    return PoseSettings(card.settings, card.hypotheses)
