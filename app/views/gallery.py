"""K completions in X beside K in Z, with losses, scrubbing, sorting and picking."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.views.view import view


def gallery_view(missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str = "gallery") -> gr.HTML:
    """It takes the messages of `app.complete_stream` and emits: run, stop, cancel (while queued), more {steps}, export,
    send {lane, index, step, pasted} and landscape {index}. `missed` is called with [run id, first number] for messages
    that were lost.
    """
    return view(
        "gallery", ("run", "stop", "cancel", "more", "export", "send", "landscape"), elem_id=elem_id, server_functions=[missed]
    )
