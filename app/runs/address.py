"""A page's address: the tab that is open and that tab's settings, by the names of their fields; and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from landscape_core.errors import UserError

TAB = "tab"
FIRST = "invert"  # the tab of an address that names none
TARGET = "target"  # what is searched for, by name
FOLLOWERS = ("landscape",)  # tabs whose target is the first tab's
LONGEST = 400  # characters of a parameter that are looked at
_EARLIER = "c_"  # before every tab had an address of its own, those of completions began so
Values = dict[str, Any]


def of_tab(query: Mapping[str, str], tab: str) -> dict[str, str]:
    """The parameters that an address has for a tab: all of them where it is the one to be opened; of another's, the target
    where that is the first tab's."""
    if tab == FIRST and query.get(TAB) in FOLLOWERS and TARGET in query:
        return {TARGET: query[TARGET]}
    if query.get(TAB, FIRST) != tab:
        return {}
    return {name.removeprefix(_EARLIER): str(text) for name, text in query.items()}


def of_panel(query: Mapping[str, str], panel: str) -> dict[str, str]:
    """The parameters that an address has for a panel below a tab's race: their names begin with the panel's."""
    return {name.removeprefix(f"{panel}_"): text for name, text in query.items() if name.startswith(f"{panel}_")}


def parameters(sent: Any) -> dict[str, str]:
    """The parameters that a page sent, which are untrusted; none where it sent no object."""
    return {str(name): str(text) for name, text in sent.items()} if isinstance(sent, Mapping) else {}


def query_of(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of every value that differs from the usual."""
    return {name: _text(value) for name, value in values.items() if value != usual.get(name)}


def over(
    query: Mapping[str, str],
    usual: Mapping[str, Any],
    check: Callable[[Values], object],
    limits: Mapping[str, tuple[float, float]] | None = None,
    words: Mapping[str, str] | None = None,
) -> tuple[Values, list[str]]:
    """The usual values with those of an address, which is untrusted, put over them one by one, each read as the usual one's
    type. A number out of its limits is brought back into them; what `check` refuses (UserError) is left out.

    Returns the values and a sentence for each parameter that was changed or left out; `words` are what fields are called.
    """
    values, notes = dict(usual), []
    for name in usual:
        if name not in query:
            continue
        text, called = query[name][:LONGEST], (words or {}).get(name, name.replace("_", " "))
        value = _read(text, usual[name])
        if name in (limits or {}):
            value = clamped(text, *(limits or {})[name], whole=not isinstance(usual[name], float))
        try:
            check({**values, name: value})
        except UserError:
            notes.append(f"The address asked for {called} “{text[:40]}”, which is not accepted; it was ignored.")
            continue
        if name in (limits or {}) and float(text) != float(value):
            notes.append(f"The address asked for {called} {text}; {value} is the nearest that is accepted.")
        values[name] = value
    return values, notes


def clamped(text: str, low: float, high: float, *, whole: bool) -> Any:
    """A number of the address brought into its range; what is no number stays text, for validation to refuse."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not low <= number <= high:
        number = float(min(max(number, low), high))  # NaN stays, for validation to refuse
    return int(number) if whole and number.is_integer() else number


def _text(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else "" if value is None else str(value)


def number_text(value: float) -> str:
    """A number in as few digits as give it again."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _read(text: str, usual: Any) -> Any:
    """Text as a value of the usual one's type; what is none stays text, for validation to refuse. Without a usual value a
    number is a number."""
    if isinstance(usual, str):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isinstance(usual, float) or not number.is_integer() else int(number)
