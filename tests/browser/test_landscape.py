"""The Landscape tab, driven in Chromium as a visitor would. WebGL is drawn by the processor here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]
PLOT = "document.querySelector('.surfaces [data-plot]')"
EYES = f"['scene', 'scene2'].map(name => {PLOT}.layout[name].camera.eye)"


def test_drag_a_surface_both_cameras_follow_and_an_update_keeps_them(open_page: Open) -> None:
    page = open_page(width=1000)
    page.get_by_role("tab", name="Landscape").click()
    page.get_by_role("radio", name="21 × 21").check()
    page.fill("#landscape-steps input[type=number]", "6")
    page.keyboard.press("Tab")
    page.click(".surfaces [data-act=run]")
    page.wait_for_selector(".surfaces [data-save=html]:visible")
    page.wait_for_function(f"{PLOT}.dataset.points === '21,21'")
    assert page.locator(".surfaces table tbody tr").count() >= 8
    before = page.evaluate(EYES)
    assert before[0] == before[1]

    page.locator(".surfaces [data-plot]").scroll_into_view_if_needed()
    box = page.locator(".surfaces [data-plot]").bounding_box()
    x, y = box["x"] + 0.2 * box["width"], box["y"] + 0.25 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 5):
        page.mouse.move(x + 25 * step, y + 6 * step)
    page.mouse.up()
    page.wait_for_function(f"{PLOT}.dataset.turned > 0")
    turned = page.evaluate(EYES)
    assert turned[0] == turned[1]
    assert abs(turned[0]["x"] - before[0]["x"]) + abs(turned[0]["y"] - before[0]["y"]) > 0.05

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
