"""The word list that stands behind the terms on screen."""

from __future__ import annotations

import re

import pytest

from app.runs.lanes import OPTIMISERS
from app.views.glossary import PAGE, glossary, meaning, words_in


def test_every_line_of_the_page_is_an_entry() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
    words = [word for group in glossary().values() for word in group]
    assert len(words) == len(lines) > 30
    forms = [form for word in words for form in (word.term, *word.forms)]
    assert len(set(forms)) == len(forms), "a term has one meaning"


def test_an_entry_has_a_term_its_other_forms_and_a_sentence() -> None:
    found = words_in("## How\n\n- **dB** (PSNR, decibel): Likeness. Higher is better.\n- **Seed**: A number.\n")
    assert [(word.term, word.forms, word.meaning) for word in found["How"]] == [
        ("dB", ("PSNR", "decibel"), "Likeness. Higher is better."),
        ("Seed", (), "A number."),
    ]


@pytest.mark.parametrize("term", ["Inversion", "X", "Z", "Θ", "W+", "L-BFGS", "dB", "Diversity"])
def test_what_newcomers_asked_for_is_explained(term: str) -> None:
    assert re.fullmatch(r"[A-Z].+\.", meaning(term))


def test_every_optimiser_of_a_race_is_explained() -> None:
    forms = {form for group in glossary().values() for word in group for form in (word.term, *word.forms)}
    assert set(OPTIMISERS.values()) <= forms
