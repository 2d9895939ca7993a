"""The panel that edits what a run found, driven in Chromium as a visitor would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Open = Callable[..., Any]
RESTS = "#edit .editing:not([data-busy])"
MOVE = """(input, to) => {
  input.value = to;
  for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind, { bubbles: true }));
}"""
PIXELS = "[...document.querySelectorAll('#edit .results canvas')].map(each => each.toDataURL())"


def moved(page: Any, slider: str, to: float) -> list[str]:
    """The pictures after a slider was moved, once they are there."""
    page.locator(f"#edit {slider}").evaluate(MOVE, to)
    page.wait_for_selector(RESTS)
    return page.evaluate(PIXELS)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_result_is_edited_undone_blended_and_exported(open_page: Open, tmp_path: Path, width: int) -> None:
    page = open_page("?steps=5", width=width)
    assert not page.is_visible("#edit .editing"), "there is nothing to edit yet"
    page.click("#race [data-act=run]")
    page.wait_for_selector("#race [data-act=export]:visible")
    page.click("#edit [data-do=take-a]")
    page.wait_for_selector("#edit .results canvas")
    page.wait_for_selector(RESTS)
    assert page.locator("#edit .results figcaption").all_text_contents() == ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"]
    found = page.evaluate(PIXELS)

    edited = moved(page, "[data-slider='0']", 2)
    assert all(a != b for a, b in zip(found, edited, strict=True))  # every lane by the same move
    page.wait_for_function("new URLSearchParams(location.search).get('edit')?.startsWith('1,2;')")
    page.click("#edit [data-do=undo]")
    page.wait_for_function(f"{PIXELS}[0] === {found[0]!r}")
    page.click("#edit [data-do=redo]")
    page.wait_for_function(f"{PIXELS}[0] === {edited[0]!r}")

    page.fill("#edit .step input", "0")
    page.click("#edit [data-do=take-b]")
    page.wait_for_selector("#edit .blend:visible")
    assert moved(page, "[data-share]", 1) != edited
    page.click("#edit [data-end=B]")
    assert page.input_value("#edit [data-slider='0']") == "0"  # B has sliders of its own
    with page.expect_download() as download:
        page.select_option("#edit select", "gif")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.read_bytes()[:3] == b"GIF"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#edit [data-do=reset]")
    page.wait_for_function("!new URLSearchParams(location.search).has('edit')")

    page.check("#model input[value=cats]", force=True)  # another model's result has other directions: it begins anew
    page.wait_for_function("new URLSearchParams(location.search).get('model') === 'cats'")
    page.click("#race [data-act=run]")
    page.wait_for_selector("#race [data-act=export] >> text=run 2 >> visible=true")
    page.click("#edit [data-do=take-a]")
    page.wait_for_function("document.querySelector('#edit [data-labels]').textContent === 'run 2, step 0'")
    page.wait_for_selector(RESTS)
    assert page.locator("#edit [data-do=undo]").is_disabled()


def test_the_completion_that_is_picked_is_the_one_that_is_edited(open_page: Open) -> None:
    page = open_page("?tab=complete&c_k=4&c_steps=3")
    page.wait_for_selector(".painter .paper[data-hidden]")
    page.click(".gallery [data-act=run]")
    page.wait_for_selector(".gallery [data-act=export]:visible")
    tile = page.locator(".gallery [data-cell=Z1] .tiles button").nth(2)
    with page.expect_response(lambda answer: "/run/" in answer.url):
        tile.click()
    page.click("#complete-edit [data-do=take-a]")
    number = int(tile.get_attribute("data-index")) + 1
    page.wait_for_selector(f"#complete-edit [data-labels] >> text=completion {number}, step 3")
