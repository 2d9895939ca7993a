"""The settings of completions as form values and as URL parameters: those of a run, but K in place of the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.complete import observing
from app.complete.observing import Asked
from app.runs import address, settings
from app.runs.address import Values, over
from app.runs.models import Models
from landscape_core.errors import UserError
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import RunSettings

MIN_K, MAX_K = 4, 20
MAX_STEPS = 300
USUAL_K, USUAL_STEPS = 6, 40  # with one optimiser: on a laptop's two cores they are there in 20 seconds
USUAL_OPTIMIZERS: tuple[OptimizerName, ...] = ("lbfgs",)
LIMITS = settings.LIMITS | {"steps": (1, MAX_STEPS), "k": (MIN_K, MAX_K)}


@dataclass(frozen=True)
class CompletionSettings:
    """A run of `k` completions of what is observed."""

    settings: RunSettings
    k: int = USUAL_K
    observed: Asked = observing.USUAL


def defaults(models: Models, model: str | None = None, space: str | None = None) -> CompletionSettings:
    """What a page starts with: the advised optimisers, random starts.

    Raises:
        UserError: there is no model at all, or its files are damaged.
    """
    return CompletionSettings(settings.defaults(models, model, space, USUAL_OPTIMIZERS, start="random", steps=USUAL_STEPS))


def for_model(models: Models, values: Mapping[str, Any]) -> CompletionSettings:
    """The form's settings after another model was chosen in it: that model's spaces and optimisers, the rest as it was.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, values["model"])
    try:
        now = from_values({**values, "model": usual.settings.task, "space": usual.settings.space})
    except UserError:  # something else in the form is wrong; then all of it begins anew
        return usual
    chosen = settings.for_model(models, {**values, "start": "random"})
    return CompletionSettings(chosen, now.k, now.observed)


def values_of(asked: CompletionSettings) -> dict[str, Any]:
    """The form's values: those of a run, with `k` and what is observed."""
    return {**settings.values_of(asked.settings), **_own(asked)}


def from_values(values: Mapping[str, Any]) -> CompletionSettings:
    """Settings from the form's values, which are untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    k = _checked_k(values["k"])
    chosen = settings.from_values({**values, "start": "random"})
    if chosen.steps > MAX_STEPS:
        raise UserError(f"Steps: it must be at most {MAX_STEPS} here, for {MAX_K} completions are kept at every step.")
    return CompletionSettings(chosen, k, observing.from_values(values))


def _checked_k(k: Any) -> int:
    if not isinstance(k, int | float) or not MIN_K <= k <= MAX_K or int(k) != k:
        raise UserError(f"Completions: a whole number from {MIN_K} to {MAX_K} is needed.")
    return int(k)


def from_query(query: Mapping[str, str], usual: CompletionSettings, models: Models) -> tuple[CompletionSettings, list[str]]:
    """Settings from the address, with a sentence for each thing changed or ignored."""
    chosen, notes = settings.from_query({**query, "start": "random"}, usual.settings, models, LIMITS)
    extra, more = over(query, _own(usual), _with(usual.settings), LIMITS, {"k": "number of completions"})
    return _with(chosen)(extra), [*notes, *more]


def _with(chosen: RunSettings) -> Callable[[Values], CompletionSettings]:
    """The settings of a run together with the values of `_own`, checked."""
    return lambda own: CompletionSettings(chosen, _checked_k(own["k"]), observing.from_values(own))


def _own(asked: CompletionSettings) -> Values:
    """What completions have beside the settings of a run, by the names of the fields."""
    return {"k": asked.k, **observing.values_of(asked.observed)}


def query_of(asked: CompletionSettings, models: Models) -> dict[str, str]:
    """URL parameters of what differs from the settings a page opens with.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, asked.settings.task)
    own = settings.query_of(asked.settings, models, usual.settings)
    del own["start"]  # it is always random
    return own | address.query_of(_own(asked), _own(usual))
