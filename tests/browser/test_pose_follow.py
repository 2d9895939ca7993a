"""The Pose tab's panel that follows a clip, driven in Chromium at both widths."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from landscape_core.pose.bvh import parse_bvh
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.task import load_body
from landscape_core.records.export import file_name
from tests.browser.racing import DOUBLE_CLICK, kept
from tests.tiny.pose import random_rotvec

Open = Callable[..., Any]
VIEW = "#follow "
FRAMES = 6


def pixels(page: Any, body: str) -> str:
    return page.evaluate(f"document.querySelector('{VIEW}[data-frame={body}]').toDataURL()")


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_a_clip_is_followed_played_and_exported(open_page: Open, tmp_path: Path, width: int, dark: bool) -> None:
    page = open_page("?tab=pose", width=width, dark=dark)
    page.wait_for_selector("#figures [data-act=run]:enabled")
    path = tmp_path / "walk.bvh"
    path.write_text(bvh_text(load_body().skeleton, 0.4 * random_rotvec(FRAMES, 20), 25.0))
    page.set_input_files("#pose-file input[type=file]", str(path))
    page.wait_for_function("document.querySelector('#figures [data-target-label]').textContent.includes('walk')")
    page.click(VIEW + "summary")
    page.fill(VIEW + "[data-ask=steps]", "3")
    page.click(VIEW + "[data-act=run]")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")
    assert f"{FRAMES} frames, warm, 3 steps each" in page.text_content(VIEW + ".summary")
    page.wait_for_selector(VIEW + ".chart .main-svg")
    columns = VIEW + "[data-columns] button"
    assert page.locator(columns).all_text_contents() == ["L-BFGS", "LM"]
    shown = {body: pixels(page, body) for body in ("X", "Z", "target")}
    page.click(columns + ":last-child")
    assert page.get_attribute(columns + ":last-child", "aria-pressed") == "true"
    last = {body: pixels(page, body) for body in ("X", "Z", "target")}
    assert last["X"] != shown["X"], "the stage shows the other optimiser's lanes"
    assert last["target"] == shown["target"]
    page.click(VIEW + "[data-go=first]")
    assert page.text_content(VIEW + ".transport output") == "frame 0, 0.0 s"
    assert all(pixels(page, body) != last[body] for body in last), "target and both lanes move"
    assert "cm off" in page.text_content(VIEW + ".lane.z .reading")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing reaches beyond the page"
    with page.expect_download() as saved:
        page.click(VIEW + "[data-act=export]")
    saved.value.save_as(tmp_path / "out.zip")
    found = parse_bvh(zipfile.ZipFile(tmp_path / "out.zip").read(f"{file_name('Z · LM')}.bvh").decode())
    assert (len(found.frames), round(found.fps or 0)) == (FRAMES, 25)
    kept(page)
    page.reload()
    page.wait_for_function("view => document.querySelector(`${view}.summary`)?.textContent.includes('frames, warm')", arg=VIEW)
    page.click(VIEW + "summary")
    page.focus(VIEW + ".transport input")
    page.keyboard.press("End")
    page.wait_for_function(
        "([view, seen]) => document.querySelector(`${view}[data-frame=Z]`).toDataURL() === seen", arg=[VIEW, shown["Z"]]
    )
    assert page.locator(VIEW + "[data-act=export]").is_hidden(), "the server has it no longer"


def test_stop_keeps_the_frames_that_are_done(open_page: Open) -> None:
    page = open_page("?tab=pose")
    page.wait_for_selector("#figures [data-act=run]:enabled")
    page.click(VIEW + "summary")
    page.fill(VIEW + "[data-ask=steps]", "60")
    page.click(VIEW + "[data-act=run]")
    page.wait_for_function(f"(bar => bar.value / bar.max > 0.05)(document.querySelector('{VIEW}progress'))")  # three frames
    page.wait_for_timeout(DOUBLE_CLICK)
    page.click(VIEW + "[data-act=stop]")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")
    assert "of 60 frames; those are kept." in page.text_content(VIEW + ".aside")
    assert "drawn motion 0" in page.text_content(VIEW + "[data-target-label]")
