"""A photo under a square that can be dragged and resized."""

import gradio as gr

from app.views.view import view


def crop_view(elem_id: str = "crop") -> gr.HTML:
    """Value: {"photo": data URL, "width", "height", "box": [left, top, side], "notices": [...]} or None.

    Emits crop {box: [left, top, side]} in pixels of that photo when the visitor lets go.
    """
    return view("crop", ("crop",), elem_id=elem_id)
