"""A picture on which one paints what is hidden."""

import gradio as gr

from app.views.view import view


def painter_view(elem_id: str = "painter") -> gr.HTML:
    """Value: {"picture": PNG base64, "label", "presets": [{"name", "label", "mask"}], "first": preset to begin with}.

    Emits paint {mask}: a character per pixel, row by row, 1 visible and 0 hidden.
    """
    return view("painter", ("paint",), elem_id=elem_id)
