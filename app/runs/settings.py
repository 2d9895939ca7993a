"""The settings of a run as form values, as URL parameters, and as words. All validation is RunSettings'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from app.runs.models import Models
from landscape_core.errors import UserError
from landscape_core.search.race import MAX_STEPS, RunSettings
from landscape_core.search.task import X

# (Name in form and address, path inside RunSettings, words.)
FIELDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("model", ("task",), "model"),
    ("space", ("space",), "space Z"),
    ("start", ("start",), "start"),
    ("steps", ("steps",), "steps"),
    ("seed", ("seed",), "seed"),
    ("x", ("x", "name"), "X optimiser"),
    ("x_lr", ("x", "lr"), "X learning rate"),
    ("z", ("z", "name"), "Z optimiser"),
    ("z_lr", ("z", "lr"), "Z learning rate"),
    ("perceptual", ("perceptual",), "perceptual distance"),
)
OWN = [*(field[0] for field in FIELDS), "target", "tab"]  # the Invert tab's URL parameters
SPACES = {
    "residual": "Residual Θ", "paper": "The paper's Θ (MLP)", "narrow": "Narrow Θ (MLP)", "random": "Untrained Θ",
    "flow": "Invertible Θ", "curvature": "Curvature taken out",
}  # fmt: skip
DISTANCES = {"embedded": "Embedded", "lpips": "LPIPS"}
OPTIMISERS = {"adam": "Adam", "adam-ramps": "Adam with ramps", "gd": "gradient descent", "lbfgs": "L-BFGS"}
LIMITS = {"steps": (1, MAX_STEPS), "seed": (0, 2**31 - 1), "x_lr": (1e-6, 1000.0), "z_lr": (1e-6, 1000.0)}
_PARTS = [(("optimizer", "name"), ("name",)), (("optimizer", "lr"), ("lr",))]
_WHOLE = ("steps", "seed")
_WORDS = {"space": SPACES, "x": OPTIMISERS, "z": OPTIMISERS, "perceptual": DISTANCES}


def defaults(models: Models, model: str | None = None, space: str | None = None) -> RunSettings:
    """The settings a page starts with: the model's first Θ, and in each space the optimiser advised for it.

    `space` is the one whose advice Z gets, where it is not the first.

    Raises:
        UserError: there is no model at all, or its files are damaged.
    """
    name = model if model in models.names else next(iter(models.names), None)
    task = models.get(name)
    first = next(iter(task.mappings))
    z = task.advice(space if space and space in task.mappings else first)
    return RunSettings.pair(first, task.advice(X, z.name), z, task=str(name))


def for_model(models: Models, values: Mapping[str, Any]) -> RunSettings:
    """The form's settings after another model was chosen in it: that model's spaces and optimisers, the rest as it was.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, values["model"])
    try:
        now = from_values({**values, "model": usual.task, "space": usual.space})
    except UserError:  # something else in the form is wrong; then all of it begins anew
        return usual
    return usual.model_copy(update={"start": now.start, "steps": now.steps, "seed": now.seed, "perceptual": now.perceptual})


def values_of(settings: RunSettings) -> dict[str, Any]:
    """The form's values by the names of `FIELDS`."""
    data = flat(settings)
    return {name: _get(data, path) for name, path, _ in FIELDS}


def from_values(values: Mapping[str, Any]) -> RunSettings:
    """Settings from the form's values, which are untrusted. A field that a form does not have stays as it usually is.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    data: dict[str, Any] = {}
    for name, path, _ in FIELDS:
        if name in values:
            _set(data, path, values[name])
    try:
        return pair(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{_words(first['loc'])}: {_plain(first)}") from error


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
    usual = values_of(defaults)
    return {name: str(value) for name, value in values_of(settings).items() if value != usual[name]}


def query_of(settings: RunSettings, models: Models) -> dict[str, str]:
    """URL parameters of what differs from the settings a page opens with, and those advised for the model and space.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, settings.task, settings.space)
    return to_query(settings, usual.model_copy(update={"task": models.names[0]}))


def difference(old: RunSettings, new: RunSettings) -> list[str]:
    """What changed, in words: "Z learning rate 0.1 → 0.3"."""
    before, after = values_of(old), values_of(new)
    changed = [(name, words) for name, _, words in FIELDS if before[name] != after[name]]
    return [f"{words} {_show(name, before[name])} → {_show(name, after[name])}" for name, words in changed]


def words(settings: RunSettings) -> list[list[str]]:
    """Every setting as [what, value]."""
    values = values_of(settings)
    return [[words, _show(name, values[name])] for name, _, words in FIELDS]


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


def _words(location: tuple[Any, ...]) -> str:
    lanes = {("lanes", i, *part): (lane, *rest) for i, lane in enumerate("xz") for part, rest in _PARTS}
    found = [words for _, path, words in FIELDS if path == lanes.get(tuple(location), tuple(location))]
    text = found[0] if found else "settings"
    return text[0].upper() + text[1:]


def _plain(error: Any) -> str:
    """Pydantic's message as a sentence."""
    context = error.get("ctx", {})
    bounds = {"greater_than": "more than {gt:g}", "greater_than_equal": "at least {ge:g}"}
    bounds |= {"less_than_equal": "at most {le:g}"}
    if error["type"] in bounds:
        return f"it must be {bounds[error['type']].format(**context)}."
    if error["type"] in ("int_type", "float_type", "int_from_float", "int_parsing", "float_parsing", "finite_number"):
        return "a number is needed" + (", without decimals." if error["type"].startswith("int") else ".")
    return f"{error['msg'].lower()}."


def _show(name: str, value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else _WORDS.get(name, {}).get(str(value), str(value))
