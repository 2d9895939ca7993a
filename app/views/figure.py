"""A target pose and its reconstructions in X and Z as turnable figures, one scrubber, one loss chart."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.views.view import view


def figure_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "figures") -> gr.HTML:
    """It takes the messages of `app.pose_stream` and emits: run {visible}, stop, cancel (while queued), more {steps},
    export and landscape. `missed` is called with [run id, first number] for messages that were lost.
    """
    return view("figure", ("run", "stop", "cancel", "more", "export", "landscape"), elem_id=elem_id, server_functions=[missed])
