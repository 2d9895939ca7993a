"""The Features tab, driven in Chromium as a visitor would, on tiny networks."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from landscape_core.records.export import CARD
from tests.browser.drawing import AT_REST, PLOT
from tests.browser.serving import serving
from tests.browser.test_memory import kept
from tests.tiny.inverters import Distance, publish_inverters
from tests.tiny.models import tiny_task

Open = Callable[..., Any]
VIEW, APPLIED = "#inversion ", "#applied "


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app with three tiny autoencoders."""
    from app.features.models import Features
    from app.runs.models import Models
    from app.ui import build_app

    features = Features(publish_inverters(tmp_path_factory.mktemp("features")))
    features._lpips._sources["lpips"] = Distance
    demo = build_app(Models({"faces": lambda perceptual: tiny_task("faces")}), inverters=features)
    with serving(demo) as url:
        yield url


@pytest.fixture
def features_page(open_page: Open) -> Open:
    def opened(**options: Any) -> Any:
        lanes = "X-adam,Z-adam,X-lbfgs,Z-lbfgs"  # no Θ is trained for these networks, and X alone would be searched
        page = open_page(f"?tab=features&model=features/robust-stage3&lanes={lanes}", **options)  # the stage of two networks
        tab = page.get_by_role("tab", name="Features")
        if not (tab.count() and tab.first.is_visible()):
            page.locator(".overflow-menu > button").click()
            tab = page.locator(".overflow-dropdown").get_by_text("Features", exact=True)
        tab.click()
        page.wait_for_selector(VIEW + "[data-act=run]:enabled")
        return page

    return opened


def pixels(page: Any, canvas: str) -> str:
    return page.evaluate("(s) => document.querySelector(s).toDataURL()", canvas)


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_a_picture_is_given_back_searched_for_and_changed(features_page: Open, tmp_path: Path, width: int, dark: bool) -> None:
    page = features_page(width=width, dark=dark)
    page.wait_for_selector(APPLIED + "figure >> nth=6")
    assert "error of reconstruction" in page.text_content(APPLIED + ".summary")
    page.fill("#features-steps input[type=number]", "6")
    page.keyboard.press("Tab")
    page.click(VIEW + "[data-act=run]")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")
    page.wait_for_selector(VIEW + ".judges tbody tr >> nth=4")
    assert "decoder" in page.text_content(VIEW + ".judges")
    assert page.text_content(VIEW + ".transport output") == "step 6 of 6"
    last = pixels(page, VIEW + "[data-cell=X1] canvas")
    page.keyboard.press("Home")
    changed = "([where, was]) => document.querySelector(where)?.toDataURL() !== was"
    page.wait_for_function(changed, arg=[VIEW + "[data-cell=X1] canvas", last])
    styled = APPLIED + "section:last-child figure:last-child canvas"
    before = pixels(page, styled)
    page.fill("#features-strength input[type=number]", "0")
    page.keyboard.press("Tab")
    page.wait_for_function(changed, arg=[styled, before])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / "features.png", full_page=True)
    with page.expect_download() as download:
        page.click(VIEW + "[data-act=export]")
    assert CARD in zipfile.ZipFile(download.value.path()).namelist()


@pytest.mark.quick
def test_a_run_is_kept_over_a_reload_and_its_settings_are_taken_up(features_page: Open) -> None:
    page = features_page()
    page.fill("#features-steps input[type=number]", "5")
    page.keyboard.press("Tab")
    page.wait_for_function("new URLSearchParams(location.search).get('steps') === '5'")
    page.click(VIEW + "[data-act=run]")
    page.wait_for_selector(VIEW + ".runs li >> text=5 steps")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")
    found = pixels(page, VIEW + "[data-cell=Z1] canvas")
    kept(page)
    page.reload()
    page.wait_for_selector(VIEW + "[data-act=run]:enabled")
    page.click(VIEW + ".runs li .link >> nth=0")
    page.wait_for_function(
        "([where, was]) => document.querySelector(where).toDataURL() === was", arg=[VIEW + "[data-cell=Z1] canvas", found]
    )
    page.wait_for_selector(VIEW + ".judges tbody tr >> nth=4")
    page.fill("#features-steps input[type=number]", "9")
    page.keyboard.press("Tab")
    page.click(VIEW + ".runs li >> text=Use its settings")
    page.wait_for_selector("#features-note >> text=The settings of run 1 are taken up")
    page.wait_for_function("document.querySelector('#features-steps input[type=number]').value === '5'")
    page.wait_for_selector(APPLIED + ".place .here", state="attached")


@pytest.mark.slow
def test_the_landscape_of_a_run_is_opened_on_a_plane_that_is_there_at_once(features_page: Open) -> None:
    page = features_page()
    page.fill("#features-steps input[type=number]", "4")
    page.keyboard.press("Tab")
    page.click(VIEW + "[data-act=run]")
    page.click(VIEW + "[data-act=landscape]:visible")
    page.wait_for_selector(AT_REST)
    assert page.input_value("#source input") == "The run in Features"
    assert page.input_value("#plane input") == "This run's own path"
    assert page.evaluate(f"{PLOT}.dataset.points") == "41,41"
    assert "can take minutes" in page.text_content("#plane")
    page.click("#plane input")
    assert page.get_by_role("option", name="slow here").count() == 1
