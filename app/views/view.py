"""The base of every view: a gr.HTML whose markup and behaviour live in files of app/static.

To make one: write `static/<name>.html` (markup without `${` and `{{`) and `static/<name>.js`, an ES module that
exports `mount({element, trigger, server, upload, watch, value})`, and call `view("<name>", emits)`.
The module may import others next to it: `timeline.js` (scrubber, playback, keys), `curves.js` (loss chart),
`frames.js` (pictures by step), `stream.js` (messages in order).
Events named in `emits` become listeners: `view.run(fn, ...)` for "run". A plain gr.HTML is used, for Gradio writes a
.pyi file next to every subclass of a component.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

STATIC = Path(__file__).resolve().parent.parent / "static"
ROUTE = "lab"

_LOADER = """
const events = {events};
import(new URL('{route}/{name}.js', document.baseURI)).then(module => module.mount({{
  element, trigger, server, upload, watch, value: () => (props.value ? JSON.parse(props.value) : null),
}})).catch(error => {{ element.textContent = 'This view could not start: ' + error.message; throw error; }});
"""


def sent(message: Any) -> str:
    """A message as a view takes it: JSON text, which Gradio and its frontend hand on without looking inside."""
    if isinstance(message, dict):
        message = {**message, "nonce": secrets.token_hex(4)}  # the frontend passes over a value equal to the last
    return json.dumps(message, allow_nan=False)


def view(
    module: str,
    emits: Sequence[str] = (),
    *,
    server_functions: Sequence[Callable[..., Any]] = (),
    elem_id: str | None = None,
) -> gr.HTML:
    """A component drawn by `static/<module>.js`; its value is a message as `sent` makes it, its events carry JSON."""
    return gr.HTML(
        html_template=(STATIC / f"{module}.html").read_text(),
        js_on_load=_LOADER.format(events=list(emits), route=ROUTE, name=module),
        apply_default_css=False,
        server_functions=list(server_functions),
        elem_id=elem_id,
    )
