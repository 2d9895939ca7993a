"""The Invert tab, driven in Chromium as a visitor would."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from landscape_core.generators.run_card import read_run_card
from tests.browser.racing import DOUBLE_CLICK, OUTPUT, Open, pixels, rates, run_to_end, shown, wait_for_text


@pytest.mark.quick
def test_run_then_look_at_any_step_without_the_server(open_page: Open) -> None:
    page = open_page("?steps=20")
    assert pixels(page, "target") != pixels(page, "X1")
    run_to_end(page)
    assert shown(page) == "step 20 of 20"
    assert "Z" in page.text_content(".summary")
    page.wait_for_selector(".chart .main-svg")
    requests: list[str] = []
    page.on("request", lambda sent: requests.append(sent.url) if not sent.url.startswith("data:") else None)
    page.keyboard.press("Home")
    assert shown(page) == "step 0 of 20"
    first = pixels(page, "Z2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert shown(page) == "step 11 of 20"
    assert pixels(page, "Z2") != first
    page.keyboard.press("ArrowLeft")
    assert "step 10" in page.text_content("[data-cell=X1] .reading")
    page.keyboard.press("End")
    page.click("[aria-label='One step back']")
    assert shown(page) == "step 19 of 20"
    page.evaluate("const r = document.querySelector('.transport input'); r.value = 5; r.dispatchEvent(new Event('input'))")
    assert "step 5" in page.text_content("[data-cell=Z1] .reading")
    assert requests == []


def test_playing_moves_on_and_space_pauses(open_page: Open) -> None:
    page = open_page("?steps=20")
    run_to_end(page)
    page.focus(".transport input")  # the space bar presses the button that has the focus
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.transport output').textContent.match(/step [3-9] /)")
    page.keyboard.press("Space")
    stood = shown(page)
    page.wait_for_timeout(300)
    assert shown(page) == stood


def test_by_time_each_lane_stands_where_it_was_at_that_moment(open_page: Open) -> None:
    page = open_page("?steps=8")
    run_to_end(page)
    page.click("[data-axis=seconds]")
    assert "s of" in shown(page)
    assert "step 8" in page.text_content("[data-cell=X1] .reading")
    page.keyboard.press("Home")
    readings = page.text_content("[data-cell=X1] .reading") + page.text_content("[data-cell=Z1] .reading")
    assert "not begun" in readings


@pytest.mark.quick
def test_stop_keeps_what_is_there_and_continue_goes_on(open_page: Open, gate: Any) -> None:
    page = open_page("?steps=2000&model=gated")
    gate.allow(6)  # the encoder's guess, then steps 0 to 4
    page.click("[data-act=run]")
    wait_for_text(page, OUTPUT, "step ")
    page.wait_for_timeout(DOUBLE_CLICK)
    page.click("[data-act=stop]")
    assert "Stopping" in page.text_content("[data-act=stop]")
    gate.allow(None)
    page.wait_for_selector("[data-act=more]:visible")
    assert "Stopped at step" in page.text_content(".aside")
    stopped = int(shown(page).split()[1])
    assert stopped <= 5  # the step that was being taken
    assert int(page.input_value("[data-more]")) == 2000 - stopped
    page.fill("[data-more]", "5")
    page.click("[data-act=more]")
    wait_for_text(page, OUTPUT, f"step {stopped + 5} of {stopped + 5}")


def test_runs_are_kept_to_compare_and_their_settings_can_be_used_again(open_page: Open) -> None:
    page = open_page("?steps=5")
    run_to_end(page)
    rates(page)
    page.fill("#Z1-lr input", "0.3")
    page.keyboard.press("Tab")
    wait_for_text(page, ".note", "same target and start as run 1, but Z · Adam learning rate 0.1 → 0.3")
    run_to_end(page)
    page.wait_for_function("document.querySelectorAll('.runs li').length === 2")
    assert "Z · Adam learning rate 0.1" in page.text_content(".runs li:nth-child(2)")
    # two runs of four lanes, and the encoder's level
    curves = "document.querySelectorAll('.chart .scatterlayer .trace').length"
    page.wait_for_function(f"{curves} === 9")
    page.uncheck(".runs li:nth-child(2) input")
    page.wait_for_function(f"{curves} === 5")
    page.click(".runs li:nth-child(2) >> text=Run 1")
    assert page.text_content(".runs .current .link") == "Run 1"
    page.click(".runs li:nth-child(2) >> text=Use its settings")
    page.wait_for_function("document.querySelector('#Z1-lr input')?.value === '0.1'")


def test_export_and_load_the_run_card_again(open_page: Open, tmp_path: Path) -> None:
    page = open_page("?steps=4&seed=9&start=random")
    run_to_end(page)
    with page.expect_download() as download:
        page.click("[data-act=export]")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        card = read_run_card(archive.read("run.json").decode())
    assert (card.settings.seed, card.settings.steps, card.settings.start) == (9, 4, "random")
    page.wait_for_selector("[data-act=run]:visible")

    other = open_page()
    other.set_input_files(".form-actions input[type=file]", path)
    wait_for_text(other, ".note", "Run repeats it exactly")
    assert other.input_value("#steps input[type=number]") == "4"
    assert shown(other) == ""
    run_to_end(other)
    wait_for_text(other, ".aside", "repeats the card's run exactly")


def test_settings_live_in_the_address(open_page: Open) -> None:
    page = open_page("?steps=7&lanes=X-adam,Z-adam,X-gd,Z-gd:0.5&target=cat&seed=1e99")
    wait_for_text(page, ".note", "2147483647 is the nearest")
    assert page.input_value("#steps input[type=number]") == "7"
    wait_for_text(page, "[data-target-label]", "drawn cat")
    page.fill("#steps input[type=number]", "12")
    page.keyboard.press("Tab")
    page.wait_for_function("location.search.includes('steps=12')")
    page.reload()
    page.wait_for_selector("[data-act=run]:enabled")
    assert page.input_value("#steps input[type=number]") == "12"
    rates(page)
    assert page.input_value("#Z2-lr input") == "0.5"
    page.click("text=Reset settings")
    page.wait_for_function("!location.search.includes('steps=')")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_narrow_screen_holds_everything(open_page: Open, dark: bool) -> None:
    page = open_page("?steps=4", width=390, height=844, dark=dark)
    run_to_end(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = {cell: page.locator(f"[data-cell={cell}] .frame").bounding_box() for cell in ("X1", "X2", "Z1", "Z2")}
    target = page.locator("#race .lane.target .frame").bounding_box()
    assert boxes["X1"]["x"] == boxes["Z1"]["x"] < boxes["X2"]["x"] == boxes["Z2"]["x"], "columns stand side by side"
    assert boxes["X1"]["y"] == boxes["X2"]["y"] < boxes["Z1"]["y"] == boxes["Z2"]["y"], "and rows one above the other"
    assert (target["width"], target["height"]) == (boxes["X1"]["width"], boxes["X1"]["height"])
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(19, 20, 21)" if dark else "rgb(246, 245, 241)")
    page.click(".masthead .theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground
    with Image.open(io.BytesIO(page.screenshot())) as screenshot:
        assert screenshot.size == (390, 844)


def test_two_visitors_at_once_both_finish(open_page: Open) -> None:
    pages = [open_page(f"?steps=30&target=drawn-{n}") for n in (1, 2)]
    for page in pages:
        page.click("[data-act=run]")
    for page in pages:
        wait_for_text(page, OUTPUT, "step 30 of 30")
    assert pixels(pages[0], "target") != pixels(pages[1], "target")


def test_who_waits_is_told_the_place_and_can_cancel(open_page: Open, gate: Any) -> None:
    from app.limits import runs_at_once

    busy = [open_page("?steps=3&model=gated") for _ in range(runs_at_once())]
    late = open_page("?steps=3")
    gate.allow(0)
    for page in busy:
        page.click("[data-act=run]")
        page.wait_for_selector("[data-act=stop]:visible")
    late.click("[data-act=run]")
    wait_for_text(late, ".summary", "Number 1 of 1 waiting")
    late.wait_for_timeout(500)  # a second click of two is not meant for Cancel
    late.click("text=Cancel")
    wait_for_text(late, ".summary", "Press Run")
    gate.allow(None)
    for page in busy:
        wait_for_text(page, OUTPUT, "step 3 of 3")
    run_to_end(late)
    assert shown(late) == "step 3 of 3"


@pytest.mark.parametrize("width", [1440, 390])
def test_lanes_are_switched_off_and_columns_changed(open_page: Open, width: int) -> None:
    page = open_page("?steps=4", width=width)
    run_to_end(page)
    assert page.text_content(".summary").count("step 4") + page.text_content(".summary").count("4 steps") >= 4
    page.get_by_label("X · L-BFGS", exact=True).uncheck()
    page.get_by_label("Z · L-BFGS", exact=True).uncheck()
    wait_for_text(page, ".note", "without X · L-BFGS; without Z · L-BFGS")
    page.wait_for_function(
        "location.search.includes('lanes=X-adam%2CZ-adam&') || location.search.endsWith('lanes=X-adam%2CZ-adam')"
    )
    run_to_end(page)
    page.wait_for_selector("[data-cell=X2].off")
    assert page.text_content("[data-cell=X2] .reading") == ""
    assert "loss" in page.text_content("[data-cell=Z1] .reading")
    page.get_by_label("X · L-BFGS", exact=True).check()
    page.get_by_label("Z · L-BFGS", exact=True).check()
    page.click("#optimiser2 input")
    page.get_by_role("option", name="GD").click()
    wait_for_text(page, "#lanes", "Z · GD")
    run_to_end(page)
    assert "GD" in page.text_content("[data-cell=Z2] figcaption")
    assert "learning rate 0.5" in page.get_attribute("[data-cell=Z2] figcaption", "title")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1440, 390])
def test_a_first_run_is_fair_and_says_where_the_lanes_start(open_page: Open, width: int) -> None:
    page = open_page("?steps=6", width=width)
    assert page.text_content("[data-target-label]") == "astronaut"
    run_to_end(page)
    lines = page.text_content(".summary").splitlines()[1:]
    assert ["Adam" in line for line in lines] == [True, False]
    assert ["L-BFGS" in line for line in lines] == [False, True]
    assert "no step needed" not in page.text_content(".summary")
    wait_for_text(page, ".aside", "their own origin")
    page.check(".settings-card input[value=encoder]")
    wait_for_text(page, ".note", "start each at its own origin → the encoder's guess")
    run_to_end(page)
    wait_for_text(page, ".aside", "the encoder's guess")


def test_a_double_click_on_run_runs(open_page: Open) -> None:
    page = open_page("?steps=5")
    page.dblclick("[data-act=run]")
    wait_for_text(page, OUTPUT, "step 5 of 5")
    assert page.locator(".runs li").count() == 1


def test_stop_shows_at_once_what_was_reached(open_page: Open, gate: Any) -> None:
    page = open_page("?steps=2000&model=gated")
    page.click("[data-act=run]")
    page.wait_for_function("document.querySelector('.transport output').textContent.match(/step [1-9]/)")
    page.wait_for_timeout(DOUBLE_CLICK)
    gate.allow(0)  # the run waits for the click
    page.click("[data-act=stop]")
    gate.allow(None)
    page.wait_for_selector("[data-act=more]:visible")
    stopped = page.text_content(".aside").split("Stopped at step ")[1].split(";")[0]
    assert shown(page) == f"step {stopped} of {stopped}"


def test_the_panel_follows_a_card_and_settings_taken_up_keep_the_pictures(open_page: Open, tmp_path: Path) -> None:
    page = open_page("?steps=3&target=cat")
    run_to_end(page)
    before = pixels(page, "Z2")
    page.fill("#steps input[type=number]", "4")
    page.keyboard.press("Tab")
    page.click(".runs >> text=Use its settings")
    page.wait_for_function("document.querySelector('#steps input[type=number]').value === '3'")
    assert pixels(page, "Z2") == before
    with page.expect_download() as download:
        page.click("[data-act=export]")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    other = open_page()
    other.set_input_files(".form-actions input[type=file]", path)
    wait_for_text(other, ".note", "Run repeats it exactly")
    other.wait_for_selector("#target-message >> text=The target is from a run card")
    sources = (
        "['example', 'drawn', 'photo'].some((name) => document.querySelector(`.target-card input[value=${name}]`).checked)"
    )
    other.wait_for_function(f"!{sources}")


@pytest.mark.parametrize("width", [1440, 390])
def test_judges_stand_beside_the_loss(open_page: Open, width: int) -> None:
    page = open_page("?steps=4&target=drawn-3", width=width)
    assert page.locator(".judges").first.is_hidden()
    run_to_end(page)
    rows = page.locator(".race .judges").first.locator("tbody tr")
    assert rows.count() == 4
    assert "dB" in rows.first.text_content()
    assert "‖x̂ − x*‖" in page.locator(".judges thead").first.text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
