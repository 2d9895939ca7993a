"""The runs that the browser keeps: over a reload, in every tab that runs, and what is done with them."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.racing import kept

Open = Callable[..., Any]


def run(page: Any, view: str) -> None:
    page.click(f"{view} [data-act=run]")
    page.wait_for_selector(f"{view} [data-act=export]:visible")


def rows(page: Any, view: str, count: int) -> None:
    page.wait_for_function(
        "([view, count]) => document.querySelectorAll(`${view} .runs li`).length === count", arg=[view, count]
    )


def pixels(page: Any, place: str) -> str:
    return str(page.evaluate("place => document.querySelector(place).toDataURL()", place))


def test_runs_survive_a_reload_and_can_be_scrubbed_compared_and_taken_up_again(open_page: Open) -> None:
    page = open_page("?steps=4&target=cat")
    run(page, "#race")
    last = pixels(page, "#race [data-cell=Z2] .frame canvas")
    page.fill("#steps input[type=number]", "6")
    page.keyboard.press("Tab")
    page.wait_for_function("new URLSearchParams(location.search).get('steps') === '6'")
    run(page, "#race")
    rows(page, "#race", 2)
    assert "6 steps" in page.text_content("#race .runs li:first-child")
    page.wait_for_function("document.querySelector('[data-remembered]').textContent.match(/0[.][1-9] of 200 MB/)")
    kept(page)

    page.reload()
    page.wait_for_selector("#race [data-act=run]:enabled")
    rows(page, "#race", 2)
    page.wait_for_function("document.querySelector('#race .transport output').textContent === 'step 6 of 6'")  # it was in view
    page.click("#race .runs li:nth-child(2) .link >> nth=0")
    page.wait_for_function("document.querySelector('#race .transport output').textContent === 'step 4 of 4'")
    page.wait_for_function(
        "last => document.querySelector('#race [data-cell=Z2] .frame canvas').toDataURL() === last", arg=last
    )
    page.keyboard.press("Home")
    page.wait_for_function(
        "last => document.querySelector('#race [data-cell=Z2] .frame canvas').toDataURL() !== last", arg=last
    )
    # four lanes of each, and the encoder's level
    page.wait_for_function("document.querySelectorAll('#race .chart .scatterlayer .trace').length === 9")
    page.click("#race .runs li:nth-child(2) >> text=Use its settings")
    page.wait_for_selector("#settings-note >> text=The settings of run 1 are taken up")
    page.wait_for_function("document.querySelector('#steps input[type=number]').value === '4'")
    assert pixels(page, "#race [data-cell=Z2] .frame canvas") != pixels(page, "#race .lane.target .frame canvas")
    run(page, "#race")
    rows(page, "#race", 3)
    assert "Run 3" in page.text_content("#race .runs li:first-child")
    assert "repeats the card's run exactly" in page.text_content("#race .aside")
    with page.expect_download() as download:
        page.click("#race .runs li:nth-child(3) >> text=Export")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "This repeats the card's run exactly" in archive.read("README.md").decode()
        assert json.loads(archive.read("run.json"))["settings"]["steps"] == 4
    with page.expect_download() as download:
        page.click("#race [data-all]")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 3
    page.click("#race [data-forget]")
    rows(page, "#race", 1)
    page.reload()
    page.wait_for_selector("#race [data-act=run]:enabled")
    page.wait_for_function("document.querySelector('#race .remembered').hidden")


def test_two_windows_of_a_visitor_give_no_number_twice(open_page: Open, gate: Any) -> None:
    one = open_page("?steps=3&model=gated")
    two = one.context.new_page()
    two.goto(one.url)
    two.wait_for_selector("#race [data-act=run]:enabled")
    gate.allow(0)
    for page in (one, two):  # both before either has begun a step
        page.click("#race [data-act=run]")
        page.wait_for_selector("#race [data-act=stop]:visible")
    gate.allow(None)
    for page in (one, two):
        page.wait_for_selector("#race [data-act=export]:visible")
    run(one, "#race")
    titles = [page.locator("#race .runs li .link >> text=/^Run [0-9]+$/").all_text_contents() for page in (one, two)]
    assert titles == [["Run 3", "Run 1"], ["Run 2"]]
    assert one.text_content("#race [data-act=export]") == "Export run 3"
    kept(one)
    two.reload()
    rows(two, "#race", 3)


def test_a_run_that_is_refused_takes_no_number(open_page: Open) -> None:
    page = open_page("?tab=pose&steps=3")
    page.wait_for_selector("#figures [data-act=run]:enabled")
    page.click("#figures .joints summary")
    names = page.evaluate("[...document.querySelectorAll('#figures [data-joint]')].map((box) => box.dataset.joint)")
    for name in names:
        page.uncheck(f"#figures [data-joint={name}]")
    page.click("#figures [data-act=run]")
    page.wait_for_selector("#figures .notice >> text=At least one joint must be visible")
    page.click("#figures [data-seen=all]")
    run(page, "#figures")
    assert page.text_content("#figures [data-act=export]") == "Export run 1"


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("?tab=complete&k=4&steps=4", "#gallery"),
        ("?tab=pose&steps=4", "#figures"),
        ("?tab=defence&steps=3&ascents=3", "#defence"),
    ],
)
def test_every_tab_keeps_its_runs(open_page: Open, query: str, view: str) -> None:
    page = open_page(query)
    page.wait_for_selector(f"{view} [data-act=run]:enabled")
    run(page, view)
    rows(page, view, 1)
    place = f"{view} {'.tiles canvas' if view == '#gallery' else '.lane.z canvas'}"
    page.focus(f"{view} .transport input")
    page.keyboard.press("End")
    output, seen = page.text_content(f"{view} .transport output"), pixels(page, place)
    kept(page)
    page.reload()
    rows(page, view, 1)
    page.click(f"{view} .runs li .link >> nth=0")
    page.wait_for_function(
        "([view, output]) => document.querySelector(`${view} .transport output`).textContent === output", arg=[view, output]
    )
    page.wait_for_function("([place, seen]) => document.querySelector(place).toDataURL() === seen", arg=[place, seen])
    page.focus(f"{view} .transport input")
    page.keyboard.press("Home")
    page.wait_for_function("([place, seen]) => document.querySelector(place).toDataURL() !== seen", arg=[place, seen])
    page.click(f"{view} .runs li >> text=Use its settings")
    page.wait_for_selector(".note >> text=The settings of run 1 are taken up; the models are the same >> visible=true")


def test_a_run_that_a_reload_cut_off_says_so_and_can_be_taken_again(open_page: Open, gate: Any) -> None:
    page = open_page("?steps=9&model=gated")
    gate.allow(4)
    page.click("#race [data-act=run]")
    page.wait_for_function("document.querySelector('#race .transport output').textContent.startsWith('step ')")
    rows(page, "#race", 1)
    assert "unfinished" not in page.text_content("#race .runs li")  # it is going
    page.wait_for_function("document.querySelector('[data-remembered]').textContent.includes('taken')")
    again, address = page.context.new_page(), page.url
    page.close()  # as a reload does, but that Gradio's page then says in the console that it was cut off
    gate.allow(None)
    again.goto(address)
    page = again
    page.wait_for_selector("#race [data-act=run]:enabled")
    rows(page, "#race", 1)
    assert re.search(r"[0-9] steps?, unfinished", page.text_content("#race .runs li"))
    with page.expect_download() as download:
        page.click("#race .runs li >> text=Export")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert json.loads(archive.read("run.json"))["result"]["step"] == 9
