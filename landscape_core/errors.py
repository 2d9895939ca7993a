"""Errors that a user caused and can mend, and the one place where a library's exceptions become such sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

LONGEST_NAME = 120
LONGEST = 240  # characters of a library's message that are passed on
_TERMINAL = re.compile(r"\x1b\[[0-9;]*m")
_OBJECT = re.compile(r"<[\w.]+ object at 0x[0-9a-fA-F]+>|<_io\.\w+[^>]*>")
WORDS = {"lr": "learning rate", "first_move": "first move"}
# What pydantic finds wrong, by its names for it: {input} is what was given, the rest is what pydantic tells of the bound.
_NUMBER, _WHOLE = "a number is needed, not {input}", "a number is needed, without decimals, not {input}"
_SAID = {
    "greater_than": "it must be more than {gt:g}, not {input}", "greater_than_equal": "it must be at least {ge:g}, not {input}",
    "less_than": "it must be less than {lt:g}, not {input}", "less_than_equal": "it must be at most {le:g}, not {input}",
    "float_type": _NUMBER, "float_parsing": _NUMBER, "finite_number": _NUMBER,
    "int_type": _WHOLE, "int_parsing": _WHOLE, "int_from_float": _WHOLE,
    "bool_type": "it must be true or false, not {input}", "bool_parsing": "it must be true or false, not {input}",
    "literal_error": "it must be {expected}, not {input}", "string_type": "text is needed, not {input}",
    "extra_forbidden": "there is no such setting", "missing": "it is missing", "value_error": "{error}",
}  # fmt: skip


class UserError(Exception):
    """Says what was wrong and what is accepted. The CLI and the UI print only the message."""


@contextmanager
def reading(what: str, otherwise: str = "cannot be read") -> Iterator[None]:
    """Around a library's decoding of foreign bytes, and nothing else: whatever it raises becomes a UserError.

    Decoders of pictures, archives, pickles and JSON raise dozens of unrelated types for broken input, down to SyntaxError,
    AssertionError and MemoryError, so no list of types is ever complete. `what` begins the sentence: "a.png".

    Raises:
        UserError: "`what` `otherwise`: the library's reason." A UserError from inside passes unchanged.
    """
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"There is no file {what}.") from error
    except Exception as error:
        raise UserError(f"{what} {otherwise}: {reason(error)}.") from error


@contextmanager
def writing(what: object) -> Iterator[None]:
    """Around writing to a disk: a full, read-only or unusable one becomes a UserError.

    Raises:
        UserError: "`what` cannot be written: no space left on device."
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"{what} cannot be written: {reason(error)}.") from error


def reason(error: BaseException) -> str:
    """A library's message as the end of a sentence: one line, without terminal codes, addresses in memory or a full stop.

    Of an error of the system only its words are kept: the path stands in the sentence already.
    """
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    text = _OBJECT.sub("it", _TERMINAL.sub("", str(error))).strip()
    printable = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()) or type(error).__name__)
    return (printable if len(printable) <= LONGEST else printable[:LONGEST].rstrip() + " …").rstrip(". ")


def listed(names: Iterable[object], limit: int = 8) -> str:
    """Names for a sentence: "a, b, c and 40 more"; "none" where there are none."""
    every = [text if len(text := str(name)) <= LONGEST_NAME else text[:LONGEST_NAME] + "…" for name in names]
    rest = f" and {len(every) - limit:,} more" if len(every) > limit else ""
    return (", ".join(every[:limit]) or "none") + rest


Location = tuple[str | int, ...]


def in_words(location: Location) -> str:
    """Where a setting is, as words: ("x", "lr") -> "x learning rate"."""
    return " ".join(WORDS.get(str(part), str(part)) for part in location) or "settings"


def first_problem(error: ValidationError, named: Callable[[Location], str] = in_words) -> str:
    """The first thing that settings were refused for, as a sentence that begins with its name."""
    first = error.errors()[0]
    return f"{named(first['loc'])}: {_plain(first)}"


def _plain(problem: Any) -> str:
    if said := _SAID.get(problem["type"]):
        return said.format(**{**problem.get("ctx", {}), "input": listed([problem["input"]])}) + "."
    text = str(problem["msg"])
    return f"{text[:1].lower()}{text[1:]}."
