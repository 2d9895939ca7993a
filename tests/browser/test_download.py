"""A hidden download button is pressed when its file has arrived: not before, not twice, and not for an export that failed."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from app.views.wiring import press

PAGE = "<button id='file' onclick='window.pressed = (window.pressed ?? []).concat(this.textContent)'>download</button>"
LABEL = "label => setTimeout(() => { document.getElementById('file').textContent = label }, 400)"


@pytest.mark.quick
def test_a_download_waits_for_its_file(chromium: Any) -> None:
    page = chromium.new_page()
    page.set_content(PAGE)
    pressing = f"({press(gr.DownloadButton('download', elem_id='file'))})()"
    for label, pressed in (("a1", ["a1"]), ("b2", ["a1", "b2"])):
        page.evaluate(LABEL, label)
        page.evaluate(pressing)
        page.wait_for_function("label => window.pressed?.at(-1) === label", arg=label)
        assert page.evaluate("window.pressed") == pressed
    page.evaluate(pressing)  # as after an export that was refused
    page.wait_for_timeout(300)
    assert page.evaluate("window.pressed") == ["a1", "b2"]
    page.close()
