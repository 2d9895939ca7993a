"""The settings of completions as form values and as URL parameters: those of a run, but K in place of the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.complete import observing
from app.complete.observing import Asked
from app.runs import lanes, settings
from app.runs.lanes import LANES
from app.runs.models import Models
from app.runs.settings import FIELDS, LIMITS, SPACE, clamped
from landscape_core.errors import UserError
from landscape_core.generators.grammar import LONGEST
from landscape_core.generators.masks import PRESETS
from landscape_core.search.race import RunSettings

MIN_K, MAX_K = 4, 20
MAX_STEPS = 300
USUAL_K, USUAL_STEPS = 8, 50
PRIOR = "prior"  # the field of the prior's weight
MOST_WEIGHT = 0.5
PREFIX = "c_"  # the Invert tab's parameters stand in the same address
_LIMITS = LIMITS | {"steps": (1, MAX_STEPS)}
OWN = [
    *(f"{PREFIX}{name}" for name in (*(field[0] for field in FIELDS), SPACE, LANES)),
    f"{PREFIX}k",
    *(f"{PREFIX}{name}" for name in ("mask", "observation", "source", PRIOR)),
    "target",
    "tab",
]


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
    return CompletionSettings(settings.defaults(models, model, space, start="random", steps=USUAL_STEPS))


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
    weight = {"prior_weight": now.settings.prior_weight}
    return CompletionSettings(chosen.model_copy(update=weight), now.k, now.observed)


def values_of(asked: CompletionSettings) -> dict[str, Any]:
    """The form's values: those of a run, with `k`, the prior's weight and what is observed."""
    own = {"k": asked.k, PRIOR: asked.settings.prior_weight, **observing.values_of(asked.observed)}
    return {**settings.values_of(asked.settings), **own}


def from_values(values: Mapping[str, Any]) -> CompletionSettings:
    """Settings from the form's values, which are untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    k = values["k"]
    if not isinstance(k, int | float) or not MIN_K <= k <= MAX_K or int(k) != k:
        raise UserError(f"Completions: a whole number from {MIN_K} to {MAX_K} is needed.")
    chosen = settings.from_values({**values, "start": "random"})
    if chosen.steps > MAX_STEPS:
        raise UserError(f"Steps: it must be at most {MAX_STEPS} here, for {MAX_K} completions are kept at every step.")
    chosen = chosen.model_copy(update={"prior_weight": _weight(values.get(PRIOR, 0.0))})
    return CompletionSettings(chosen, int(k), observing.from_values(values))


def _weight(value: Any) -> float:
    if not isinstance(value, int | float) or not 0.0 <= value <= MOST_WEIGHT:
        raise UserError(f"The prior's weight is a number from 0 to {MOST_WEIGHT:g}.")
    return float(value)


def from_query(
    query: Mapping[str, str], usual: CompletionSettings, models: Models
) -> tuple[CompletionSettings, str | None, list[str]]:
    """Settings and the name of a preset mask from the address, with a sentence for each thing changed or ignored."""
    ours = {name.removeprefix(PREFIX): text for name, text in query.items() if name.startswith(PREFIX)}
    chosen, notes = settings.from_query({**ours, "start": "random"}, usual.settings, models, _LIMITS)
    k, mask = usual.k, ours.get("mask")
    if "k" in ours:
        asked = clamped(ours["k"][:40], MIN_K, MAX_K, whole=True)
        k = asked if isinstance(asked, int) else k
        if str(k) != ours["k"]:
            notes.append(f"The address asked for {ours['k'][:40]} completions; {k} are drawn.")
    if mask is not None and mask not in PRESETS:
        notes.append(f"The address asked for the mask “{mask[:40]}”, which there is not; it was ignored.")
        mask = None
    seen, weight = observing.USUAL, 0.0
    try:
        seen = observing.from_values({name: ours[name][:LONGEST] for name in ("observation", "source") if name in ours})
        weight = _weight(clamped(ours.get(PRIOR, "0")[:40], 0.0, MOST_WEIGHT, whole=False))
    except UserError as error:
        notes.append(f"What the address asked for was ignored: {error}")
    return CompletionSettings(chosen.model_copy(update={"prior_weight": weight}), k, seen), mask, notes


def query_of(asked: CompletionSettings, models: Models) -> dict[str, str]:
    """URL parameters of what differs from the settings a page opens with, and the tab.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, asked.settings.task)
    own = settings.to_query(asked.settings, usual.settings.model_copy(update={"task": models.names[0]}))
    own |= {"k": str(asked.k)} if asked.k != usual.k else {}
    ours, known = observing.values_of(asked.observed), observing.values_of(observing.USUAL)
    own |= {name: value for name, value in ours.items() if value != known[name]}
    own |= {PRIOR: f"{asked.settings.prior_weight:g}"} if asked.settings.prior_weight else {}
    own[LANES] = lanes.to_text(asked.settings, models.get(asked.settings.task))
    return {f"{PREFIX}{name}": text for name, text in own.items()} | {"tab": "complete"}
