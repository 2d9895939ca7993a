"""On a phone: every tab and Run within reach, nothing sideways, and a finger that swipes up or down scrolls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Open = Callable[..., Any]
PHONE = {"width": 390, "height": 844}
RUN = {
    "Invert": "#race [data-act=run]",
    "Playground": "#playground [data-act=train]",
    "Complete": "#gallery [data-act=run]",
    "Landscape": "#surfaces [data-act=run]",
    "Pose": "#figures [data-act=run]",
    "Features": "#inversion [data-act=run]",
    "Defence": "#defence [data-act=run]",
    "Train": "#train [data-act=train]",
    "Results": None,
}


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.quick
def test_every_tab_is_in_sight_and_so_is_its_run(open_page: Open) -> None:
    page = open_page(**PHONE)
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts() == list(RUN)
    assert all(tab.is_visible() for tab in tabs.all()), "none is behind a menu"
    for name, run in RUN.items():
        page.get_by_role("tab", name=name).click()
        if run is not None:
            page.wait_for_selector(f"{run} >> visible=true")
            page.evaluate("scrollTo(0, 0)")
            box = page.locator(run).bounding_box()
            assert 0 <= box["y"] <= PHONE["height"] - box["height"], f"{name}'s Run is to be seen without scrolling"
        assert fits(page), name


def test_the_bar_with_run_covers_nothing_at_the_end_of_the_page(open_page: Open) -> None:
    page = open_page(**PHONE)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    bar = page.locator("#race .at-hand").bounding_box()
    last = page.locator(".settings-card").first.bounding_box()
    assert last["y"] + last["height"] <= bar["y"]


def test_a_chart_stays_in_its_place_when_the_window_grows_narrow(open_page: Open) -> None:
    page = open_page("?steps=3")
    page.click(RUN["Invert"])
    page.wait_for_selector("#race [data-chart] .main-svg")
    page.set_viewport_size(PHONE)
    page.wait_for_function("""() => {
        const chart = document.querySelector("#race [data-chart]");
        return chart.querySelector(".main-svg").getBoundingClientRect().height <= chart.clientHeight;
    }""")


def test_a_chart_ends_with_its_last_step_and_holds_the_names_of_its_curves(open_page: Open) -> None:
    page = open_page("?steps=3", **PHONE)
    page.click(RUN["Invert"])
    page.wait_for_selector("#race [data-act=export]:visible")
    page.wait_for_function("document.querySelector('#race [data-chart]')._fullLayout?.xaxis.range[1] === 3")
    page.wait_for_function("""() => {
        const chart = document.querySelector("#race [data-chart]");
        const names = [...chart.querySelectorAll(".annotation-text")];
        return names.length >= 4 && names.every((name) => {
            const [inner, outer] = [name.getBoundingClientRect(), chart.getBoundingClientRect()];
            return inner.left >= outer.left && inner.right <= outer.right;
        });
    }""")


@pytest.mark.parametrize("place", ["#figures .target canvas", "#race [data-chart]"])
def test_a_swipe_over_what_can_be_turned_scrolls(open_page: Open, place: str) -> None:
    page = open_page("?steps=3", **PHONE)
    tab = {"#figures": "Pose", "#race": "Invert"}[place.split()[0]]
    page.get_by_role("tab", name=tab).click()
    page.click(RUN[tab])
    page.wait_for_selector(f"{RUN[tab]}:enabled >> visible=true")
    if tab == "Invert":
        page.wait_for_selector(f"{place} .main-svg")
    page.locator(place).scroll_into_view_if_needed()
    box = page.locator(place).bounding_box()
    before = page.evaluate("scrollY")
    swipe_up(page, box["x"] + box["width"] / 2, min(box["y"] + box["height"] / 2, PHONE["height"] - 120))
    page.wait_for_function("before => scrollY > before + 50", arg=before)


def swipe_up(page: Any, x: float, y: float) -> None:
    """A finger that goes 150 pixels up, as one does to see what is below."""
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for by in range(15, 165, 15):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - by}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
