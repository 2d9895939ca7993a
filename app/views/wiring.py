"""What every tab wires its events with."""

from __future__ import annotations

import html
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from app import limits
from app.runs.address import Values, parameters
from app.runs.session import Message, Visitors

COMPUTE: dict[str, Any] = {"concurrency_id": "compute", "api_visibility": "private"}
SHORT: dict[str, Any] = COMPUTE | {"concurrency_id": "short"}
"""For what takes moments but not a click's: uploads and cards. It waits for no run and no export."""
EXPORT: dict[str, Any] = COMPUTE | {"concurrency_id": "export"}
"""Seconds of work, for every step is drawn anew, but not a run's minutes."""
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
LATEST: dict[str, Any] = QUICK | {"trigger_mode": "always_last"}  # for what changes fast: the last state is never passed over


def offer(path: Path) -> Any:
    """A hidden download button's file; its label is new with each, so that the page can tell when the file is there."""
    return gr.update(value=str(path), label=secrets.token_hex(4))


def unseen_download(elem_id: str) -> gr.DownloadButton:
    """The button that hands a file over once `press` presses it; a view's own Export is what a visitor sees."""
    return gr.DownloadButton("download", elem_id=elem_id, elem_classes="unseen-download")


def press(button: gr.DownloadButton) -> str:
    """JavaScript that presses a hidden download button once what was offered has reached it; where an export was refused
    nothing does, and the last file is not downloaded again."""
    return f"() => {_PRESS}('{button.elem_id}', '{button.label}')"


_PRESS = """((id, first) => {
  const button = document.getElementById(id), until = Date.now() + 10000;
  const look = () => {
    const label = button.textContent.trim();
    if (label !== (button.dataset.pressed ?? first)) {
      button.dataset.pressed = label;
      button.click();
    } else if (Date.now() < until) setTimeout(look, 50);
  };
  look();
})"""


def found(elem_id: str) -> Any:
    """A component of the page that another tab made."""
    blocks = gr.context.Context.root_block
    assert blocks is not None
    return next(block for block in blocks.blocks.values() if block.elem_id == elem_id)


def enclosing_tab() -> gr.Tab:
    """The tab that is being laid out."""
    block = gr.context.Context.block
    while not isinstance(block, gr.Tab):
        assert block is not None
        block = block.parent
    return block


def data_of(event: gr.EventData) -> dict[str, Any]:
    """What a view sent with an event, which is untrusted; nothing where it sent no object."""
    return event._data if isinstance(event._data, dict) else {}


def paragraph(sentence: str, *, calm: bool = False) -> str:
    """A sentence as HTML, `calm` where nothing is wrong; nothing where it is empty."""
    mood = ' class="calm"' if calm else ""
    return f"<p{mood}>{html.escape(sentence)}</p>" if sentence else ""


def missed(visitors: Visitors[Any]) -> Callable[[Any], list[dict[str, Any]]]:
    """A server function for a view: the messages of a run that the page did not get."""

    def missed(asked: Any) -> list[dict[str, Any]]:
        """[run id, first number]; anything else gets none."""
        match asked:
            case [str(run_id), int(since)]:
                return visitors.missed(run_id, max(0, since))
        return []

    return missed


def opened(read: Callable[[dict[str, str]], tuple[Values, list[str]]]) -> Callable[[Any], Message]:
    """A server function for a view with settings of its own: those that an address asks for, and what is said of them."""

    def opened(query: Any) -> Message:
        """Parameters by name."""
        values, notes = read(parameters(query))
        return {"values": values, "text": " ".join(notes)}

    return opened


def limit_lanes(demo: gr.Blocks) -> None:
    """Let so many events of each lane go on at once as may."""
    most = {"compute": limits.runs_at_once(), "short": limits.SHORT_AT_ONCE, "export": limits.EXPORTS_AT_ONCE}
    for event in demo.fns.values():
        if event.concurrency_id in most:
            event.concurrency_limit = most[event.concurrency_id]


def share_cores() -> None:
    """Give each run its share of the cores."""
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // limits.runs_at_once()))
