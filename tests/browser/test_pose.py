"""The Pose tab, driven in Chromium as a visitor would."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.task import load_body

Open = Callable[..., Any]
VIEW = "#figures "
OUTPUT = VIEW + ".transport output"


@pytest.fixture
def pose_page(open_page: Open) -> Open:
    def opened(**options: Any) -> Any:
        page = open_page(**options)
        page.get_by_role("tab", name="Pose").click()
        page.wait_for_selector(VIEW + "[data-act=run]:enabled")
        page.wait_for_function("document.querySelector('#figures .lane.target canvas').width > 0")
        return page

    return opened


def run_to_end(page: Any, steps: int) -> None:
    page.fill("#pose-steps input[type=number]", str(steps))
    page.keyboard.press("Tab")
    page.click(VIEW + "[data-act=run]")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")


def place(lane: str) -> str:
    """Where a cell of the table is, or the target."""
    return ".lane.target" if lane == "target" else f"[data-cell={lane}]"


def pixels(page: Any, lane: str) -> str:
    return page.evaluate(f"document.querySelector('#figures {place(lane)} canvas').toDataURL()")


def reading(page: Any, lane: str) -> str:
    return page.text_content(f"{VIEW}{place(lane)} .reading")


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.textContent.includes(t)", arg=[selector, text])


@pytest.mark.quick
def test_a_run_can_be_looked_at_from_every_side_and_step_without_the_server(pose_page: Open) -> None:
    page = pose_page()
    run_to_end(page, 12)
    assert page.text_content(OUTPUT) == "step 12 of 12"
    assert "cm off" in reading(page, "Z1")
    page.wait_for_selector(VIEW + ".chart .main-svg")
    page.click(VIEW + "[data-measure=error]")
    wait_for_text(page, VIEW + ".chart .ytitle", "cm")
    requests: list[str] = []
    page.on("request", lambda sent: requests.append(sent.url) if not sent.url.startswith("data:") else None)
    last = pixels(page, "X2")
    page.keyboard.press("Home")
    assert page.text_content(OUTPUT) == "step 0 of 12"
    first = pixels(page, "X2")
    assert first != last
    seen = {lane: pixels(page, lane) for lane in ("X1", "target", "Z1", "X2", "Z2")}
    page.locator(VIEW + "[data-cell=X1] canvas").scroll_into_view_if_needed()
    box = page.locator(VIEW + "[data-cell=X1] canvas").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 60, steps=4)
    page.mouse.up()
    assert all(pixels(page, lane) != seen[lane] for lane in seen), "one camera turns all of them"
    assert requests == []


def test_hypotheses_of_a_half_seen_body(pose_page: Open) -> None:
    page = pose_page()
    page.click(VIEW + "[data-seen=upper]")
    assert reading(page, "target") == "12 of 20 joints seen"
    page.click(VIEW + ".joints summary")
    page.uncheck(VIEW + "[data-joint=Head]")
    assert reading(page, "target") == "11 of 20 joints seen"
    page.fill("#pose-k input[type=number]", "3")
    run_to_end(page, 6)
    assert "hidden joints" in reading(page, "Z1")
    assert "3 hypotheses" in page.text_content(VIEW + ".summary")


def test_clicking_a_joint_hides_it_and_a_body_without_any_is_refused(pose_page: Open) -> None:
    page = pose_page()
    page.click(VIEW + "[data-turn=front]")
    box = page.locator(VIEW + ".lane.target canvas").bounding_box()
    hit = False
    for row in range(12, 60):  # down the middle of the body, until a joint is met
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * row / 64)
        hit = reading(page, "target") == "19 of 20 joints seen"
        if hit:
            break
    assert hit
    page.click(VIEW + ".joints summary")
    for name in load_body().skeleton.names:
        page.uncheck(f"{VIEW}[data-joint={name}]")
    page.click(VIEW + "[data-act=run]")
    wait_for_text(page, VIEW + ".notice", "At least one joint must be visible")


def test_a_bvh_file_is_the_target_and_a_bad_one_is_named(pose_page: Open, tmp_path: Path) -> None:
    page = pose_page()
    before = pixels(page, "target")
    path = tmp_path / "still.bvh"
    path.write_text(bvh_text(load_body().skeleton, torch.zeros(1, 20, 3)))
    page.set_input_files("#pose-file input[type=file]", path)
    wait_for_text(page, VIEW + "[data-target-label]", "still, frame 0")
    assert pixels(page, "target") != before
    path.write_text("not a motion")
    page.click("#pose-file [aria-label*=lear]")
    page.set_input_files("#pose-file input[type=file]", path)
    wait_for_text(page, "#pose-message", "not a BVH file")


def test_an_export_holds_bodies(pose_page: Open, tmp_path: Path) -> None:
    page = pose_page(width=390, dark=True)
    run_to_end(page, 3)
    with page.expect_download() as download:
        page.click(VIEW + "[data-act=export]")
    download.value.save_as(tmp_path / "run.zip")
    assert {"target.bvh", "X-L-BFGS.bvh", "Z-LM.bvh"} <= set(zipfile.ZipFile(tmp_path / "run.zip").namelist())
    page.wait_for_selector(VIEW + "[data-act=run]:visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_run_card_is_taken_up_again_and_replays_and_the_landscape_takes_the_run(pose_page: Open, tmp_path: Path) -> None:
    page = pose_page()
    page.click(VIEW + "[data-seen=lower]")
    page.fill("#pose-k input[type=number]", "2")
    run_to_end(page, 4)
    with page.expect_download() as download:
        page.click(VIEW + "[data-act=export]")
    download.value.save_as(tmp_path / "run.zip")
    page.click(VIEW + "[data-seen=all]")
    page.fill("#pose-k input[type=number]", "1")
    page.set_input_files(".pose .form-actions input[type=file]", tmp_path / "run.zip")
    page.wait_for_selector(".pose >> text=Run card loaded")
    assert reading(page, "target") == "8 of 20 joints seen"
    page.wait_for_function("document.querySelector('#pose-k input[type=number]')?.value === '2'")
    page.click(VIEW + "[data-act=run]")
    wait_for_text(page, VIEW + ".aside", "bit for bit")
    page.click(VIEW + "[data-act=landscape]")
    page.wait_for_selector("#surfaces [data-act=run]:visible")
    page.wait_for_function("document.querySelector('#source input')?.value === 'The run in Pose'")


def test_continue_goes_on_with_the_last_run_after_another_target_was_looked_at(pose_page: Open) -> None:
    page = pose_page()
    run_to_end(page, 3)
    page.click("#pose-another")
    page.wait_for_function(f"document.querySelector('{OUTPUT}').textContent === ''")
    page.click(VIEW + "[data-seen=upper]")
    page.fill(VIEW + "[data-more]", "2")
    page.click(VIEW + "[data-act=more]")
    wait_for_text(page, OUTPUT, "step 5 of 5")
    page.wait_for_selector(VIEW + "[data-act=more]:visible")
    assert page.text_content(VIEW + "[data-target-label]") == "drawn pose 0"
    assert reading(page, "target") == "all joints seen"  # as the run was told


def test_a_card_loaded_during_a_run_is_for_the_next_one(pose_page: Open, tmp_path: Path) -> None:
    page = pose_page()
    page.click(VIEW + "[data-seen=lower]")
    run_to_end(page, 4)
    with page.expect_download() as download:
        page.click(VIEW + "[data-act=export]")
    download.value.save_as(tmp_path / "run.zip")
    page.click(VIEW + "[data-seen=all]")
    page.fill("#pose-number input", "7")
    page.keyboard.press("Tab")
    wait_for_text(page, VIEW + "[data-target-label]", "drawn pose 7")
    page.fill("#pose-steps input[type=number]", "2000")
    page.keyboard.press("Tab")
    page.click(VIEW + "[data-act=run]")
    wait_for_text(page, OUTPUT, "of 2000")
    before = pixels(page, "target")
    page.set_input_files(".pose .form-actions input[type=file]", tmp_path / "run.zip")
    page.wait_for_selector(".pose >> text=Run card loaded")
    wait_for_text(page, "#pose-message", "The run in progress keeps its target")
    page.click(VIEW + "[data-act=stop]")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")
    assert pixels(page, "target") == before
    assert page.text_content(VIEW + "[data-target-label]") == "drawn pose 7"
    assert reading(page, "target") == "all joints seen"
    page.click(VIEW + "[data-act=run]")
    wait_for_text(page, VIEW + "[data-target-label]", "from a run card")
    wait_for_text(page, VIEW + ".aside", "bit for bit")  # on the card's pose, and of the joints that it saw
    assert reading(page, "target") == "8 of 20 joints seen"


@pytest.mark.parametrize("width", [1440, 390])
def test_bodies_stand_in_a_table_of_two_by_two(pose_page: Open, width: int) -> None:
    page = pose_page(width=width)
    for cell, head in (("Z1", "L-BFGS"), ("Z2", "LM")):  # before anything is run
        page.wait_for_selector(f"{VIEW}[data-cell={cell}] [data-how] >> text={head}")
    run_to_end(page, 4)
    boxes = {cell: page.locator(f"{VIEW}[data-cell={cell}] .frame").bounding_box() for cell in ("X1", "X2", "Z1", "Z2")}
    assert boxes["X1"]["x"] == boxes["Z1"]["x"] < boxes["X2"]["x"] == boxes["Z2"]["x"]
    assert boxes["X1"]["y"] == boxes["X2"]["y"] < boxes["Z1"]["y"] == boxes["Z2"]["y"]
    target = page.locator(f"{VIEW}.lane.target .frame").bounding_box()
    assert (target["width"], target["height"]) == (boxes["X1"]["width"], boxes["X1"]["height"])
    assert [page.text_content(f"{VIEW}[data-cell=Z{i}] [data-how]") for i in (1, 2)] == ["L-BFGS", "LM"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
