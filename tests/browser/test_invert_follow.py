"""The Invert tab's panel that follows pictures, driven in Chromium."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Open = Callable[..., Any]
VIEW = "#invert-follow "


@pytest.mark.parametrize("width", [1440, 390])
def test_a_clip_of_pictures_is_followed_played_and_exported(open_page: Open, tmp_path: Path, width: int) -> None:
    page = open_page(width=width)
    random = np.random.default_rng(0)
    first, *others = [Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(4)]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    assert not page.is_visible("#follow-clip"), "the file belongs to the fold"
    page.click(VIEW + "summary")
    page.set_input_files("#follow-clip input[type=file]", str(tmp_path / "a.gif"))
    page.wait_for_function("document.querySelector('#follow-clip').textContent.includes('a.gif')")
    page.fill(VIEW + "[data-ask=steps]", "3")
    page.click(VIEW + "[data-act=run]")
    page.wait_for_selector(VIEW + "[data-act=export]:visible")
    assert "4 frames, warm, 3 steps each" in page.text_content(VIEW + ".summary")
    page.wait_for_selector(VIEW + ".chart .main-svg")
    picture = f"document.querySelector('{VIEW}[data-frame=target]').toDataURL()"
    last = page.evaluate(picture)
    page.click(VIEW + "[data-go=first]")
    page.wait_for_function(f"last => {picture} !== last", arg=last)
    assert page.text_content(VIEW + ".transport output") == "frame 0, 0.0 s"
    assert "dB" in page.text_content(VIEW + ".lane.z .reading")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing reaches beyond the page"
    with page.expect_download() as saved:
        page.click(VIEW + "[data-act=export]")
    saved.value.save_as(tmp_path / "out.zip")
    assert {"run.gif", "run.mp4"} <= {*zipfile.ZipFile(tmp_path / "out.zip").namelist()}
