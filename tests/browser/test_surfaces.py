"""Surfaces of the Landscape tab turned by hand and key, with a graphics card, without WebGL and on a phone, in Chromium."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.drawing import AT_REST, EYES, PLOT, Open, drawn, go_to_landscape

MOVES = 90


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


def told(card: str) -> str:
    return card.replace("() =>", "function (name) { return name === 0x9246 ?") + " : get.call(this, name); }"


def swipe(page: Any, x: float, y: float, dx: float, dy: float) -> None:
    """A finger set down there, moved ten times by so much, and lifted."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for move in range(1, 11):
        touch("touchMove", {"x": x + move * dx, "y": y + move * dy})
    touch("touchEnd")


# Where an element stands in the plot: left, top, width, height.
PLACE = f"""(each => {{
  const [box, home] = [each, {PLOT}].map(one => one.getBoundingClientRect());
  return [box.left - home.left, box.top - home.top, box.width, box.height];
}})"""

# What stands in the plot as soon as there is a sketch.
SKETCHED = f"""() => new MutationObserver(() => {{
  const plot = {PLOT};
  if (!plot?.dataset.sketched || window.sketched) return;
  const boxes = [...plot.querySelectorAll('canvas.sketch')].map({PLACE});
  const words = [...plot.querySelectorAll('b.sketch')].map(each => each.textContent);
  window.sketched = {{boxes, points: plot.dataset.points, words}};
}}).observe(document.body, {{subtree: true, attributes: true, attributeFilter: ['data-sketched']}})"""


def test_a_sketch_stands_until_plotly_has_drawn(open_page: Open) -> None:
    page = open_page(width=1000)
    page.evaluate(SKETCHED)
    drawn(page)
    seen = page.evaluate("window.sketched")
    assert seen["points"] is None, "it stood before Plotly had drawn"
    assert seen["words"] == page.evaluate(f"{PLOT}.layout.annotations.map(each => each.text.replaceAll(/<.?b>/g, ''))")
    scenes = page.evaluate(f"['scene', 'scene2'].map(name => {PLOT}._fullLayout[name]._scene.container).map({PLACE})")
    for sketched, scene in zip(seen["boxes"], scenes, strict=True):
        assert sketched == pytest.approx(scene, abs=2)
    page.wait_for_function("document.querySelectorAll('.surfaces .sketch').length === 0")
    near = page.evaluate(EYES)[0]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(f"{PLOT}._fullLayout.width === {PLOT}.clientWidth && {PLOT}.clientWidth < 390")
    assert page.evaluate(EYES)[0]["x"] > 1.3 * near["x"], "from farther away a narrow scene holds the whole surface"


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
    page.wait_for_function("document.querySelectorAll('.surfaces canvas.sketch').length === 0")

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
