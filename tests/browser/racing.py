"""A race of the Invert tab as a visitor sees it, for browser tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]

OUTPUT = ".transport output"
DOUBLE_CLICK = 500  # ms after Run in which a click on Stop or Cancel is taken for the second of two


def run_to_end(page: Any) -> None:
    """A run by the settings of the form."""
    page.click("[data-act=run]")
    page.wait_for_selector("[data-act=export]:visible")


def shown(page: Any) -> str:
    """Which step is shown, in words."""
    return page.text_content(OUTPUT)


def pixels(page: Any, lane: str) -> str:
    """A lane's picture, as a data address."""
    place = f"[data-cell={lane}]" if lane[-1].isdigit() else f".lane.{lane}"
    return page.evaluate(f"document.querySelector('{place} .frame canvas').toDataURL()")


def rates(page: Any) -> None:
    """Unfold the rates of the lanes."""
    page.click("text=Rates of the lanes")


def wait_for_text(page: Any, selector: str, text: str) -> None:
    """Wait until an element has that text."""
    page.wait_for_function("([s, t]) => document.querySelector(s)?.textContent.includes(t)", arg=[selector, text])


def kept(page: Any) -> None:
    """Wait until the browser has written all that it was told of its runs, their ends too."""
    page.wait_for_function(
        """async () => {
          const answer = (asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result); });
          const database = await answer(indexedDB.open("landscape-runs"));
          const told = await answer(database.transaction("light").objectStore("light").getAll());
          database.close();
          const count = (kind) => told.filter((message) => message.kind === kind).length;
          return count("begin") > 0 && count("begin") === count("end");
        }"""
    )
