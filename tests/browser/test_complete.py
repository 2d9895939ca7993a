"""The Complete tab, driven in Chromium as a visitor would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Open = Callable[..., Any]
PAPER = ".painter .paper"


def hidden(page: Any) -> int:
    return int(page.get_attribute(PAPER, "data-hidden"))


@pytest.mark.quick
def test_paint_a_mask_with_the_mouse_run_scrub_and_send_one_to_invert(open_page: Open) -> None:
    page = open_page("?tab=complete&c_lanes=X-adam,Z-adam,X-lbfgs,Z-lbfgs")
    page.get_by_role("tab", name="Complete").click()
    page.wait_for_selector(f"{PAPER}[data-hidden]")
    assert hidden(page) == 64 * 64 - 32 * 32  # the preset "centre only"

    page.click("[data-do=clear]")
    assert hidden(page) == 0
    page.wait_for_function("document.querySelector('#mask-message').textContent.includes('Nothing is hidden')")
    page.click(".gallery [data-act=run]")
    page.wait_for_selector(".gallery .notice >> text=Nothing is hidden")

    page.locator(PAPER).scroll_into_view_if_needed()
    box = page.locator(PAPER).bounding_box()
    middle = box["y"] + 32.5 / 64 * box["height"]  # through the middle of a row of pixels
    page.mouse.move(box["x"] + 0.25 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], middle, steps=6)
    page.mouse.up()
    painted = hidden(page)
    assert 32 * 7 <= painted <= 32 * 7 + 7 * 7  # half the width, seven pixels high, round ends
    page.focus(PAPER)
    page.keyboard.press("e")
    page.keyboard.press("Space")
    assert hidden(page) < painted  # erased under the brush by key
    page.keyboard.press("z")
    assert hidden(page) == painted

    page.fill("#complete-steps input[type=number]", "12")
    page.fill("#complete-k input[type=number]", "5")
    page.keyboard.press("Tab")
    page.click(".gallery [data-act=run]")
    page.wait_for_selector(".gallery [data-act=export]:visible")
    assert page.locator(".gallery .tiles button").count() == 20
    assert "varie" in page.text_content(".gallery .summary")

    tile = page.locator(".gallery [data-cell=Z1] .tiles button").first
    pixels = "button => button.querySelector('canvas').toDataURL()"
    last = tile.evaluate(pixels)
    losses = page.locator(".gallery [data-cell=Z1] .tiles span").all_text_contents()
    assert losses == sorted(losses, key=float)
    page.focus(".gallery .transport input")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.gallery').closest('[data-step]').dataset.step === '0'")
    assert tile.evaluate(pixels) != last
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.gallery').closest('[data-step]').dataset.step === '12'")
    page.click("[data-show=pasted]")
    page.wait_for_function(
        "([tile, last]) => tile.querySelector('canvas').toDataURL() !== last", arg=[tile.element_handle(), last]
    )

    page.locator(".gallery [data-cell=X1] .tiles button").nth(1).click()
    page.click("[data-pick=discard]")
    assert page.locator(".gallery [data-cell=X1] .tiles button").count() == 4
    index = int(tile.get_attribute("data-index"))
    tile.click()
    page.click("[data-pick=send]")
    page.wait_for_function(
        f"document.querySelector('[data-target-label]')?.textContent === 'completion {index + 1} in Z · Adam'"
    )
    assert page.get_by_role("tab", name="Invert").get_attribute("aria-selected") == "true"


def complete(page: Any) -> None:
    page.click(".gallery [data-act=run]")
    page.wait_for_selector(".gallery [data-act=export]:visible")


def test_an_address_opens_the_tab_and_its_card_repeats_the_run(open_page: Open, tmp_path: Path) -> None:
    page = open_page("?tab=complete&c_k=4&c_steps=5&c_seed=3&c_mask=eyes&target=cat")
    page.wait_for_selector(f"{PAPER}[data-hidden]")
    assert page.get_by_role("tab", name="Complete").get_attribute("aria-selected") == "true"
    assert hidden(page) == 36 * 11
    assert page.input_value("#complete-k input[type=number]") == "4"
    assert page.locator(".gallery .tiles button").count() == 0  # nothing runs by itself
    complete(page)
    page.fill(".gallery [data-more]", "3")
    page.click(".gallery [data-act=more]")
    page.wait_for_function("document.querySelector('.gallery .transport output').textContent === 'step 8 of 8'")
    page.wait_for_selector(".gallery [data-act=export]:visible")
    with page.expect_download() as download:
        page.click(".gallery [data-act=export]")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)

    other = open_page("?tab=complete")
    other.wait_for_selector(f"{PAPER}[data-hidden]")
    other.set_input_files(".complete .form-actions input[type=file]", path)
    other.wait_for_selector("#complete-note >> text=Run repeats it exactly")
    assert hidden(other) == 36 * 11
    assert other.input_value("#complete-steps input[type=number]") == "8"
    complete(other)
    assert "repeats the card's run exactly" in other.text_content(".gallery .aside")
    other.get_by_role("tab", name="Invert").click()
    other.locator(".form-actions input[type=file]").first.set_input_files(path)
    other.wait_for_selector("#settings-note >> text=load it in the Complete tab")


def test_one_completion_goes_to_the_landscape(open_page: Open) -> None:
    page = open_page("?tab=complete&c_k=4&c_steps=4")
    page.wait_for_selector(f"{PAPER}[data-hidden]")
    complete(page)
    page.locator(".gallery [data-cell=Z1] .tiles button").nth(1).click()
    page.click("[data-pick=landscape]")
    page.wait_for_function("document.querySelector('#source input')?.value.includes('Complete')")
    assert page.get_by_role("tab", name="Landscape").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize("width", [1440, 390])
def test_completions_stand_in_a_table_of_two_by_two(open_page: Open, width: int) -> None:
    page = open_page("?tab=complete&c_k=4&c_steps=4&c_lanes=X-adam,Z-adam,Z-gd", width=width)
    page.wait_for_selector(f"{PAPER}[data-hidden]")
    complete(page)
    boxes = {cell: page.locator(f".gallery [data-cell={cell}]").bounding_box() for cell in ("X1", "X2", "Z1", "Z2")}
    assert boxes["X1"]["x"] == boxes["Z1"]["x"] < boxes["X2"]["x"] == boxes["Z2"]["x"]
    assert boxes["X1"]["y"] == boxes["X2"]["y"] < boxes["Z1"]["y"] == boxes["Z2"]["y"]
    assert page.locator(".gallery .tiles button").count() == 12
    assert page.locator(".gallery [data-cell=X2].off .tiles button").count() == 0
    assert "GD" in page.text_content(".gallery [data-cell=Z2] h2")
    assert page.text_content(".gallery .summary").count("\n") == 0, "of one column both lanes were run"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1440, 390])
def test_what_is_observed_is_chosen_shown_and_said(open_page: Open, width: int) -> None:
    page = open_page("?tab=complete&c_k=4&c_steps=4", width=width)
    page.wait_for_selector(f"{PAPER}[data-hidden]")
    assert page.locator(".painter .tools").first.is_visible()
    page.fill("#complete-observation input", "low-resolution:8+grey")
    page.keyboard.press("Enter")
    page.wait_for_selector(".painter.looking")
    assert not page.locator(".painter .tools").first.is_visible()
    assert "8 pixels a side" in page.text_content(".painter [data-loss]")
    page.wait_for_function("new URLSearchParams(location.search).get('observation') === 'low-resolution:8+grey'")
    complete(page)
    for name in ("observed", "truth"):
        assert page.locator(f".gallery [data-seen={name}]").is_visible()
    assert "8 pixels a side" in page.text_content(".gallery [data-loss]")
    assert page.locator("[data-show=pasted]").is_disabled()
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.locator("#complete-source label").nth(1).click()  # the picture itself, at the observation's side
    page.wait_for_function("new URLSearchParams(location.search).get('source') === 'taken'")
    complete(page)
    page.wait_for_selector(".gallery [data-seen=truth]", state="hidden")
    page.fill("#complete-observation input", "fog")
    page.keyboard.press("Enter")
    page.wait_for_selector("#complete-note >> text=There is no observation 'fog'")


@pytest.mark.parametrize("width", [1440, 390])
def test_completions_are_large_and_one_that_is_picked_is_compared(open_page: Open, width: int) -> None:
    page = open_page("?tab=complete&c_steps=3", width=width)
    page.wait_for_selector(f"{PAPER}[data-hidden]")
    page.wait_for_selector(".gallery [data-cell=Z1] h2 >> text=L-BFGS")  # before anything is run
    complete(page)
    x, z = (page.locator(f".gallery [data-cell={cell}] .tiles canvas").first.bounding_box() for cell in ("X1", "Z1"))
    assert page.locator(".gallery .tiles button").count() == 12, "six in X and six in Z, by one optimiser"
    assert x["width"] == z["width"] > 110
    assert (x["y"], page.locator(".gallery .lane.off").first.is_visible()) == (z["y"], False)
    lanes, lane = (page.locator(f".gallery {each}").first.bounding_box() for each in (".lanes", ".lane.z"))
    assert lanes["height"] < lane["height"] + 40, "no room is left for lanes that are off"
    page.locator(".gallery [data-cell=Z1] .tiles button").nth(2).click()
    chosen = page.locator(".gallery [data-chosen]")
    box = chosen.bounding_box()
    assert box["width"] > 280
    assert box["y"] < 1000, "it comes into view"
    shot = "canvas => canvas.toDataURL()"
    plain = chosen.evaluate(shot)
    page.click(".gallery [data-look=difference]")
    assert chosen.evaluate(shot) != plain
    assert "Mean difference" in page.text_content(".gallery .looks p")
    page.click(".gallery [data-look=divided]")
    page.locator(".gallery .looks input").fill("100")
    assert chosen.evaluate("canvas => [...canvas.getContext('2d').getImageData(8, 8, 1, 1).data]") == page.locator(
        ".gallery [data-reference]"
    ).evaluate("canvas => [...canvas.getContext('2d').getImageData(8, 8, 1, 1).data]")
    page.click(".gallery [data-full]")
    page.wait_for_selector(".gallery .picked.full")
    assert page.locator(".gallery .picked").bounding_box()["width"] == width
    page.click(".gallery [data-full]")
    page.wait_for_selector(".gallery .picked:not(.full)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
