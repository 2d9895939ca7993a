"""The Landscape tab as a visitor sees it, for browser tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]


PLOT = "document.querySelector('.surfaces [data-plot]')"


EYES = f"['scene', 'scene2'].map(name => {PLOT}.layout[name].camera.eye)"


AT_REST = ".surfaces [data-save=html]:visible"


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


def go_to_landscape(page: Any) -> None:
    """Open the tab."""
    page.get_by_role("tab", name="Landscape").click()
