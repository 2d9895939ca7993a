"""The settings of a run as form values, as URL parameters, and as words. All validation is RunSettings'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from landscape_core.errors import Location, UserError, first_problem
from landscape_core.search.optimizers import LBFGS_ONLY, MAX_HISTORY
from landscape_core.search.race import MAX_STEPS, RunSettings

# Form order: (URL parameter, path inside RunSettings, words).
FIELDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("model", ("task",), "model"),
    ("space", ("space",), "space Z"),
    ("start", ("start",), "start"),
    ("steps", ("steps",), "steps"),
    ("seed", ("seed",), "seed"),
    ("x", ("x", "name"), "X optimiser"),
    ("x_lr", ("x", "lr"), "X learning rate"),
    ("x_first_move", ("x", "first_move"), "X first move"),
    ("x_history", ("x", "history"), "X memory"),
    ("z", ("z", "name"), "Z optimiser"),
    ("z_lr", ("z", "lr"), "Z learning rate"),
    ("z_first_move", ("z", "first_move"), "Z first move"),
    ("z_history", ("z", "history"), "Z memory"),
    ("perceptual", ("perceptual",), "perceptual distance"),
)
OWN = [*(field[0] for field in FIELDS), "target", "tab"]  # the Invert tab's URL parameters
SPACES = {
    "residual": "Residual Θ", "paper": "The paper's Θ (MLP)", "narrow": "Narrow Θ (MLP)", "random": "Untrained Θ",
    "flow": "Invertible Θ", "curvature": "Curvature taken out",
}  # fmt: skip
DISTANCES = {"embedded": "Embedded", "lpips": "LPIPS"}
OPTIMISERS = {
    "adam": "Adam", "adam-ramps": "Adam with ramps", "gd": "gradient descent", "lbfgs": "L-BFGS",
    "levenberg-marquardt": "Levenberg-Marquardt",
}  # fmt: skip
_LENGTH, _MEMORY = (1e-6, 1000.0), (1, MAX_HISTORY)
LIMITS = {
    "steps": (1, MAX_STEPS), "seed": (0, 2**31 - 1), "x_lr": _LENGTH, "z_lr": _LENGTH,
    "x_first_move": _LENGTH, "z_first_move": _LENGTH, "x_history": _MEMORY, "z_history": _MEMORY,
}  # fmt: skip
_WHOLE = ("steps", "seed", "x_history", "z_history")
_WORDS = {"space": SPACES, "x": OPTIMISERS, "z": OPTIMISERS, "perceptual": DISTANCES}


def values_of(settings: RunSettings) -> list[Any]:
    """The form's values, in the order of `FIELDS`."""
    return [_get(flat(settings), path) for _, path, _ in FIELDS]


def from_values(values: Sequence[Any]) -> RunSettings:
    """Settings from the form, which is untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    data: dict[str, Any] = {}
    for (_, path, _), value in zip(FIELDS, values, strict=True):
        _set(data, path, value)
    try:
        return pair(data)
    except ValidationError as error:
        raise UserError(first_problem(error, _words)) from error


def from_query(
    query: Mapping[str, str], defaults: RunSettings, models: Sequence[str], limits: Mapping[str, tuple[float, float]] = LIMITS
) -> tuple[RunSettings, list[str]]:
    """Settings from the address: numbers out of range are brought back into it, anything else invalid is ignored.

    Returns the settings and a sentence for each parameter that was changed or ignored.
    """
    settings, notes = defaults, []
    for name, path, words in FIELDS:
        if name not in query:
            continue
        text = query[name][:40]
        value = clamped(text, *limits[name], whole=name in _WHOLE) if name in limits else text
        data = flat(settings)
        _set(data, path, value)
        try:
            settings = _known(pair(data), models)
        except (ValidationError, UserError):
            notes.append(f"The address asked for {words} “{text}”, which is not accepted; it was ignored.")
            continue
        if str(value) != text and name in limits and float(text) != float(value):
            notes.append(f"The address asked for {words} {text}; {value} is the nearest that is accepted.")
    return settings, notes


def to_query(settings: RunSettings, defaults: RunSettings) -> dict[str, str]:
    """URL parameters of what differs from the defaults."""
    pairs = zip(FIELDS, values_of(settings), values_of(defaults), strict=True)
    return {field[0]: str(value) for field, value, default in pairs if value != default}


def difference(old: RunSettings, new: RunSettings) -> list[str]:
    """What changed, in words: "Z learning rate 0.1 → 0.3"."""
    before = dict(words(old))
    return [f"{what} {before[what]} → {value}" for what, value in words(new) if what in before and before[what] != value]


def words(settings: RunSettings) -> list[list[str]]:
    """Every setting as [what, value], but for those that a lane's optimiser does not have."""
    lanes = {lane: each.optimizer.name for lane, each in zip("xz", settings.lanes, strict=True)}
    pairs = zip(FIELDS, values_of(settings), strict=True)
    has = [(field, value) for field, value in pairs if field[1][-1] not in LBFGS_ONLY or lanes[field[1][0]] == "lbfgs"]
    return [[field[2], _show(field[0], value)] for field, value in has]


def flat(settings: RunSettings) -> dict[str, Any]:
    """The form's shape of a race of one lane in X and one in Z."""
    x, z = (lane.optimizer.model_dump() for lane in settings.lanes)
    return {**settings.model_dump(exclude={"lanes"}), "space": settings.space, "x": x, "z": z}


def pair(data: Mapping[str, Any]) -> RunSettings:
    """The settings of that shape, which is untrusted."""
    kept = {key: value for key, value in data.items() if key not in ("space", "x", "z")}
    lanes = [{"optimizer": data.get("x", {})}, {"space": data["space"], "optimizer": data.get("z", {})}]
    return RunSettings.model_validate({**kept, "lanes": lanes})


def _known(settings: RunSettings, models: Sequence[str]) -> RunSettings:
    if settings.task not in models:
        raise UserError(f"There is no model {settings.task!r}.")
    return settings


def clamped(text: str, low: float, high: float, *, whole: bool) -> Any:
    """A number of the address brought into its range; what is no number stays text, for validation to refuse."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not low <= number <= high:
        number = float(min(max(number, low), high))  # NaN stays, for validation to refuse
    return int(number) if whole and number.is_integer() else number


def _get(data: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def _set(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        data = data.setdefault(key, {})
    data[path[-1]] = value


def _words(location: Location) -> str:
    if location[:1] == ("lanes",) and len(location) == 4:  # ("lanes", 0, "optimizer", "lr") is the form's ("x", "lr")
        location = ("xz"[int(location[1])], location[3])
    found = [words for _, path, words in FIELDS if path == tuple(location)]
    text = found[0] if found else "settings"
    return text[0].upper() + text[1:]


def _show(name: str, value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else _WORDS.get(name, {}).get(str(value), str(value))
