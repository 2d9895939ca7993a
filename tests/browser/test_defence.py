"""The Defence tab, driven in Chromium as a visitor would, on tiny networks."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.racing import DOUBLE_CLICK
from tests.browser.serving import serving
from tests.tiny.defence import tiny_defence, write_cifar
from tests.tiny.models import tiny_task

Open = Callable[..., Any]
VIEW, COUNT = "#defence ", "#counting "
OUTPUT = VIEW + ".transport output"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app with two tiny defences and twenty test pictures."""
    from app.defence.pictures import Defences
    from app.runs.models import Models
    from app.ui import build_app
    from landscape_core.features.cifar10 import Cifar10Test

    cifar = Cifar10Test(write_cifar(tmp_path_factory.mktemp("cifar")))
    defences = Defences({"ro": tiny_defence, "mart": lambda: tiny_defence("mart", 1)}, cifar)
    demo = build_app(Models({"faces": lambda perceptual: tiny_task("faces")}), defences)
    with serving(demo) as url:
        yield url


@pytest.fixture
def defence_page(open_page: Open) -> Open:
    def opened(*, ascents: int = 3, steps: int = 3, **options: Any) -> Any:
        page = open_page(**options)
        page.get_by_role("tab", name="Defence").click()
        page.wait_for_selector(VIEW + "[data-act=run]:enabled")
        fill(page, "#defence-steps", steps)
        page.click("text=Rates, attack steps and seed")
        fill(page, "#defence-ascents", ascents)
        return page

    return opened


def fill(page: Any, slider: str, value: int) -> None:
    page.fill(f"{slider} input[type=number]", str(value))
    page.keyboard.press("Tab")


def choose(page: Any, what: str, value: str) -> None:
    page.check(f"#defence-{what} input[value={value}]", force=True)


def run_to_end(page: Any) -> None:
    page.click(VIEW + "[data-act=run]")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")


def pixels(page: Any, lane: str, what: str = ".frame") -> str:
    return page.evaluate(f"document.querySelector('#defence .lane.{lane} {what} canvas').toDataURL()")


def bars(page: Any, lane: str) -> list[str]:
    return page.eval_on_selector_all(f"{VIEW}.lane.{lane} .bars i", "all => all.map(i => i.style.width)")


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.textContent.includes(t)", arg=[selector, text])


@pytest.mark.quick
def test_a_run_can_be_looked_at_step_by_step_without_the_server(defence_page: Open) -> None:
    page = defence_page()
    assert "ship 1" in page.text_content(VIEW + ".lane.clean [data-name]")
    run_to_end(page)
    assert page.text_content(OUTPUT) == "step 3 of 3"
    assert page.text_content(VIEW + ".lane.x [data-name]") == "input space · Adam"
    assert page.text_content(VIEW + ".lane.z [data-name]") == "learned space · Adam"
    assert len({pixels(page, lane) for lane in ("clean", "attacked", "x", "z")}) == 4
    assert "×" in page.text_content(VIEW + ".lane.z .added")
    page.wait_for_selector(VIEW + "[data-chart=margin] .main-svg")
    requests: list[str] = []
    page.on("request", lambda sent: requests.append(sent.url) if not sent.url.startswith("data:") else None)
    last, added, attacked = bars(page, "x"), pixels(page, "x", ".added"), bars(page, "attacked")
    page.keyboard.press("Home")
    assert page.text_content(OUTPUT) == "step 0 of 3"
    assert bars(page, "x") != last
    assert pixels(page, "x", ".added") != added
    assert bars(page, "attacked") == attacked, "only what is restored moves"
    page.keyboard.press("ArrowRight")
    assert page.text_content(OUTPUT) == "step 1 of 3"
    assert requests == []
    assert "2202.13711" in page.text_content(VIEW + ".caveat")


def test_another_picture_an_example_an_upload_and_what_it_shows(defence_page: Open, tmp_path: Path) -> None:
    page = defence_page()
    first = pixels(page, "clean")
    page.fill("#defence-number input", "0")
    page.keyboard.press("Enter")
    wait_for_text(page, VIEW + ".lane.clean [data-name]", "ship 0")
    assert pixels(page, "clean") != first
    page.fill("#defence-number input", "7")
    page.keyboard.press("Enter")
    wait_for_text(page, "#defence-message", "numbered 0 to 1")
    choose(page, "source", "example")
    page.click("#defence-examples [data-name=truck-in-dust]")
    wait_for_text(page, VIEW + ".lane.clean [data-name]", "truck in dust")
    assert page.text_content(VIEW + ".lane.clean .truth span") == "truck"
    choose(page, "source", "photo")
    Image.new("RGB", (80, 60), (30, 90, 160)).save(tmp_path / "sea.png")
    page.set_input_files("#defence-file input[type=file]", tmp_path / "sea.png")
    wait_for_text(page, VIEW + ".lane.clean [data-name]", "your picture")
    guess = page.text_content(VIEW + ".lane.clean .most span")
    assert page.text_content(VIEW + ".lane.clean .truth span") == guess, "an upload is what the classifier sees in it"
    other = "frog" if guess != "frog" else "cat"
    page.click("#defence-truth input")
    page.get_by_role("option", name=other).click()
    wait_for_text(page, VIEW + ".lane.clean .truth span", other)
    page.click("#defence-file [aria-label=Clear], #defence-file [aria-label*=emove]")
    wait_for_text(page, "#defence-message", "Your picture is no longer used; the picture is ship 1 again.")
    assert pixels(page, "clean") == first


