"""Many pictures below the race of the Invert tab, driven in Chromium: a number that one can cite, and a folder taken whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.browser.racing import Open, kept, wait_for_text


@pytest.mark.parametrize("width", [1440, 390])
def test_many_pictures_give_a_number_one_can_cite(open_page: Open, tmp_path: Path, width: int) -> None:
    page = open_page("?steps=4", width=width)
    many = ".many "
    page.click(many + "[data-act=run]")
    page.wait_for_selector(many + "[data-act=export]:visible")
    lines = page.text_content(many + ".summary").splitlines()
    assert [line.split(" against ")[0] for line in lines] == ["Z · Adam", "Z · L-BFGS"]
    assert all("on 5 pictures" in line and "[" in line for line in lines)
    page.wait_for_selector(many + ".chart .main-svg")
    page.focus(many + "details summary")
    page.keyboard.press(" ")  # which plays the run wherever the focus is on nothing that takes it
    assert page.locator(many + "tbody tr").count() == 5
    assert page.is_visible(many + "tbody")
    rows = page.evaluate("getComputedStyle(document.querySelector('.many tbody tr')).display")
    assert rows == "table-row", "a table at every width, whatever Results makes of its own"
    with page.expect_download() as download:
        page.click(many + "[data-act=export]")
    download.value.save_as(tmp_path / "many.csv")
    assert "drawn cat,1,Z · L-BFGS,4," in (tmp_path / "many.csv").read_text(encoding="utf-8")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Home")  # of two scrubbers in sight the keys move that which the focus is beside
    assert page.text_content(many + ".transport output") == "step 0 of 4"
    page.click("#race [data-act=run]")
    page.wait_for_selector("#race [data-act=export]:visible")
    page.focus("#race [data-act=run]")
    page.keyboard.press("ArrowLeft")
    outputs = [page.text_content(f"{view} .transport output") for view in ("#race", many)]
    assert outputs == ["step 3 of 4", "step 0 of 4"]
    kept(page)
    page.click("#race [data-forget]")
    page.click(many + "[data-act=run]")
    page.wait_for_selector(many + "[data-act=export]:visible")
    kept(page)
    page.reload()
    wait_for_text(page, many + ".summary", lines[0])
    assert page.locator(many + "tbody tr").count() == 5
    page.wait_for_selector(many + ".chart .main-svg")
    page.wait_for_selector("#race .remembered >> visible=true")  # though the race above has no run
    assert page.is_hidden("#race [data-all]")
    assert page.locator(many + "[data-act=export]").is_hidden(), "the server has it no longer"
    page.wait_for_selector(many + "[data-act=run]:enabled")
    page.fill(many + "[data-ask=restarts]", "3")
    page.click(many + "[data-act=run]")
    wait_for_text(page, many + ".notice", "Restarts need different starts")


def test_a_folder_of_pictures_is_taken_whole(open_page: Open, tmp_path: Path) -> None:
    page, folder = open_page("?steps=3"), tmp_path / "holiday"
    (folder / "below").mkdir(parents=True)
    for name in ("b.png", "below/a.png"):
        Image.new("RGB", (90, 80), "teal").save(folder / name)
    Image.effect_noise((2400, 1800), 80).convert("RGB").save(folder / "large.jpg", quality=95)
    (folder / "notes.txt").write_text("not a picture")
    page.set_input_files(".many input[type=file]", folder)
    wait_for_text(page, "#many-files", ".webp")
    page.click(".many [data-act=run]")
    page.wait_for_selector(".many [data-act=export]:visible")
    assert sorted(page.locator(".many tbody tr td:first-child").all_text_contents()) == ["a.png", "b.png", "large.webp"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("not a picture")
    page.set_input_files(".many input[type=file]", tmp_path / "empty")
    wait_for_text(page, ".many .notice", "nothing in that folder to take")


def test_a_folder_can_be_dropped(open_page: Open, tmp_path: Path) -> None:
    page, folder = open_page("?steps=3"), tmp_path / "holiday"
    (folder / "below").mkdir(parents=True)
    for name in ("b.png", "below/a.png"):
        Image.new("RGB", (90, 80), "teal").save(folder / name)
    field = page.locator("#many-files")
    field.scroll_into_view_if_needed()
    box, session = field.bounding_box(), page.context.new_cdp_session(page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})
    page.wait_for_function("document.querySelector('#many-files').textContent.split('.png').length === 3")
