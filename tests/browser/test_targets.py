"""Targets of the Invert tab in Chromium: uploads and their crop, examples and drawn pictures, beside what was found of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from app.target.targets import FIRST_DRAWN
from tests.browser.racing import Open, pixels, run_to_end, wait_for_text


def test_upload_crop_and_a_file_that_is_no_picture(open_page: Open, tmp_path: Path) -> None:
    image = Image.new("RGB", (400, 200), "white")
    image.paste("red", (0, 0, 100, 200))
    image.save(tmp_path / "photo.png")
    (tmp_path / "text.png").write_text("this is not a picture")
    page = open_page("?steps=3")
    page.check(".target-card input[value=photo]")
    page.set_input_files("#upload input[type=file]", tmp_path / "photo.png")
    page.wait_for_selector("#crop .square", state="visible")
    wait_for_text(page, "[data-target-label]", "your picture")
    wait_for_text(page, "#crop .notices", "No face was found")
    before = pixels(page, "target")
    box = page.locator("#crop .square").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_function("before => document.querySelector('.lane.target .frame canvas').toDataURL() !== before", arg=before)
    run_to_end(page)
    page.click("#upload [aria-label=Clear], #upload [aria-label='Remove this file']")
    page.set_input_files("#upload input[type=file]", tmp_path / "text.png")
    wait_for_text(page, "#target-message", "is not a picture")
    run_to_end(page)


def test_examples_and_drawn_pictures(open_page: Open) -> None:
    page = open_page()
    wait_for_text(page, "[data-target-label]", "astronaut")
    page.check(".target-card input[value=drawn]")
    wait_for_text(page, "[data-target-label]", f"model's picture {FIRST_DRAWN}")
    first = pixels(page, "target")
    page.click("text=Draw another")
    page.wait_for_function("before => document.querySelector('.lane.target .frame canvas').toDataURL() !== before", arg=first)
    page.check(".target-card input[value=example]")
    wait_for_text(page, "[data-target-label]", "astronaut")
    assert "NASA" in page.text_content("[data-target-credit]")
    page.click(".picker >> text=Pear and ball")
    wait_for_text(page, "[data-target-label]", "pear and ball")
    page.wait_for_function("location.search.includes('target=still-life')")


def test_another_model_keeps_the_example_and_redraws_its_own(open_page: Open) -> None:
    page = open_page("?target=cat&steps=3")
    page.check("#model input[value=cats]")
    page.wait_for_function("location.search.includes('model=cats')")
    assert page.text_content("[data-target-label]") == "drawn cat"
    assert "target=cat" in page.url
    assert page.input_value("#steps input[type=number]") == "3"
    run_to_end(page)
    page.reload()
    page.wait_for_selector("[data-act=run]:enabled")
    assert page.is_checked("#model input[value=cats]")


@pytest.mark.parametrize("width", [1440, 390])
def test_target_and_lanes_are_of_one_size_and_can_be_compared(open_page: Open, width: int) -> None:
    page = open_page("?steps=3", width=width)
    run_to_end(page)
    frames = [page.locator(f".race .lane{which} .frame").first.bounding_box() for which in (".target", ".x", ".z")]
    assert len({(round(box["width"]), round(box["height"])) for box in frames}) == 1
    assert frames[0]["y"] == frames[1]["y"] or width == 390
    x, target = (page.locator(f".race {which} .frame canvas").first for which in ("[data-cell=X1]", ".lane.target"))
    shot = "canvas => canvas.toDataURL()"
    plain, theirs = x.evaluate(shot), target.evaluate(shot)
    page.click(".race [data-look=difference]")
    assert x.evaluate(shot) != plain
    assert target.evaluate(shot) == theirs
    page.click(".race [data-look=divided]")
    assert page.locator(".race .looks input").first.is_visible()
    halves = x.evaluate(shot)
    assert halves not in (plain, theirs)
    x.scroll_into_view_if_needed()
    box = x.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert abs(float(page.input_value(".race .looks input")) - 25) < 2
    page.click(".race [data-look=picture]")
    assert x.evaluate(shot) == plain
    page.locator(".race [data-full]").first.click()
    page.wait_for_selector(".race .viewer.full")
    page.keyboard.press("Home")  # the scrubber is there too
    assert "step 0" in page.text_content(".race .transport output")
    page.keyboard.press("Escape")
    page.wait_for_selector(".race .viewer:not(.full)")
    page.wait_for_function("!document.fullscreenElement")
