"""One or two loss surfaces under one camera, with the paths of a race over them and what a picture does not say."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.views.view import view


def surfaces_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "surfaces") -> gr.HTML:
    """It takes the messages of `app.landscape_stream`, and emits: run, stop, cancel (while queued), measure {n} and
    export {what: "html" | "png", log}. `missed` is called with [run id, first number] for messages that were lost.
    """
    return view("surfaces", ("run", "stop", "cancel", "measure", "export"), elem_id=elem_id, server_functions=[missed])
