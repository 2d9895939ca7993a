"""The Landscape tab, driven in Chromium as a visitor would. WebGL is drawn by the processor here."""

from __future__ import annotations

from typing import Any

import pytest

from landscape_core.surfaces.averages import AVERAGED
from tests.browser.drawing import AT_REST, PLOT, Open, drawn, go_to_landscape


def test_averages_are_measured_live(open_page: Open) -> None:
    page = open_page(width=1000)
    drawn(page)
    assert "No experiment was run" in page.text_content(".surfaces [data-averages]")
    page.fill(".surfaces [data-samples]", "2")
    page.click(".surfaces [data-act=measure]")
    page.wait_for_selector(".surfaces .averages table")
    page.wait_for_selector(AT_REST)
    assert page.locator(".surfaces .averages tbody tr").count() == len(AVERAGED)
    assert page.text_content(".surfaces .averages caption").startswith("2 examples, each after 20 steps")


def raced(page: Any) -> None:
    """A run in the Invert tab, opened here with its button."""
    page.click("[data-act=run]:visible")
    page.click("[data-act=landscape]:visible")


@pytest.mark.quick
@pytest.mark.parametrize("width", [1440, pytest.param(390, marks=pytest.mark.slow)])
def test_a_run_of_another_tab_is_drawn_as_soon_as_it_is_opened_here(open_page: Open, width: int) -> None:
    page = open_page("?steps=7", width=width)
    raced(page)
    page.wait_for_selector(AT_REST)
    assert page.input_value("#source input") == "The run in Invert"
    assert page.is_hidden("#landscape-steps")
    assert page.text_content(".surfaces .transport output") == "step 7 of 7"
    assert "ended" in page.text_content(".surfaces .verdict")
    assert page.text_content(".surfaces .lane.x figcaption span") == "L-BFGS"
    solid, dotted = page.evaluate(f"{PLOT}.data.slice(1, 3).map(trace => [trace.name, trace.line.dash ?? 'solid'])")
    assert (solid, dotted) == (["X, on the surface", "solid"], ["X, true loss", "dot"])
    page.wait_for_function(f"{PLOT}.layout?.scene")  # the charts' library may still be on its way
    titles = page.evaluate(f"['xaxis', 'yaxis', 'zaxis'].map(axis => {PLOT}.layout.scene[axis].title.text)")
    what = "path direction" if width > 390 else "direction"  # no directions are embedded for tiny models
    height = "loss" if width > 390 else ""  # the scale of colours says it; beside the ticks of a phone it would be cut
    assert titles == [f"{what} 1", f"{what} 2", height]
    sizes = (
        "[...document.querySelectorAll('.surfaces .stage .frame')].map(each => Math.round(each.getBoundingClientRect().width))"
    )
    assert len(set(page.evaluate(sizes))) == 1, "the target is as large as what was found"
    page.click("[data-range=own]")
    page.wait_for_function(f"{PLOT}.layout.coloraxis2 !== undefined")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_button_of_a_tab_draws_that_tabs_run_though_another_stands(open_page: Open) -> None:
    page = open_page("?steps=5&c_k=2&c_steps=5", width=1440)
    page.click("[data-act=run]:visible")
    page.wait_for_selector("[data-act=landscape]:visible")
    page.get_by_role("tab", name="Complete").click()
    page.wait_for_selector(".painter .paper[data-hidden]")
    page.click("[data-act=run]:visible")
    page.wait_for_selector(".gallery [data-act=export]:visible")
    page.locator(".gallery [data-cell=Z1] .tiles button").first.click()
    page.click("[data-pick=landscape]:visible")
    page.wait_for_selector(AT_REST)
    assert page.input_value("#source input") == "The run in Complete"
    assert page.text_content(".surfaces [data-target-label]").startswith("completion ")


def test_another_columns_lanes_are_drawn_by_choice(open_page: Open) -> None:
    page = open_page("?steps=5", width=1440)
    raced(page)
    page.wait_for_selector(AT_REST)
    assert page.text_content(".surfaces .lane.x figcaption span") == "L-BFGS"
    page.check("#landscape-column input[value=Adam]")
    page.wait_for_function("document.querySelector('.surfaces .lane.x figcaption span').textContent === 'Adam'")
    page.wait_for_selector(AT_REST)
    page.get_by_role("tab", name="Invert").click()
    page.get_by_role("tab", name="Landscape").click()
    page.wait_for_timeout(500)  # what the tab tells when it is opened
    assert page.is_checked("#landscape-column input[value=Adam]"), "it stays as it was chosen"


def test_an_address_says_which_columns_lanes_a_race_of_its_own_has(open_page: Open) -> None:
    page = open_page("?tab=landscape&column=Adam&steps=5&size=21")
    page.wait_for_selector("#landscape-column input[value=Adam]:checked")
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(AT_REST)
    assert page.text_content(".surfaces .lane.x figcaption span") == "Adam"
    assert "column=Adam" in page.url
    page.check("#landscape-column input[value=L-BFGS]")
    page.wait_for_function("document.querySelector('.surfaces .lane.x figcaption span').textContent === 'L-BFGS'")
    page.wait_for_selector(AT_REST)
    assert "column" not in page.url, "it is the usual one"


