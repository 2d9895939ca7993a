"""The Landscape tab, driven in Chromium as a visitor would. WebGL is drawn by the processor here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

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


def go_to_landscape(page: Any) -> None:
    page.get_by_role("tab", name="Landscape").click()


def raced(page: Any) -> None:
    """A run in the Invert tab, opened here with its button."""
    page.click("[data-act=run]:visible")
    page.click("[data-act=landscape]:visible")


@pytest.mark.quick
@pytest.mark.parametrize("width", [1440, 390])
def test_a_run_of_another_tab_is_drawn_as_soon_as_it_is_opened_here(open_page: Open, width: int) -> None:
    page = open_page("?steps=7", width=width)
    raced(page)
    page.wait_for_selector(AT_REST)
    assert page.input_value("#source input") == "The run in Invert"
    assert page.is_hidden("#landscape-steps")
    assert page.text_content(".surfaces .transport output") == "step 7 of 7"
    assert "ended" in page.text_content(".surfaces .verdict")
    assert page.text_content(".surfaces .lane.x figcaption span") == "Adam"
    solid, dotted = page.evaluate(f"{PLOT}.data.slice(1, 3).map(trace => [trace.name, trace.line.dash ?? 'solid'])")
    assert (solid, dotted) == (["X, on the surface", "solid"], ["X, true loss", "dot"])
    page.wait_for_function(f"{PLOT}.layout?.scene")  # the charts' library may still be on its way
    titles = page.evaluate(f"['xaxis', 'yaxis', 'zaxis'].map(axis => {PLOT}.layout.scene[axis].title.text)")
    what = "recovered direction" if width > 390 else "direction"
    assert titles == [f"{what} 1", f"{what} 2", "loss"]
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
    page.check("#landscape-column input[value=L-BFGS]")
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(".surfaces [data-act=stop]:visible")
    page.wait_for_selector(AT_REST)
    assert page.text_content(".surfaces .lane.x figcaption span") == "L-BFGS"


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


def test_a_surface_is_turned_by_key_and_comes_back_after_the_browser_took_webgl_away(open_page: Open) -> None:
    page = open_page(width=1000)
    drawn(page)
    before = page.evaluate(EYES)
    step = page.text_content(".surfaces .transport output")
    page.focus(".surfaces [data-plot]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("-")
    page.wait_for_function(f"{PLOT}.dataset.turned > 0")
    turned = page.evaluate(EYES)
    assert turned[0] == turned[1] != before[0]
    assert page.text_content(".surfaces .transport output") == step  # the arrows were not the scrubber's
    lose = "const c = document.querySelector('.surfaces [data-plot] canvas'); " \
           "(c.getContext('webgl') ?? c.getContext('webgl2')).getExtension('WEBGL_lose_context').loseContext()"  # fmt: skip
    for mode in ("surface", "contour"):
        updates = page.evaluate(f"Number({PLOT}.dataset.updates)")
        page.evaluate(f"() => {{ {lose} }}")
        page.wait_for_function(f"{PLOT}.dataset.updates > {updates}")
        assert page.evaluate(f"{PLOT}.dataset.mode") == mode
    assert "took WebGL away" in page.text_content(".surfaces .notice")


def test_on_a_phone_run_is_in_view_and_a_swipe_over_the_surfaces_scrolls(open_page: Open) -> None:
    page = open_page(width=390, height=844)
    go_to_landscape(page)
    page.wait_for_selector(".surfaces [data-act=run]:enabled")
    run = page.locator(".surfaces [data-act=run]").bounding_box()
    assert run["y"] + run["height"] <= 844
    page.get_by_role("radio", name="21 × 21").check()
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(AT_REST)
    plot = page.locator(".surfaces [data-plot]")
    plot.scroll_into_view_if_needed()
    page.wait_for_function(f"{PLOT}.layout?.scene2")
    box = plot.bounding_box()
    eyes, scrolled = page.evaluate(EYES), page.evaluate("window.scrollY")
    swipe(page, box["x"] + 150, box["y"] + 300, 0, -20)
    page.wait_for_function(f"window.scrollY > {scrolled + 100}")
    assert page.evaluate(EYES) == eyes
    plot.evaluate("plot => plot.scrollIntoView({ block: 'center', behavior: 'instant' })")
    box = plot.bounding_box()
    swipe(page, box["x"] + 100, box["y"] + box["height"] / 4, 10, 0)  # from side to side it turns the upper one
    page.wait_for_function(f"{PLOT}.dataset.turned > 0")
    assert page.evaluate(EYES) != eyes


def swipe(page: Any, x: float, y: float, dx: float, dy: float) -> None:
    """A finger set down there, moved ten times by so much, and lifted."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for move in range(1, 11):
        touch("touchMove", {"x": x + move * dx, "y": y + move * dy})
    touch("touchEnd")


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
