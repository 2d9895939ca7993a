"""Errors that a user caused and can mend: shown as a sentence, never as a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

WORDS = {"lr": "learning rate", "first_move": "first move"}
BOUNDS = {
    "greater_than": "more than {gt:g}", "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}", "less_than_equal": "at most {le:g}",
}  # fmt: skip
NUMBERS = ("int_type", "float_type", "int_from_float", "int_parsing", "float_parsing", "finite_number")


class UserError(Exception):
    """Says what was wrong and what is accepted. The CLI and the UI print only the message."""


Location = tuple[str | int, ...]


def in_words(location: Location) -> str:
    """Where a setting is, as words: ("x", "lr") -> "x learning rate"."""
    return " ".join(WORDS.get(str(part), str(part)) for part in location) or "settings"


def first_problem(error: ValidationError, named: Callable[[Location], str] = in_words) -> str:
    """The first thing that settings were refused for, as a sentence that begins with its name."""
    first = error.errors()[0]
    return f"{named(first['loc'])}: {_plain(first)}"


def _plain(problem: Any) -> str:
    if problem["type"] in BOUNDS:
        return f"it must be {BOUNDS[problem['type']].format(**problem['ctx'])}, not {problem['input']}."
    if problem["type"] in NUMBERS:
        whole = ", without decimals" if problem["type"].startswith("int") else ""
        return f"a number is needed{whole}, not {problem['input']}."
    text = str(problem["msg"])
    return f"{text[:1].lower()}{text[1:]}."
