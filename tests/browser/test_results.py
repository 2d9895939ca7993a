"""The Results tab in Chromium: answers that lead to their tables, charts in the page's colours, nothing cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Open = Callable[..., Any]
CURVES = "#result-pose"  # it has curves, and more columns than a phone is wide


@pytest.fixture
def results_page(open_page: Open) -> Open:
    def opened(**options: Any) -> Any:
        page = open_page(**options)
        page.get_by_role("tab", name="Results").click()
        page.wait_for_selector("#results .answer >> visible=true")
        return page

    return opened


@pytest.mark.quick
def test_an_answer_leads_to_its_table_and_nothing_is_cut(results_page: Open) -> None:
    page = results_page()
    answer = page.locator("#results .answer", has=page.locator("a[href='#result-pose']")).first
    answer.locator("summary").click()
    answer.locator("a[href='#result-pose']").first.click()
    table = page.locator(f"{CURVES} .scroll")
    table.wait_for(state="visible")
    assert page.evaluate("document.activeElement.closest('details').id") == "result-pose"
    page.keyboard.press("Tab")
    assert table.evaluate("element => document.activeElement === element"), "a keyboard reaches what scrolls"
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        assert table.evaluate("element => element.scrollWidth <= element.clientWidth"), "no column is cut"
        head = table.locator("td").nth(1).evaluate("cell => getComputedStyle(cell, '::before').content")
        assert head == ('"Ours "' if width == 390 else "none"), "on a phone a cell says what its column is"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_are_drawn_in_the_colours_of_the_theme(results_page: Open) -> None:
    strokes = []
    for dark in (False, True):
        page = results_page(dark=dark)
        page.click(f"{CURVES} > summary")
        lines = page.locator(f"{CURVES} polyline")
        assert lines.count() >= 6
        strokes.append(lines.first.evaluate("line => getComputedStyle(line).stroke"))
        ink = page.evaluate("getComputedStyle(document.querySelector('#results figcaption')).color")
        assert strokes[-1] != ink
    assert strokes[0] != strokes[1]
    assert page.locator("#results img").count() == 0, "no white picture in the dark theme"
