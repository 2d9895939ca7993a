"""The Landscape tab, driven in Chromium as a visitor would. WebGL is drawn by the processor here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]
PLOT = "document.querySelector('.surfaces [data-plot]')"
EYES = f"['scene', 'scene2'].map(name => {PLOT}.layout[name].camera.eye)"
AT_REST = ".surfaces [data-save=html]:visible"
MOVES = 90


def drawn(page: Any, *, size: str = "21 × 21") -> Any:
    """Surfaces of a short race, and where to take hold of the first."""
    page.get_by_role("tab", name="Landscape").click()
    page.get_by_role("radio", name=size).check()
    page.fill("#landscape-steps input[type=number]", "6")
    page.keyboard.press("Tab")
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(AT_REST)
    side = size.split(" ")[0]
    page.wait_for_function(f"{PLOT}.dataset.points === '{side},{side}'")
    page.locator(".surfaces [data-plot]").scroll_into_view_if_needed()
    box = page.locator(".surfaces [data-plot]").bounding_box()
    return box["x"] + 0.2 * box["width"], box["y"] + 0.25 * box["height"]


def drag(page: Any, x: float, y: float, *, moves: int) -> tuple[int, float]:
    """Drag from there and let go; returns the frames that were drawn on canvases meanwhile, and in how many seconds."""
    page.mouse.move(x, y)
    page.mouse.down()
    count = f"Number({PLOT}.dataset.frames ?? 0)"
    before, begun = page.evaluate(count), time.perf_counter()
    for move in range(1, moves + 1):
        page.mouse.move(x + 100 * move / moves, y + 24 * move / moves)
    frames, seconds = page.evaluate(count) - before, time.perf_counter() - begun
    page.mouse.up()
    page.wait_for_function(f"{PLOT}.dataset.turned > 0")
    return frames, seconds


def test_drag_a_surface_both_cameras_follow_and_an_update_keeps_them(
    open_page: Open, record_property: Callable[[str, object], None]
) -> None:
    page = open_page(width=1000)
    at = drawn(page)
    assert page.locator(".surfaces .numbers tbody tr").count() >= 8
    before = page.evaluate(EYES)
    assert before[0] == before[1]

    frames, seconds = drag(page, *at, moves=MOVES)
    record_property("frames per second while dragging", frames / seconds)
    print(f"{frames / seconds:.0f} frames a second while dragging")  # as many as the machine has time for, up to 60
    assert frames > MOVES / 3  # they keep up with the mouse on a busy machine too
    turned = page.evaluate(EYES)
    assert turned[0] == turned[1]
    assert abs(turned[0]["x"] - before[0]["x"]) + abs(turned[0]["y"] - before[0]["y"]) > 0.05
    page.wait_for_function("document.querySelectorAll('.surfaces canvas.turning').length === 0")

    updates = int(page.evaluate(f"{PLOT}.dataset.updates"))
    page.click("[data-scale=linear]")
    page.wait_for_function(f"{PLOT}.dataset.updates > {updates}")
    assert page.evaluate(EYES) == turned
    assert page.evaluate(f"{PLOT}.layout.scene.zaxis.range") == page.evaluate(f"{PLOT}.layout.scene2.zaxis.range")

    page.click("[data-mode=contour]")
    page.wait_for_selector(".surfaces [data-plot] .contourlayer .contour")
    markers = f"{PLOT}.data.filter(trace => trace.mode === 'markers').map(trace => [trace.x[0], trace.y[0]])"
    last = page.evaluate(markers)
    page.focus(".surfaces .transport input")
    page.keyboard.press("Home")
    page.wait_for_function(f"JSON.stringify({markers}) !== '{last}'.replaceAll(' ', '')")
    assert page.evaluate(markers) != last
    assert "step 0" in page.text_content(".surfaces .lane.z .reading")
    page.locator(".surfaces [data-plot]").scroll_into_view_if_needed()
    plot = page.locator(".surfaces [data-plot] .contourlayer .contour").first.bounding_box()
    page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2)
    page.mouse.move(plot["x"] + plot["width"] / 3, plot["y"] + plot["height"] / 3, steps=3)
    page.wait_for_function("document.querySelector('.surfaces .hover').textContent.includes(': loss ')")


def test_with_a_graphics_card_plotly_turns_the_surfaces_and_both_cameras_follow(open_page: Open) -> None:
    card = "WebGL2RenderingContext.prototype.getParameter = () => 'a graphics card'"
    page = open_page(width=1000, before=f"const get = WebGL2RenderingContext.prototype.getParameter; {told(card)}")
    at = drawn(page)
    before = page.evaluate(EYES)
    assert drag(page, *at, moves=4)[0] == 0
    turned = page.evaluate(EYES)
    assert turned[0] == turned[1] != before[0]


def told(card: str) -> str:
    return card.replace("() =>", "function (name) { return name === 0x9246 ?") + " : get.call(this, name); }"


def test_without_webgl_the_same_panels_are_contours(open_page: Open) -> None:
    none = "function (type, ...rest) { return type.includes('webgl') ? null : get.call(this, type, ...rest); }"
    before = f"const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = {none}"
    page = open_page(width=1000, before=before)
    drawn(page)
    assert page.locator(".surfaces [data-plot] .contourlayer .contour").count() == 2
    surface = page.locator(".surfaces [data-mode=surface]")
    assert surface.is_disabled()
    assert "no WebGL" in surface.get_attribute("title")
    assert page.evaluate(f"{PLOT}.data.filter(trace => trace.type === 'contour').length") == 2


def test_averages_are_measured_live(open_page: Open) -> None:
    page = open_page(width=1000)
    drawn(page)
    assert "No experiment was run" in page.text_content(".surfaces [data-averages]")
    page.fill(".surfaces [data-samples]", "2")
    page.click(".surfaces [data-act=measure]")
    page.wait_for_selector(".surfaces .averages table")
    page.wait_for_selector(AT_REST)
    assert page.locator(".surfaces .averages tbody tr").count() == 5
    assert page.text_content(".surfaces .averages caption").startswith("2 examples")


def test_a_run_of_another_tab_is_opened_here_and_drawn_with_its_own_steps(open_page: Open) -> None:
    page = open_page("?steps=7", width=1000)
    page.click("[data-act=run]:visible")
    page.click("[data-act=landscape]:visible")
    page.wait_for_function("document.querySelector('#source input')?.value === 'The run in Invert'")
    page.wait_for_selector("#landscape-steps", state="hidden")
    page.get_by_role("radio", name="21 × 21").check()
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(AT_REST)
    assert page.text_content(".surfaces .transport output") == "step 7 of 7"


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
