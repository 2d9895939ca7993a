"""A row of pictures to choose one from."""

import gradio as gr

from app.views.view import view


def picker_view(elem_id: str = "picker") -> gr.HTML:
    """Value: {"items": [{"name", "label", "src"}], "chosen": name or None}. Emits pick {name}."""
    return view("picker", ("pick",), elem_id=elem_id)
