"""Every tab under axe-core, before and after a run: narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Open = Callable[..., Any]
RUN = {
    "Invert": "#race [data-act=run]",
    "Playground": "#playground [data-act=phase]",
    "Complete": "#gallery [data-act=run]",
    "Landscape": "#surfaces [data-act=run]",
    "Pose": "#figures [data-act=run]",
    "Features": "#inversion [data-act=run]",
    "Defence": "#defence [data-act=run]",
    "Train": None,
    "Results": None,
}
WIDTHS = (1440, 390)
AXE = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe


def violations(page: Any, when: str) -> list[str]:
    """What axe-core finds in both themes at both widths; transitions are taken to their end first, and the bar with Run at the
    foot of a narrow page is laid into the page, for axe would measure the text behind it against the bar's colour."""
    page.evaluate("document.querySelectorAll('.at-hand').forEach(bar => { bar.style.position = 'static' })")
    axe, found = AXE(), []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            if page.evaluate("document.body.classList.contains('dark')") != (theme == "dark"):
                page.click(".masthead .theme")
            page.evaluate(
                "document.getAnimations().forEach(each => { if (each.effect.getTiming().iterations < 9) each.finish() })"
            )
            for violation in axe.run(page).response["violations"]:
                places = [node["target"] for node in violation["nodes"]]
                found.append(f"{when}, {width} px, {theme}: {violation['help']}: {places}")
    return found


@pytest.mark.parametrize("tab", RUN)
def test_axe_finds_nothing_before_and_after_a_run(open_page: Open, tab: str) -> None:
    page = open_page("?steps=3&c_steps=3&c_k=4")
    page.get_by_role("tab", name=tab).click()
    run, found = RUN[tab], []
    if run is not None:
        page.wait_for_selector(f"{run}:enabled >> visible=true")
        if tab == "Features":  # its networks are the embedded ones
            page.fill("#features-steps input[type=number]", "3")
            page.keyboard.press("Tab")
        found = violations(page, "before a run")
        page.click(run)
        page.wait_for_selector(f"{run}:enabled >> visible=true")
    if tab == "Invert":
        page.click("#edit [data-do=take-a]")
        page.wait_for_selector("#edit .editing-body:visible")
    assert found + violations(page, "after a run") == []


def test_axe_finds_nothing_in_the_tour_and_the_word_list(open_page: Open) -> None:
    page = open_page()
    page.click("[data-tour=begin]")
    page.wait_for_function("document.querySelector('#tour .outcome').textContent")
    assert violations(page, "in the tour") == []
    page.keyboard.press("Escape")
    page.click("[data-words]")
    assert AXE().run(page).response["violations"] == []