def test_a_stop_during_the_attack_is_at_once_and_further_steps_go_on(defence_page: Open, tmp_path: Path) -> None:
    page = defence_page(steps=100)  # one who knows takes all of them in each of 20 ascents: longer than any Stop
    choose(page, "knows", "Z")
    page.click(VIEW + "[data-act=run]")
    wait_for_text(page, VIEW + ".summary", "Attacking")
    page.wait_for_timeout(DOUBLE_CLICK)
    page.click(VIEW + "[data-act=stop]")
    wait_for_text(page, VIEW + ".aside", "nothing was restored")
    choose(page, "knows", "static")
    fill(page, "#defence-steps", 2)
    run_to_end(page)
    page.fill(VIEW + "[data-more]", "2")
    page.click(VIEW + "[data-act=more]")
    wait_for_text(page, OUTPUT, "step 4 of 4")
    with page.expect_download() as download:
        page.click(VIEW + "[data-act=export]:visible")
    download.value.save_as(tmp_path / "run.zip")
    assert "attacked.png" in zipfile.ZipFile(tmp_path / "run.zip").namelist()


def test_the_table_is_filled_from_results_until_somebody_counts(defence_page: Open) -> None:
    page = defence_page(width=390, steps=1)
    assert page.is_visible(COUNT + ".origin")
    z = page.text_content(f"{COUNT}[data-row=Z] [data-column=aware]")
    assert "%" in z
    assert "reproduce defence --classifier ro" in page.text_content(COUNT + ".aside")
    choose(page, "model", "mart")
    wait_for_text(page, COUNT + ".aside", "--classifier mart")
    assert page.text_content(f"{COUNT}[data-row=Z] [data-column=aware]") != z
    page.fill(COUNT + "[data-many]", "10")
    page.click(COUNT + "[data-act=run]")
    wait_for_text(page, COUNT + ".aside", "10 of 10 pictures")
    assert page.is_hidden(COUNT + ".origin")
    with page.expect_download() as download:
        page.click(COUNT + "[data-act=export]:visible")
    assert download.value.suggested_filename == "counted-1.csv"
    choose(page, "model", "ro")
    page.wait_for_timeout(300)
    assert "10 of 10 pictures" in page.text_content(COUNT + ".aside"), "what was counted stays"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_counting_shows_both_columns_together_and_keeps_what_a_stop_leaves(defence_page: Open) -> None:
    page = defence_page(width=390, dark=True, steps=1)
    page.fill(COUNT + "[data-many]", "20")
    page.click(COUNT + "[data-act=run]")
    wait_for_text(page, COUNT + ".aside", "of 20 pictures")  # the table was filled from results; this one is live
    wait_for_text(page, COUNT + "[data-row=Z] [data-column=aware]", "%")
    for row in ("undefended", "X", "Z"):
        for column in ("static", "aware"):
            assert "%" in page.text_content(f"{COUNT}[data-row={row}] [data-column={column}]")
    if page.is_visible(COUNT + "[data-act=stop]"):
        page.click(COUNT + "[data-act=stop]")
    page.wait_for_selector(COUNT + "[data-act=run]:visible")
    wait_for_text(page, COUNT + ".aside", "of 20 pictures")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_run_opens_in_the_landscape(defence_page: Open) -> None:
    page = defence_page(ascents=2, steps=3)
    run_to_end(page)
    page.click(VIEW + "[data-act=landscape]")
    page.wait_for_function("document.querySelector('#source input')?.value.includes('Defence')")
    wait_for_text(page, ".surfaces [data-target-label]", "ship 1")


def test_on_a_phone_the_bars_of_x_and_z_stay_level_however_long_a_reading_is(defence_page: Open) -> None:
    page = defence_page(width=390, steps=1)
    run_to_end(page)
    page.evaluate("document.querySelector('#defence .lane.x .reading').lastChild.textContent = 'margin −0.601 · 1211 ms'")
    page.evaluate("document.querySelector('#defence .lane.z .reading').lastChild.textContent = 'margin 1'")
    x, z = (page.locator(f"{VIEW}.lane.{lane} .bars").bounding_box() for lane in "xz")
    assert abs(x["y"] - z["y"]) < 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_picture_that_an_address_opens_can_be_run_at_once(open_page: Open) -> None:
    page = open_page("?tab=defence&steps=3&ascents=3")
    run_to_end(page)
    assert page.input_value("#defence-truth input") == "ship"
