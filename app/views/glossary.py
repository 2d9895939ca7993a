"""What every technical term of the app means. The sentences are those of docs/words.md, which is their only source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.views.view import APP

PAGE = APP.parent / "docs" / "words.md"
_ENTRY = re.compile(r"- \*\*(?P<term>[^*]+)\*\*(?: \((?P<forms>[^)]+)\))?: (?P<meaning>.+)")


@dataclass(frozen=True)
class Word:
    """A term, the other `forms` in which it is written on screen (a plural's s is understood), and what it means."""

    term: str
    forms: tuple[str, ...]
    meaning: str


def words_in(markdown: str) -> dict[str, list[Word]]:
    """The entries of a word list, `- **term** (form, form): meaning`, by the heading that they stand under."""
    groups: dict[str, list[Word]] = {}
    for line in markdown.splitlines():
        if line.startswith("## "):
            groups[line.removeprefix("## ")] = []
        elif entry := _ENTRY.fullmatch(line):
            forms = tuple((entry["forms"] or "").split(", ")) if entry["forms"] else ()
            groups[next(reversed(groups))].append(Word(entry["term"], forms, entry["meaning"]))
    return groups


@cache
def glossary(path: Path = PAGE) -> dict[str, list[Word]]:
    """The app's word list by its headings."""
    return words_in(path.read_text(encoding="utf-8"))


def meaning(term: str) -> str:
    """What a term of the word list means."""
    return next(word.meaning for words in glossary().values() for word in words if word.term == term)
