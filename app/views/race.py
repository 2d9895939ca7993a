"""Two reconstructions with the target between them, one scrubber, one loss chart, earlier runs to compare with."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.views.view import view


def race_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "race") -> gr.HTML:
    """It takes the messages of `app.stream`, keeps every run in the browser, and emits: run, stop, cancel (while queued),
    more {steps}, export, landscape, restore {run}. `missed` is called with [run id, first number] for messages that were lost.
    """
    return view(
        "race", ("run", "stop", "cancel", "more", "export", "landscape", "restore"), elem_id=elem_id, server_functions=[missed]
    )
