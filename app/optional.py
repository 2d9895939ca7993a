"""What the app can do without: where a file of it is bad it is left out, which is said on the page and in the log."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gradio as gr

from app.views.wiring import paragraph
from landscape_core.errors import UserError, reason


@contextmanager
def left_out(what: str, say: Callable[[str], object]) -> Iterator[None]:
    """Around making something optional: `say` is called with the sentence why it is not there. What is no fault of a file's,
    as far as is known, is written to the log in full."""
    try:
        yield
    except UserError as error:
        say(_told(f"{what} is left out: {error}"))
    except Exception as error:
        traceback.print_exc()
        say(_told(f"{what} is left out: {reason(error)}."))


@contextmanager
def section(name: str) -> Iterator[None]:
    """Around laying a tab out inside the current container: what was laid out before a bad file was found is hidden."""
    sentences: list[str] = []
    with gr.Column() as laid_out, left_out(f"The {name} tab", sentences.append):
        yield
    if sentences:
        laid_out.visible = False
        gr.HTML(paragraph(sentences[0]), elem_id=f"{name.lower()}-left-out", elem_classes="message")


def _told(sentence: str) -> str:
    print(sentence, flush=True)
    return sentence
