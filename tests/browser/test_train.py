"""A Θ is trained in the browser: watched, paused, found again by a reloaded page, finished, and a space of Invert."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import CHROMIUM, PATIENCE
from tests.browser.serving import serving
from tests.browser.test_accessible import violations
from tests.tiny.plugins import plugin

pytestmark = pytest.mark.timeout(900)  # each process that is begun needs a while for Python's start alone


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An app with a plug-in and an adopted prior of poses; what is trained lies in the test's own folder."""
    from app.runs.models import Models
    from app.train.models import Trainable
    from app.train.queue import Trainings
    from app.ui import build_app
    from landscape_core.plugins.task import bare_task, with_thetas
    from landscape_core.pose.adopting import adopt_vposer
    from tests.pose.test_adopting import folder

    monkeypatch.chdir(tmp_path)
    adopt_vposer(folder(tmp_path, 2), "smpl", licence="", command="")
    spec = str(plugin(tmp_path))
    bare = bare_task(spec)
    models = Models({"decay": lambda _: with_thetas(bare)}, own={"decay": spec})
    trainings = Trainings(tmp_path / "trainings", Trainable(models), niceness=0)
    demo = build_app(models, trainings=trainings)
    with serving(demo) as url:
        yield url
    trainings.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[[str], Any]]:
    """Opens pages; an error of JavaScript on one fails the test at its end."""
    wrong: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})

    def open_at(address: str) -> Any:
        page = context.new_page()
        page.set_default_timeout(4 * PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#train [data-act=train]:enabled >> visible=true")
        return page

    yield open_at
    context.close()
    assert wrong == []


def says(page: Any, words: str) -> None:
    page.wait_for_function("words => document.querySelector('#train .summary')?.textContent.includes(words)", arg=words)


@pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
def test_a_theta_is_trained_paused_resumed_and_searched_with(served: str, opened: Callable[[str], Any]) -> None:
    page = opened(f"{served}?tab=train&minutes=2")
    assert page.input_value("#train-minutes input") == "2"
    page.fill("#train-name :is(input, textarea)", "a b")
    page.click("#train [data-act=train]")
    page.wait_for_selector("#train .notice:visible")
    assert "cannot name a Θ" in page.inner_text("#train .notice")

    place = page.locator("#train [data-act=train]").bounding_box()
    page.fill("#train-name :is(input, textarea)", "own")
    page.click("text=Buffers and seed")
    page.fill("#train-buffers input", "1000")
    page.keyboard.press("Tab")
    page.click("#train [data-act=train]")
    page.wait_for_selector("#train .learned:visible")
    page.wait_for_function("document.querySelector('#train .summary')?.textContent.match(/buffer ([2-9]|[1-9][0-9]+) of 1000/)")
    page.wait_for_selector("#train [data-chart=held] .main-svg")
    assert page.evaluate("() => document.querySelector('[data-sheet]').naturalWidth") > 0
    now = page.locator("#train [data-act=train]").bounding_box()
    assert now["x"] == place["x"], "a second click is not one on Remove"
    assert "L-BFGS in both" in page.inner_text("#train [data-steps]")
    page.click("#train [data-act=pause]")
    says(page, "is paused after buffer")
    assert violations(page, "paused") == []

    page.reload()
    says(page, "is paused after buffer")
    other = opened(f"{served}?tab=train")
    says(other, "is paused after buffer")
    page.click("#train [data-act=resume]")
    says(other, "of 1000")
    page.click("#train [data-act=finish]")
    says(other, "is ready")
    page.set_viewport_size({"width": 390, "height": 844})
    says(page, "own for decay is ready")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as download:
        page.click("#train [data-act=download]")
    assert download.value.suggested_filename == "own.zip"

    page.get_by_role("tab", name="Invert").click()
    page.wait_for_selector("#race [data-act=run]:enabled >> visible=true")
    page.goto(f"{served}?model=decay&space=own&steps=3")
    page.wait_for_selector("#race [data-act=run]:enabled >> visible=true")
    assert page.input_value("#space input") == "own"
    page.check(".target-card input[value=photo]")
    assert page.inner_text("#upload label >> visible=true").startswith("Picture, NPY, CSV or JSON")
    page.click("#race [data-act=run]")
    page.wait_for_function("document.querySelector('#race').textContent.includes('Run again')")


@pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
def test_a_theta_for_poses_is_trained_and_found_in_the_pose_tab(served: str, opened: Callable[[str], Any]) -> None:
    page = opened(f"{served}?tab=train&task=pose&data=files&minutes=2")
    page.wait_for_selector("#train-files:visible >> text=BVH, AMASS")
    page.click("#train-data label:has-text('Drawn by the model')")
    page.click("text=Buffers and seed")
    page.fill("#train-buffers input", "1")
    page.keyboard.press("Tab")
    page.click("#train [data-act=train]")
    says(page, "mine for pose is ready")
    assert page.evaluate("() => document.querySelector('[data-sheet]').naturalWidth") > 0
    page.click("#train .aside a:has-text('Search with it in Pose')")
    page.wait_for_selector("#figures [data-act=run]:enabled >> visible=true")
    page.wait_for_function(
        "[...document.querySelectorAll('input')].some((each) => each.value === 'mine' && each.checkVisibility())"
    )
    page.fill("#pose-steps input[type=number]", "2")
    page.click("#figures [data-act=run]")
    page.wait_for_selector("#figures [data-act=export]:visible")
    page.click("#pose-model label:has-text('smpl')")  # another body
    page.wait_for_function("document.querySelectorAll('#figures [data-joint]').length === 21")
    page.click("#figures [data-act=run]")
    page.wait_for_function("document.querySelector('#figures .runs').textContent.includes('Run 2')")
