"""Who runs keeps control: focus, pace, a double click, Stop, and numbers that cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from app.limits import UPLOAD_FILE

Open = Callable[..., Any]
FOCUS = "document.activeElement.dataset.act"
PACE = "/^[\\d.]+ steps a second, \\d+ (s|min) left$/.test(document.querySelector('#race .aside').textContent)"
FIELDS = [
    ("Invert", "#steps input[type=number]", "#settings-note", "Steps"),
    ("Complete", "#complete-steps input[type=number]", "#complete-note", "Steps"),
]


@pytest.mark.quick
def test_the_focus_stays_on_the_button_that_run_becomes(open_page: Open, gate: Any) -> None:
    page = open_page("?steps=200&model=gated")
    gate.allow(3)
    page.focus("#race [data-act=run]")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{FOCUS} === 'stop'")
    page.wait_for_function("document.querySelector('#race .transport output').textContent.startsWith('step ')")
    page.wait_for_timeout(600)  # a second press right after the first is not meant for Stop
    page.keyboard.press("Enter")
    gate.allow(None)
    page.wait_for_selector("#race [data-act=run] >> visible=true")
    assert page.evaluate(FOCUS) == "run"


def test_a_run_tells_its_pace_and_what_is_left_and_is_told_of_in_its_own_words(open_page: Open, gate: Any) -> None:
    page = open_page("?steps=50&model=gated")
    gate.allow(8)
    page.click("#race [data-act=run]")
    page.wait_for_function("document.querySelector('#race .transport output').textContent.startsWith('step ')")
    gate.allow(12)
    page.wait_for_function(PACE)
    gate.allow(None)
    page.wait_for_selector("#race [data-act=run] >> visible=true")
    assert "left" not in page.text_content("#race .aside")

    page.fill("#race [data-more]", "30")
    gate.allow(8)
    page.click("#race [data-act=more]")
    page.wait_for_function("/^step 5. of 80$/.test(document.querySelector('#race .transport output').textContent)")
    gate.allow(12)
    page.wait_for_function(PACE)
    gate.allow(None)
    page.wait_for_selector("#race [data-act=run] >> visible=true")
    verdict = page.text_content("#race .summary")

    gate.allow(4)
    page.click("#race [data-act=run]")
    for number, said in ((2, verdict), (1, "Running…")):  # the run before, and the one that goes on
        page.click(f"#race .runs li:nth-child({number}) .link >> nth=0")
        page.wait_for_function("said => document.querySelector('#race .summary').textContent === said", arg=said)
    link, steps = page.query_selector("#race .runs li:nth-child(2) .link"), page.text_content("#race .runs li .detail")
    gate.allow(8)
    page.wait_for_function("steps => document.querySelector('#race .runs li .detail').textContent !== steps", arg=steps)
    assert link.evaluate("each => each.isConnected"), "what is about to be clicked is not replaced by another at every step"


@pytest.mark.parametrize(("tab", "run"), [("Complete", "#gallery"), ("Pose", "#figures"), ("Defence", "#defence")])
def test_a_double_click_starts_one_run(open_page: Open, tab: str, run: str) -> None:
    page = open_page("?c_steps=4&c_k=4")
    page.get_by_role("tab", name=tab).click()
    page.wait_for_selector(f"{run} [data-act=run]:enabled >> visible=true")
    if tab == "Complete":
        page.wait_for_selector(".painter .paper[data-hidden]")
    page.dblclick(f"{run} [data-act=run]")
    page.wait_for_selector(f"{run} [data-act=export] >> visible=true")
    assert page.text_content(f"{run} [data-act=export]") == "Export run 1"
    assert "Stopped" not in page.text_content(f"{run} .aside")


@pytest.mark.quick
def test_a_number_that_cannot_be_is_refused_in_a_sentence(open_page: Open) -> None:
    page = open_page()
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 500 else None)
    for tab, field, note, name in FIELDS:
        page.get_by_role("tab", name=tab).click()
        usual = page.input_value(field)
        for typed in ("-5", "99999", ""):
            page.fill(field, typed)
            page.wait_for_function("([s, t]) => document.querySelector(s).textContent.includes(t)", arg=[note, name])
            assert re.search(r"must|at most|at least|number|needed", page.text_content(note))
            page.fill(field, usual)
            page.wait_for_function("([s, t]) => !document.querySelector(s).textContent.includes(t)", arg=[note, name])
    assert failed == []


def test_a_drawn_pose_follows_its_number_without_enter(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Pose").click()
    page.wait_for_function("document.querySelector('#figures [data-target-label]').textContent === 'drawn pose 0'")
    page.fill("#pose-number input", "7")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#figures [data-target-label]').textContent === 'drawn pose 7'")


LARGE = """async () => {
  const side = 2100, pixels = new ImageData(side, side);
  for (let at = 0; at < pixels.data.length; at += 65536) crypto.getRandomValues(pixels.data.subarray(at, at + 65536));
  for (let at = 3; at < pixels.data.length; at += 4) pixels.data[at] = 255;
  const sheet = new OffscreenCanvas(side, side);
  sheet.getContext("2d").putImageData(pixels, 0, 0);
  const file = new File([await sheet.convertToBlob({ type: "image/png" })], "large.png", { type: "image/png" });
  window.given = new DataTransfer();
  window.given.items.add(file);
  return file.size;
}"""


@pytest.mark.parametrize("by", ["choosing", "dropping"])
def test_a_picture_too_large_to_send_is_made_smaller_first(open_page: Open, by: str) -> None:
    page = open_page()
    page.check(".target-card input[value=photo]")
    page.wait_for_selector("#upload input[type=file]", state="attached")
    assert page.evaluate(LARGE) > UPLOAD_FILE
    with page.expect_response(lambda answer: "/upload" in answer.url) as answer:
        if by == "choosing":
            page.evaluate("""() => {
                const field = document.querySelector("#upload input[type=file]");
                field.files = window.given.files;
                field.dispatchEvent(new Event("change", { bubbles: true }));
            }""")
        else:
            page.evaluate("""() => document.querySelector("#upload button").dispatchEvent(
                new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: window.given }))""")
    assert answer.value.ok
    page.wait_for_function("document.querySelector('#race [data-target-label]').textContent === 'your picture'")


def test_a_list_of_runs_says_how_many_steps_each_took(open_page: Open) -> None:
    page = open_page("?steps=3")
    page.click("#race [data-act=run]")
    page.wait_for_selector("#race [data-act=more]:visible")
    page.fill("#race [data-more]", "2")
    page.click("#race [data-act=more]")
    page.wait_for_function("document.querySelector('.runs .detail')?.textContent.includes('5 steps')")
