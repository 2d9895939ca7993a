"""The square over a visitor's photo: turned by slider and keys, and placed by two eyes, with the pointer and without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Open = Callable[..., Any]
pytestmark = pytest.mark.browser
TURNED = "deg => document.querySelector('#crop .square').style.transform === `rotate(${deg}deg)`"


@pytest.fixture
def page(open_page: Open, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    image = Image.new("RGB", (400, 300), "white")
    image.paste("red", (0, 0, 200, 300))
    image.save(tmp_path / "photo.png")
    page = open_page("?steps=3", **getattr(request, "param", {}))
    page.check(".target-card input[value=photo]")
    page.set_input_files("#upload input[type=file]", tmp_path / "photo.png")
    page.wait_for_selector("#crop .square", state="visible")
    wait_for_text(page, "[data-target-label]", "your picture")
    return page


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => (document.querySelector(s)?.textContent ?? '').includes(t)", arg=[selector, text])


def target(page: Any) -> str:
    return page.evaluate("document.querySelector('.lane.target .frame canvas').toDataURL()")


def changes(page: Any, before: str) -> None:
    page.wait_for_function("before => document.querySelector('.lane.target .frame canvas').toDataURL() !== before", arg=before)


def test_the_square_turns_by_slider_and_by_keys(page: Any) -> None:
    before = target(page)
    page.locator("#crop .turn").fill("30")
    page.wait_for_function(TURNED, arg=30)
    changes(page, before)
    before = target(page)
    page.focus("#crop .square")
    for _ in range(2):
        page.keyboard.press("Shift+]")
    page.keyboard.press("[")
    page.wait_for_function(TURNED, arg=39.5)
    assert page.text_content("#crop output") == "39.5°"
    changes(page, before)


@pytest.mark.parametrize("page", [{}, {"width": 390, "height": 844}], indirect=True, ids=["wide", "narrow"])
def test_two_clicks_on_the_eyes_frame_the_face(page: Any) -> None:
    before = target(page)
    page.click("#crop .eyes")
    wait_for_text(page, "#crop .hint", "eye on the left")
    shown = page.locator("#crop img").bounding_box()
    for x, y in ((0.4, 0.4), (0.6, 0.4 + 0.2 * 4 / 3)):  # on a slope of one
        page.mouse.click(shown["x"] + x * shown["width"], shown["y"] + y * shown["height"])
    wait_for_text(page, "#crop .notices", "Framed by the two eyes that were given.")
    angle = page.evaluate("parseFloat(document.querySelector('#crop .square').style.transform.slice(7))")
    assert angle == pytest.approx(45, abs=2)
    changes(page, before)
    wait_for_text(page, "#crop .hint", "Drag the square")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_the_eyes_can_be_set_without_a_pointer(page: Any) -> None:
    page.focus("#crop .eyes")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    wait_for_text(page, "#crop .hint", "Drag the square")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    wait_for_text(page, "#crop .hint", "eye on the right")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    wait_for_text(page, "#crop .notices", "Framed by the two eyes that were given.")
    angle = page.evaluate("parseFloat(document.querySelector('#crop .square').style.transform.slice(7))")
    assert angle == pytest.approx(26.6, abs=0.5)  # down by 0.15 of the side, 0.30 apart
