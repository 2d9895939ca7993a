"""The address and the history: every tab with its settings, Back and Forward, and what a link cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

Open = Callable[..., Any]
PAPER = ".painter .paper"


def asked(page: Any) -> dict[str, str]:
    """The page's own parameters of the address."""
    found = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    return {name: value for name, value in found.items() if not name.startswith("__")}


def wait_for_address(page: Any, **parts: str | None) -> None:
    page.wait_for_function(
        "parts => { const query = new URLSearchParams(location.search);"
        " return Object.entries(parts).every(([name, value]) => query.get(name) === value); }",
        arg=parts,
    )


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    page.wait_for_function("name => document.querySelector('[role=tab][aria-selected=true]').textContent === name", arg=name)


def in_form(page: Any, steps: str) -> None:
    page.wait_for_function("steps => document.querySelector('#steps input[type=number]').value === steps", arg=steps)


@pytest.mark.quick
def test_tabs_runs_and_settings_are_in_the_history(open_page: Open) -> None:
    page = open_page("?steps=3&target=cat")
    wait_for_address(page, steps="3", target="cat")
    page.click("[data-act=run]")
    page.wait_for_selector("[data-act=export]:visible")
    page.fill("#steps input[type=number]", "5")
    page.keyboard.press("Tab")
    wait_for_address(page, steps="5", tab=None)
    page.click("[data-act=run]")
    page.wait_for_function("document.querySelectorAll('.runs li').length === 2")
    page.wait_for_selector("[data-act=export]:visible")

    open_tab(page, "Complete")
    wait_for_address(page, tab="complete", target="cat", steps=None)
    page.fill("#complete-k input[type=number]", "5")
    page.keyboard.press("Tab")
    wait_for_address(page, tab="complete", k="5")
    open_tab(page, "Pose")
    wait_for_address(page, tab="pose", target="drawn-0", k=None)
    page.go_back()
    wait_for_address(page, tab="complete", k="5")
    page.wait_for_function("document.querySelector('[role=tab][aria-selected=true]').textContent === 'Complete'")

    page.go_back()
    wait_for_address(page, tab=None, steps="5")
    page.wait_for_function("document.querySelector('#race .transport output').textContent === 'step 5 of 5'")
    in_form(page, "5")
    page.go_back()
    wait_for_address(page, steps="3", target="cat")
    page.wait_for_function("document.querySelector('#race .transport output').textContent === 'step 3 of 3'")
    in_form(page, "3")
    page.go_forward()
    page.wait_for_function("document.querySelector('#race .transport output').textContent === 'step 5 of 5'")
    in_form(page, "5")


def test_going_back_twice_before_the_page_has_followed_loses_nothing(open_page: Open) -> None:
    page = open_page("?tab=complete")
    for name in ("Pose", "Defence", "Results"):
        open_tab(page, name)
        wait_for_address(page, tab=name.lower())
    page.evaluate("addEventListener('popstate', () => history.back(), { once: true }); history.back()")
    shown = "name => document.querySelector('[role=tab][aria-selected=true]').textContent === name"
    for name in ("Pose", "Defence", "Results"):
        page.wait_for_function(shown, arg=name)
        wait_for_address(page, tab=name.lower())
        page.go_forward()


