"""One line that says what the settings mean now, and keeps the address of the page in step with them."""

import gradio as gr

from app.views.view import view


def note_view(elem_id: str = "note") -> gr.HTML:
    """Value: {"text", "level": "plain" | "error", "query": {...} or None}; a query replaces the page's own parameters."""
    return view("note", (), elem_id=elem_id)
