"""What a newcomer meets: three sentences, the words behind terms, the tour, and a page that keys can use."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from app.views.glossary import meaning

Open = Callable[..., Any]
OUTCOME = "document.querySelector('#tour .outcome').textContent"


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


@pytest.mark.quick
def test_three_sentences_above_the_fold_say_what_this_is(open_page: Open) -> None:
    page = open_page(width=390, height=844)
    said = page.locator(".intro > p").first
    assert len(re.findall(r"\.(?:\s|$)", said.text_content().strip())) == 3
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        for place in (".intro > p >> nth=0", "[data-tour=begin]", "#race [data-act=run]"):
            box = page.locator(place).bounding_box()
            assert box["y"] + box["height"] <= height, place
    page.click(".intro summary")
    page.reload()
    page.wait_for_function("document.querySelector('.intro') && !document.querySelector('.intro').open")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_every_tab_says_what_is_seen_which_is_better_and_how_to_take_ones_own(open_page: Open, size: tuple[int, int]) -> None:
    page = open_page("?tab=pose", width=size[0], height=size[1])
    for name in ("Pose", "Invert", "Playground", "Complete", "Landscape", "Features", "Defence", "Train"):
        page.get_by_role("tab", name=name).click()
        said = page.locator(f".intro [data-about={name.lower()}]")
        said.wait_for()
        assert page.locator(".intro [data-about] >> visible=true").count() == 1
        assert "better" in said.text_content() or "fewer steps" in said.text_content()
        assert re.search(r"Your own \w+: |Another picture: ", said.text_content())
        page.evaluate("scrollTo(0, 0)")
        box = said.bounding_box()
        assert box["y"] + box["height"] <= size[1], name
    page.get_by_role("tab", name="Results").click()
    page.wait_for_function("![...document.querySelectorAll('.intro [data-about]')].some((each) => each.checkVisibility())")


def test_a_term_is_explained_on_hover_on_focus_and_by_a_tap(open_page: Open) -> None:
    page = open_page("?steps=3")
    box = page.locator("#word")
    page.hover(".intro [data-term=Loss]")
    assert box.text_content() == meaning("Loss")
    assert box.is_visible()
    page.mouse.move(0, 0)
    assert box.is_hidden()
    page.focus("#race .term >> text=Encoder")
    assert box.text_content() == meaning("Encoder")
    assert page.locator("[aria-describedby=word]").text_content() == "Encoder"
    page.keyboard.press("Escape")
    assert box.is_hidden()
    page.wait_for_selector("#race [data-cell=X2] figcaption .term >> text=L-BFGS")  # before anything is run
    page.click("#race [data-act=run]")
    page.wait_for_selector("#race [data-act=export]:visible")
    page.click("#race [data-cell=X2] figcaption .term >> text=L-BFGS")
    assert box.text_content() == meaning("L-BFGS")
    page.click("[data-words]")
    assert page.locator("#words dt >> text=Diversity").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#words").is_hidden()


def test_the_tour_drives_the_page_through_six_stops(open_page: Open) -> None:
    page = open_page()
    page.click("[data-tour=begin]")
    lanes = ["X · Adam", "X · Adam.*X · L-BFGS", "X · Adam.*Z · Adam.*X · L-BFGS.*Z · L-BFGS"]
    for number, names in enumerate(lanes, start=1):
        assert page.text_content("#tour .count") == f"Stop {number} of 6"
        page.wait_for_function(f"{OUTCOME}.includes('after 40 steps')")
        assert re.search(names, page.text_content("#tour .outcome"))
        assert page.locator("#race .runs li").count() == number
        page.click("[data-tour=next]")
    page.wait_for_selector("#surfaces .plot.tour-here")
    page.wait_for_function(OUTCOME)
    page.click("[data-tour=next]")
    page.wait_for_selector("#upload >> visible=true")
    page.click("[data-tour=next]")
    page.wait_for_selector("#playground .maps.tour-here")
    assert page.get_by_role("tab", name="Playground").get_attribute("aria-selected") == "true"
    page.click("[data-tour=next]")
    assert page.locator("#tour").is_hidden()
    assert "Take the tour" in focused(page)


def test_on_a_phone_the_tour_covers_no_row_that_it_speaks_of(open_page: Open) -> None:
    page = open_page(width=390, height=844)
    page.click("[data-tour=begin]")
    for _ in range(2):
        page.wait_for_function(f"{OUTCOME}.includes('after 40 steps')")
        page.click("[data-tour=next]")
    page.wait_for_function(f"{OUTCOME}.includes('Z · L-BFGS')")
    page.wait_for_function("""() => {
        const box = (place) => document.querySelector(place).getBoundingClientRect();
        const [x, z] = ["X1", "Z1"].map((cell) => box(`#race [data-cell=${cell}] .frame`));
        return x.top >= 0 && z.top + z.height / 2 < box("#tour").top;
    }""")


def test_the_tour_is_begun_and_left_by_keys_while_a_run_goes_on(open_page: Open, gate: Any) -> None:
    page = open_page("?model=gated")
    gate.allow(4)
    page.focus("[data-tour=begin]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#race [data-act=stop] >> visible=true")
    assert focused(page) == "Adam in X"
    page.keyboard.press("Escape")
    assert page.locator("#tour").is_hidden()
    assert page.locator(".tour-here").count() == 0
    gate.allow(None)
    page.wait_for_selector("#race [data-act=run] >> visible=true")
    assert page.locator("#tour").is_hidden()


def test_keys_skip_to_run_and_go_from_tab_to_tab(open_page: Open) -> None:
    page = open_page()
    page.evaluate("document.body.focus()")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to Run"
    page.keyboard.press("Enter")
    assert focused(page) == "Run"
    page.get_by_role("tab", name="Invert").focus()
    for key, name in (("ArrowRight", "Playground"), ("ArrowLeft", "Invert"), ("ArrowLeft", "Results"), ("Home", "Invert")):
        page.keyboard.press(key)
        assert focused(page) == name
        page.wait_for_function(f"document.querySelector('[role=tab][aria-selected=true]').textContent.trim() === '{name}'")


def test_the_verdict_begins_in_plain_words(open_page: Open) -> None:
    page = open_page("?steps=4")
    page.click("#race [data-act=run]")
    page.wait_for_selector("#race [data-act=export]:visible")
    first = page.text_content("#race .summary").splitlines()[0]
    assert re.match(r"(X and Z came equally close|[XZ] came closer) to the target", first)
    assert page.text_content("#race [data-cell=Z2] .reading b").startswith("loss ")
    stops = page.locator("#race .summary .together").all_text_contents()
    assert "L-BFGS." in stops, "no line begins with the full stop after a term"