def test_a_link_opens_the_mask_that_was_painted_and_says_that_an_upload_is_missing(open_page: Open, tmp_path: Any) -> None:
    page = open_page("?tab=complete&k=4&steps=6&target=cat")
    page.wait_for_selector(f"{PAPER}[data-hidden]")
    page.click("[data-do=clear]")
    box = page.locator(PAPER).bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_function("new URLSearchParams(location.search).get('mask')?.startsWith('0')")
    hidden, link = page.get_attribute(PAPER, "data-hidden"), urlsplit(page.url).query
    assert len(page.url) < 4000
    other = open_page(f"?{link}")
    other.wait_for_selector(f"{PAPER}[data-hidden='{hidden}']")
    assert other.input_value("#complete-steps input[type=number]") == "6"
    assert asked(other) == asked(page)

    page.check(".complete .target-card input[value=photo]")
    page.set_input_files("#complete-upload input[type=file]", "assets/examples/still-life.png")
    wait_for_address(page, target="upload")
    other = open_page(f"?{urlsplit(page.url).query}")
    other.wait_for_selector("#complete-target-message >> text=add it again")
    other.click(".gallery [data-act=run]")
    other.wait_for_selector(".gallery .notice >> text=Choose a picture first")

    third = open_page("?target=upload&steps=4")
    third.wait_for_selector("#race .notice >> text=made with an uploaded picture")
    wait_for_address(third, target="upload", steps="4")
    third.click("[data-act=run]")
    third.wait_for_selector("#race .notice >> text=Choose a target first")


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        (
            "?tab=pose&k=3&steps=7&model=pose-positions&target=drawn-4&edit=Head:30:0:0&hidden=Neck,Head",
            {"k": "3"},
        ),
        ("?tab=defence&steps=3&knows=Z&target=ship&seed=4", {"knows": "Z"}),
        ("?tab=landscape&plane=random&size=21&steps=9&model=cats&target=cat", {"plane": "random"}),
        ("?tab=playground&model=valley&buffers=7&seed=3", {"buffers": "7"}),
        ("?tab=train&task=cats&preset=paper&minutes=4&data=files", {"minutes": "4"}),
        ("?tab=results", {}),
    ],
)
def test_every_tab_opens_with_the_settings_of_its_link(open_page: Open, query: str, parts: dict[str, str]) -> None:
    page = open_page()
    page.goto(f"{page.url.split('?')[0]}{query}&__theme=light")
    name = parse_qs(query[1:])["tab"][0]
    page.wait_for_function("name => document.querySelector('[role=tab][aria-selected=true]')?.dataset.tabId === name", arg=name)
    wanted = {key: values[0] for key, values in parse_qs(query[1:]).items()}
    wait_for_address(page, **{**wanted, "tab": name, **parts})
    page.wait_for_function(  # whatever the server says of the form, a part of it after another, it comes to that and stays so
        "wanted => { const query = new URLSearchParams(location.search);"
        " const holds = Object.entries(wanted).every(([name, value]) => query.get(name) === value);"
        " if (!holds || window.seen !== location.href) [window.seen, window.since] = [location.href, performance.now()];"
        " return performance.now() - window.since > 2000; }",
        arg=wanted,
    )


def test_an_address_of_no_tab_is_the_first_tabs(open_page: Open) -> None:
    page = open_page("?tab=nowhere&steps=7")
    wait_for_address(page, tab=None, target="astronaut")


def test_panels_below_a_race_have_their_settings_in_the_address(open_page: Open) -> None:
    page = open_page("?steps=3&many_restarts=9&clip_last=8&clip_order=cold&clip_steps=soon&edit=1,2;1;0")
    page.wait_for_selector(".many .notice >> text=asked for restarts 9; 5 is the nearest")
    page.wait_for_selector("#invert-follow .notice >> text=asked for steps a frame “soon”, which is not accepted")
    wait_for_address(page, steps="3", many_restarts="5", clip_last="8", clip_order="cold", clip_steps=None, edit="1,2;1;0")
    assert page.get_attribute("#invert-follow [data-order=cold]", "aria-pressed") == "true"
    page.fill("#invert-follow [data-ask=steps]", "7")
    page.keyboard.press("Tab")
    wait_for_address(page, clip_steps="7", clip_last="8")
    page.click("#race [data-act=run]")
    page.wait_for_selector("#race [data-act=export]:visible")
    page.click("#invert-follow [data-order=warm]")
    page.fill(".many [data-ask=restarts]", "2")
    page.keyboard.press("Tab")
    wait_for_address(page, clip_order=None, many_restarts="2", clip_steps="7")
    page.click("#edit [data-do=take-a]")
    page.wait_for_function("document.querySelector('#edit [data-slider=\"0\"]')?.value === '2'")
    page.go_back()
    wait_for_address(page, clip_order="cold", many_restarts="5")
    page.wait_for_function("document.querySelector('.many [data-ask=restarts]').value === '5'")
    page.wait_for_selector("#invert-follow [data-order=cold][aria-pressed=true]")
    assert page.input_value("#invert-follow [data-ask=last]") == "8"