def test_one_runs_surfaces_never_stand_beside_anothers_target(open_page: Open) -> None:
    page = open_page("?steps=5", width=1440)
    raced(page)
    page.wait_for_selector(AT_REST)
    source(page, "The run in Pose")  # there is none
    page.wait_for_function("!document.querySelector('.surfaces .notice').hidden")
    assert "no run in the Pose tab" in page.text_content(".surfaces .notice")
    assert page.locator(".surfaces [data-plot] .empty").count() == 1
    for part in (".told", ".exports", ".code"):
        assert page.is_hidden(f".surfaces {part}")
    assert page.text_content(".surfaces .verdict") == ""
    source(page, "The run in Invert")  # it is drawn again, and what was said of the other is gone
    page.wait_for_selector(AT_REST)
    assert page.is_hidden(".surfaces .notice")


def source(page: Any, choice: str) -> None:
    page.click("#source input")
    page.get_by_role("option", name=choice).click()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_cut_between_both_ends(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    go_to_landscape(page)
    page.click("#landscape-space input")  # the untrained residual Θ ends where X does
    page.get_by_role("option", name="paper").click()
    page.click("#plane input")
    page.get_by_role("option", name="(cut)").click()
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(".surfaces [data-cut][data-points='81']")
    marks = page.evaluate("document.querySelector('[data-cut]').data.slice(1).map(trace => [trace.name, trace.x[0]])")
    assert marks == [["X's end", 0], ["Z's end", 1]]
    assert "apart in X" in page.text_content(".surfaces .verdict")
    assert page.is_hidden(".surfaces [data-plot]")


def test_a_race_of_its_own_follows_the_model_of_invert_until_another_is_chosen_here(open_page: Open) -> None:
    page = open_page(width=1000)

    def go_to(tab: str) -> None:
        page.get_by_role("tab", name=tab).click()

    def wait_for_model(name: str) -> None:
        page.wait_for_function("name => document.querySelector('#landscape-model input')?.value === name", arg=name)

    go_to("Landscape")
    wait_for_model("Faces")
    go_to("Invert")
    page.check("#model input[value=cats]")
    page.wait_for_function("location.search.includes('model=cats')")
    go_to("Landscape")
    wait_for_model("Cats")
    page.click("#landscape-model input")
    page.get_by_role("option", name="Faces").click()
    go_to("Invert")
    page.check(".target-card input[value=drawn]")
    page.fill("#drawn-number input", "7")
    page.keyboard.press("Enter")
    wait_for_target(page, ".race", 7)
    go_to("Landscape")
    wait_for_target(page, ".surfaces", 7)  # it comes with the model
    assert page.input_value("#landscape-model input") == "Faces"


def wait_for_target(page: Any, view: str, number: int) -> None:
    found = "([view, label]) => document.querySelector(`${view} [data-target-label]`).textContent === label"
    page.wait_for_function(found, arg=[view, f"model's picture {number}"])


def test_run_cannot_be_pressed_before_the_page_listens(open_page: Open) -> None:
    page, held = open_page(width=1000), []
    page.route("**/lab/landscape/surfaces.js", lambda route: held.append(route))
    page.get_by_role("tab", name="Landscape").click()
    run = page.locator(".surfaces [data-act=run]")
    run.wait_for()
    assert run.is_disabled()
    held.pop().continue_()
    page.wait_for_selector(".surfaces [data-act=run]:enabled")


def test_a_drawing_of_earlier_settings_is_drawn_anew_or_said(open_page: Open) -> None:
    page = open_page("?steps=4", width=1000)
    page.click(".race [data-act=run]")
    page.wait_for_selector(".race [data-act=landscape]:visible")
    page.click(".race [data-act=landscape]")
    page.wait_for_selector(AT_REST)
    page.get_by_role("radio", name="21 × 21").check()
    page.wait_for_function(f"{PLOT}.dataset.points === '21,21'")
    page.wait_for_selector(AT_REST)
    page.click("#plane input")
    page.get_by_role("option", name="Both paths").click()  # the shared plane is one surface
    page.wait_for_function(f"{PLOT}.dataset.points === '21'")
    page.wait_for_selector(AT_REST)
    source(page, "A race of its own")
    page.wait_for_selector(".surfaces [data-plot] .empty")
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(AT_REST)
    page.fill("#landscape-steps input[type=number]", "7")
    page.keyboard.press("Tab")
    page.wait_for_selector(".surfaces .notice:has-text('of earlier settings')")
    page.fill("#landscape-steps input[type=number]", "20")
    page.keyboard.press("Tab")
    page.wait_for_selector(".surfaces .notice", state="hidden")
