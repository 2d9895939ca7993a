"""One picture attacked and restored step by step, and the count of right answers over many."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.views.view import view


def defence_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "defence") -> gr.HTML:
    """It takes the messages of `app.defence_stream` and emits: run, stop, cancel (while queued), more {steps}, export and
    landscape. `missed` is called with [run id, first number] for messages that were lost.
    """
    emits = ("run", "stop", "cancel", "more", "export", "landscape")
    return view("defence", emits, elem_id=elem_id, server_functions=[missed])


def counting_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "counting") -> gr.HTML:
    """It takes the messages of `app.defence_count` and emits: run {n}, stop and cancel (while queued)."""
    return view("counting", ("run", "stop", "cancel"), elem_id=elem_id, server_functions=[missed])
