"""The app on tiny models in headless Chromium. Any JavaScript error and any request to another host fails the test."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from torch import Tensor, nn

from tests.browser.serving import serving
from tests.tiny.models import tiny_task

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 60_000  # ms; a busy machine is no failure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            # What did not come within a minute on a busy machine is waited for once more, and counted as a rerun; what came and
            # was wrong is not.
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["TimeoutError"]))
            if not any(item.iter_markers("quick")):  # a page takes seconds to open; the default run sees each tab once
                item.add_marker(pytest.mark.slow)
            # Gradio's own threads warn (about pandas, say); as errors these would break the server, not the test.
            item.add_marker(pytest.mark.filterwarnings("default"))


class Gate(nn.Module):
    """A forward model that waits for leave: tests of what happens *while* a run goes on need no clock."""

    def __init__(self, forward: nn.Module) -> None:
        super().__init__()
        self.inner = forward
        self.left: int | None = None  # passes that may still be made; None is any number
        self.changed = threading.Condition()

    def allow(self, passes: int | None) -> None:
        """Let that many passes through from now on, None all."""
        with self.changed:
            self.left = passes
            self.changed.notify_all()

    def forward(self, x: Tensor) -> Tensor:
        with self.changed:
            self.changed.wait_for(lambda: self.left is None or self.left > 0)
            if self.left is not None:
                self.left -= 1
        return self.inner(x)


@pytest.fixture(scope="session")
def gated() -> Gate:
    """The forward model of the domain "gated"."""
    return Gate(tiny_task("gated").forward)


@pytest.fixture
def gate(gated: Gate) -> Iterator[Gate]:
    """The gate, which is open again after the test."""
    yield gated
    gated.allow(None)


@pytest.fixture(scope="session")
def address(gated: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app."""
    from app.runs.models import Models
    from app.train.models import Trainable
    from app.train.queue import Trainings
    from app.ui import build_app
    from app.warm import warm_up

    held = replace(tiny_task("gated"), forward=gated)
    models = Models({"faces": lambda _: tiny_task(), "cats": lambda _: tiny_task("cats"), "gated": lambda _: held})
    warm_up(models).join()
    trainings = Trainings(tmp_path_factory.mktemp("trainings"), Trainable(models))
    demo = build_app(models, trainings=trainings)
    with serving(demo) as url:
        yield url
    trainings.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser; WebGL is drawn in software, as on a machine without a graphics card."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs an installed Chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """`open_page(query, width=…, height=…, dark=…, before=…)` gives a page that is ready, on which the script `before`
    ran first; what went wrong fails the test at its end."""
    wrong: list[str] = []
    contexts = []

    def listen(page: Any) -> None:
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("request", lambda sent: None if _ours(sent.url, address) else wrong.append(f"outside: {sent.url}"))

    def opened(query: str = "", *, width: int = 1440, height: int = 1000, dark: bool = False, before: str = "") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(before)
        page.set_default_timeout(PATIENCE)
        listen(page)
        theme = "dark" if dark else "light"
        page.goto(f"{address}{query}{'&' if query else '?'}__theme={theme}")
        page.wait_for_selector(":is([data-act=run], [data-act=train]):enabled >> visible=true")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def _ours(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))
