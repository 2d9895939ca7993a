"""How long a page takes until something is seen and until Run can be pressed. The times are printed, for a machine with nothing
else to do (`pytest -s -m slow tests/browser/test_first_paint.py`); what does not hang on the machine is checked."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import pytest

Open = Callable[..., Any]
TIMES = 5
MOST_REQUESTS, MOST_BYTES = 160, 2_000_000
WATCH = """
  new MutationObserver(() => {
    if (document.querySelector("#race [data-act=run]:enabled")) window.runEnabled ??= performance.now();
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled"] });
"""
MEASURED = """() => {
  const sent = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return {
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime, run: window.runEnabled,
    requests: sent.length, bytes: sent.reduce((sum, each) => sum + each.transferSize, 0),
  };
}"""


@pytest.mark.slow
def test_first_paint_and_run(open_page: Open) -> None:
    found = []
    for _ in range(TIMES):
        page = open_page(before=WATCH)
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length && window.runEnabled")
        found.append(page.evaluate(MEASURED))
        page.close()
    typical = {key: median(each[key] for each in found) for key in found[0]}
    print(
        f"\nfirst paint {typical['paint'] / 1000:.2f} s (aim 1.5), Run enabled {typical['run'] / 1000:.2f} s (aim 2.5), "
        f"{typical['requests']:.0f} requests, {typical['bytes'] / 1e6:.2f} MB; medians of {TIMES}"
    )
    assert typical["requests"] <= MOST_REQUESTS
    assert typical["bytes"] <= MOST_BYTES
