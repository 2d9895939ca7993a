"""The settings of completions as form values and as URL parameters: those of a run, but K in place of the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.runs import lanes, settings
from app.runs.lanes import LANES
from app.runs.models import Models
from app.runs.settings import FIELDS, LIMITS, SPACE, clamped
from landscape_core.errors import UserError
from landscape_core.generators.masks import PRESETS
from landscape_core.search.race import RunSettings

MIN_K, MAX_K = 4, 20
MAX_STEPS = 300
USUAL_K, USUAL_STEPS = 8, 50
PREFIX = "c_"  # the Invert tab's parameters stand in the same address
_LIMITS = LIMITS | {"steps": (1, MAX_STEPS)}
OWN = [
    *(f"{PREFIX}{name}" for name in (*(field[0] for field in FIELDS), SPACE, LANES)),
    f"{PREFIX}k",
    f"{PREFIX}mask",
    "target",
    "tab",
]


@dataclass(frozen=True)
class CompletionSettings:
    """A run of `k` completions."""

    settings: RunSettings
    k: int = USUAL_K


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
    return CompletionSettings(settings.for_model(models, {**values, "start": "random"}), now.k)


def values_of(asked: CompletionSettings) -> dict[str, Any]:
    """The form's values: those of a run, with `k`."""
    return {**settings.values_of(asked.settings), "k": asked.k}


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
    return CompletionSettings(chosen, int(k))


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
    return CompletionSettings(chosen, k), mask, notes


def query_of(asked: CompletionSettings, models: Models) -> dict[str, str]:
    """URL parameters of what differs from the settings a page opens with, and the tab.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, asked.settings.task)
    own = settings.to_query(asked.settings, usual.settings.model_copy(update={"task": models.names[0]}))
    own |= {"k": str(asked.k)} if asked.k != usual.k else {}
    own[LANES] = lanes.to_text(asked.settings, models.get(asked.settings.task))
    return {f"{PREFIX}{name}": text for name, text in own.items()} | {"tab": "complete"}
