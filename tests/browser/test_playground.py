"""The Playground tab, driven in Chromium as a visitor would, at a desk's and at a phone's width."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Open = Callable[..., Any]
READY = ".play [data-act=train]:enabled"
SMALL = {"model": "arm", "buffers": 6, "targets": 32, "steps": 4, "batch": 32, "width": 16, "limit": 40}
WIDTHS = [(1440, 1000), (390, 844)]


def query(**changes: Any) -> str:
    """An address that opens the tab with these settings."""
    from urllib.parse import urlencode

    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in changes.items()}
    return "?" + urlencode({"tab": "playground"} | texts)


def at_playground(open_page: Open, settings: dict[str, Any], **how: Any) -> Any:
    page = open_page(query(**settings), **how)
    page.get_by_role("tab", name="Playground").click()
    page.wait_for_selector(READY)
    return page


def said(page: Any, words: str) -> None:
    page.wait_for_function(f"document.querySelector('.play .summary').textContent.includes({json.dumps(words)})")


def map_of(page: Any, name: str) -> str:
    """What a map shows, to be told from what it showed before."""
    return page.evaluate(f"document.querySelector('[data-map={name}]').toDataURL()")


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_train_pause_go_on_and_rewind(open_page: Open, width: int, height: int) -> None:
    page = at_playground(open_page, SMALL | {"buffers": 12}, width=width, height=height)
    page.uncheck(".play [data-layer=buffer]")
    before = map_of(page, "z")
    page.check(".play [data-slow]")
    page.click(".play [data-act=train]")
    said(page, "collecting, step")
    said(page, "descending on θ, update")
    page.click(".play [data-act=stop]")
    said(page, "Paused at buffer")
    assert map_of(page, "z") != before

    page.uncheck(".play [data-slow]")
    page.click(".play [data-act=train]")
    said(page, "trained on all 12 buffers")
    trained = map_of(page, "z")
    page.locator(".play .transport [data-go=first]").click()
    said(page, "Paused at buffer 0")
    assert page.text_content(".play .transport output") == "buffer 0 of 12"
    assert map_of(page, "z") == before
    page.locator(".play .transport [data-go=last]").click()
    said(page, "trained on all 12 buffers")
    assert map_of(page, "z") == trained
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_click_a_target_and_a_start(open_page: Open, width: int, height: int) -> None:
    page = at_playground(open_page, SMALL, width=width, height=height)
    before = {name: map_of(page, name) for name in "yxz"}
    box = page.locator("[data-map=y]").bounding_box()
    page.locator("[data-map=y]").click(position={"x": 0.7 * box["width"], "y": 0.3 * box["height"]})
    page.wait_for_function(f"document.querySelector('[data-map=z]').toDataURL() !== {json.dumps(before['z'])}")
    y1, y2 = (float(page.input_value(f"[data-y='{i}']")) for i in (0, 1))
    assert y1 > 0.3
    assert y2 > 0.3
    assert map_of(page, "x") != before["x"]
    assert json.loads(page.evaluate("new URL(location.href).searchParams.get('y')")) == pytest.approx([y1, y2], abs=1e-3)

    now = map_of(page, "x")
    box = page.locator("[data-map=x]").bounding_box()
    page.locator("[data-map=x]").click(position={"x": 0.2 * box["width"], "y": 0.8 * box["height"]})
    page.wait_for_selector(".play [data-act=origin]:visible")
    assert map_of(page, "x") != now
    page.click(".play [data-act=origin]")
    page.wait_for_selector(".play [data-act=origin]", state="hidden")
    assert map_of(page, "x") == now


@pytest.mark.quick
def test_single_phases_stop_where_the_next_begins(open_page: Open) -> None:
    page = at_playground(open_page, SMALL)
    page.click(".play [data-act=phase]")
    said(page, "Paused at buffer 0")
    page.click(".play [data-act=phase]")
    said(page, "Paused at buffer 1")


HOSTILE = {
    "__import__('os').system('true')": "is not known in an expression",
    "x1.__class__": "is not accepted in an expression",
    "9**9**9**9": "An exponent is a plain number",
    "x1+" * 3333 + "x1": "10001 characters",
}


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_own_expressions_and_a_sentence_for_what_is_none(open_page: Open, width: int, height: int) -> None:
    page = at_playground(open_page, SMALL, width=width, height=height)
    page.click(".play [data-model=own]")
    said(page, "Your own F")
    first = page.locator(".play [data-own] [data-set=first]")
    for text, wanted in HOSTILE.items():
        first.fill(text)
        page.get_by_role("button", name="Use", exact=True).click()
        page.wait_for_function(f"document.querySelector('.play .notice').textContent.includes({json.dumps(wanted)})")
        assert len(page.text_content(".play .notice")) < 300
    before = map_of(page, "x")
    first.fill("x1 + 0.5*x2")
    page.get_by_role("button", name="Use", exact=True).click()
    page.wait_for_function(f"document.querySelector('[data-map=x]').toDataURL() !== {json.dumps(before)}")
    assert page.locator(".play .notice").is_hidden()
    assert "first=x1+%2B+0.5*x2" in page.url


def test_the_address_brings_the_same_training_back_and_a_change_starts_again(open_page: Open) -> None:
    page = at_playground(open_page, SMALL)
    page.click(".play [data-act=train]")
    said(page, "trained on all 6 buffers")
    trained = map_of(page, "z")
    other = at_playground(open_page, dict(entry.split("=") for entry in _own(page.url)))
    other.click(".play [data-act=train]")
    said(other, "trained on all 6 buffers")
    assert map_of(other, "z") == trained

    page.get_by_text("Training (Algorithm 1)").click()
    page.fill(".play [data-set=steps]", "6")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('.play .transport output').textContent === 'buffer 0 of 6'")
    assert "steps=6" in page.url


def test_an_address_that_cannot_be_is_refused_and_the_usual_settings_stand(open_page: Open) -> None:
    page = at_playground(open_page, {"size": 11})
    assert "usual settings stand instead" in page.text_content(".play .notice")


def _own(url: str) -> list[str]:
    from urllib.parse import parse_qsl, urlsplit

    return [f"{name}={value}" for name, value in parse_qsl(urlsplit(url).query) if name not in ("tab", "__theme")]


def test_comparison_basins_and_surfaces_are_drawn_beside(open_page: Open) -> None:
    page = at_playground(open_page, SMALL, height=1400)
    page.click(".play [data-act=measure]")
    said(page, "arrive, median")
    page.wait_for_selector(".play [data-chart=sweep] .scatterlayer .trace >> nth=1")
    page.wait_for_selector(".play [data-chart=arrivals] .scatterlayer .trace >> nth=1")
    before = map_of(page, "x")
    page.check(".play [data-layer=basins]")
    said(page, "of the starts in X")
    assert map_of(page, "x") != before
    page.click(".play [data-act=surfaces]")
    page.wait_for_selector(".play [data-plot][data-drawn='0']")
    ranges = page.evaluate(
        "['scene', 'scene2'].map(name => document.querySelector('.play [data-plot]').layout[name].zaxis.range)"
    )
    assert ranges[0] == ranges[1]


def test_a_lesson_shows_what_it_says_the_exact_theta_arrives_at_once(open_page: Open) -> None:
    page = at_playground(open_page, SMALL)
    page.get_by_role("button", name="Use the exact Θ").click()
    page.wait_for_function("document.querySelector('.play [data-arrived]').textContent.includes('Z after 1')")


def test_an_export_is_a_zip_and_its_card_is_repeated(open_page: Open, tmp_path: Path) -> None:
    import zipfile

    page = at_playground(open_page, SMALL | {"buffers": 2})
    page.click(".play [data-act=train]")
    said(page, "trained on all 2 buffers")
    with page.expect_download() as download:
        page.click(".play [data-act=export]")
    path = tmp_path / "play.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        card = archive.extract("run.json", tmp_path)
    page.set_input_files(".play [data-card]", card)
    said(page, "exactly: after 2 buffers")


WORDS = """() => {
  const button = document.querySelector(".play [data-act=stop]");
  window.words = [];
  new MutationObserver(() => window.words.push([button.textContent, button.disabled, button.hidden]))
    .observe(button, { attributes: true, childList: true });
}"""


@pytest.mark.parametrize(
    ("work", "done", "words"),
    [
        ("[data-act=export]", "The files were written", ["Exporting…", True]),
        ("[data-layer=basins]", "of the starts in X", ["Stop", False]),
        ("[data-act=train]", "trained on all 2 buffers", ["Pause", False]),
    ],
)
def test_the_button_says_what_it_stops_and_is_disabled_where_nothing_can_be(
    open_page: Open, work: str, done: str, words: list[Any]
) -> None:
    page = at_playground(open_page, SMALL | {"buffers": 2})
    page.evaluate(WORDS)
    page.click(f".play {work}")
    said(page, done)
    seen = page.evaluate("window.words.filter(([, , hidden]) => !hidden).map(([word, disabled]) => [word, disabled])")
    assert words in seen
    assert page.locator(".play [data-act=train]").is_disabled() == (work == "[data-act=train]")  # all buffers were taken
    assert {word for word, _ in seen} <= {"Cancel", words[0]}
    assert page.locator(".play [data-act=stop]").is_hidden()


def test_two_visitors_do_not_disturb_each_other(open_page: Open) -> None:
    one, two = at_playground(open_page, SMALL), at_playground(open_page, SMALL | {"model": "valley"})
    one.click(".play [data-act=train]")
    two.click(".play [data-act=train]")
    for page in (one, two):
        said(page, "trained on all 6 buffers")
    assert map_of(one, "x") != map_of(two, "x")


def test_what_waits_for_a_processor_is_taken_from_the_queue(open_page: Open, gate: Any) -> None:
    from app.limits import runs_at_once

    busy = [open_page("?steps=3&model=gated") for _ in range(runs_at_once())]
    page = at_playground(open_page, SMALL)
    gate.allow(0)
    for each in busy:
        each.click("#race [data-act=run]")
        each.wait_for_selector("#race [data-act=stop]:visible")
    page.click(".play [data-act=train]")
    said(page, "Waiting for a free processor")
    page.click(".play [data-act=stop]")
    said(page, "taken from the queue")
    gate.allow(None)
    for each in busy:
        each.wait_for_selector("#race [data-act=export]:visible")
    page.wait_for_timeout(500)
    assert "taken from the queue" in page.text_content(".play .summary"), "and it is not begun later"
    page.click(".play [data-act=train]")
    said(page, "trained on all 6 buffers")
