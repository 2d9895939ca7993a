"""What a training is: the facts by which a checkpoint is told from another training's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from landscape_core.errors import listed
from landscape_core.storage.fingerprint import fingerprint

_CONTENT = "content "
_PLAIN = (str, int, float, bool, type(None))


def described(facts: Mapping[str, Any]) -> dict[str, str]:
    """One line of text for each fact, by name.

    Settings (dataclasses and mappings) are told entry by entry ("settings.lr": "0.001"); tensors, networks and all else by
    the fingerprint of their content.
    """
    told: dict[str, str] = {}
    for name, value in facts.items():
        if is_dataclass(value) and not isinstance(value, type):
            value = {field.name: getattr(value, field.name) for field in fields(value)}
        if isinstance(value, Mapping):
            told |= {f"{name}.{key}": text for key, text in described(value).items()}
        elif isinstance(value, _PLAIN) or (isinstance(value, (list, tuple)) and all(isinstance(v, _PLAIN) for v in value)):
            told[name] = str(list(value)) if isinstance(value, (list, tuple)) else str(value)
        else:
            told[name] = _CONTENT + fingerprint(value)[:16]
    return told


def difference(kept: Mapping[str, str], asked: Mapping[str, str]) -> str:
    """What tells two trainings apart, as the end of a sentence: "other data, seed 0 instead of 1"; "" where nothing does."""
    names = [name for name in (*asked, *(name for name in kept if name not in asked)) if kept.get(name) != asked.get(name)]
    if not names:
        return ""
    return listed([_told(name.removeprefix("settings."), kept.get(name), asked.get(name)) for name in names], 6)


def _told(name: str, kept: str | None, asked: str | None) -> str:
    if any(value is not None and value.startswith(_CONTENT) for value in (kept, asked)):
        return f"other {name}"
    return f"{name} {'unsaid' if kept is None else kept} instead of {'unsaid' if asked is None else asked}"
