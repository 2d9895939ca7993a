"""The base of every view: a gr.HTML whose markup and behaviour are files beside the tab that shows it.

To make one: write `app/<folder>/<name>.html` (a Jinja template without `${`) and `app/<folder>/<name>.js`, an ES module
that exports `mount({element, trigger, server, upload, watch, value})`, and call `view("<folder>/<name>", emits)`.
The module may import what views share, from ../views/: `run_view.js` (toolbar, messages, one run), `timeline.js`
(scrubber, playback, keys), `curves.js` (loss chart), `frames.js` (pictures by step), `inbox.js` (messages in order).
Events named in `emits` become listeners: `view.run(fn, ...)` for "run". A plain gr.HTML is used, for Gradio writes a
.pyi file next to every subclass of a component.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from jinja2 import Environment, FileSystemLoader
from starlette.staticfiles import StaticFiles

APP = Path(__file__).resolve().parent.parent
ROUTE = "lab"
TEMPLATES = Environment(loader=FileSystemLoader(APP), autoescape=True)

_IMPORT = re.compile(r'from "(\.{1,2}/[\w/]+)\.js"')
_LOADER = """
const events = {events};
const script = name => import(new URL('{route}/' + name + '.js', document.baseURI));
Promise.all([script('{name}'), script('views/glossary')]).then(([module, {{ explain }}]) => {{
  module.mount({{ element, trigger, server, upload, watch, value: () => (props.value ? JSON.parse(props.value) : null) }});
  explain(element);
}}).catch(error => {{ element.textContent = 'This view could not start: ' + error.message; throw error; }});
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
    value: Any = None,
) -> gr.HTML:
    """A component drawn by `app/<module>.js`; its value, None before the first message, is one as `sent` makes it, and its
    events carry JSON."""
    return gr.HTML(
        value=None if value is None else sent(value),
        html_template=TEMPLATES.get_template(f"{module}.html").render(),
        js_on_load=_LOADER.format(events=list(emits), route=ROUTE, name=module),
        apply_default_css=False,
        server_functions=list(server_functions),
        elem_id=elem_id,
    )


def modules(*names: str) -> list[str]:
    """The scripts app/<name>.js and all that they import, by name, so that a page can ask for all of them at once."""
    found = list(names)
    for name in found:  # it grows
        script = APP / f"{name}.js"
        imported = [(script.parent / path).resolve() for path in _IMPORT.findall(script.read_text("utf-8"))]
        found += [each for each in (path.relative_to(APP).as_posix() for path in imported) if each not in found]
    return found


def style_sheets() -> list[Path]:
    """Every sheet of the app, in the order of their names: those that all tabs share are not the last, and need not be."""
    return sorted(APP.rglob("*.css"), key=lambda path: path.name)


class Scripts(StaticFiles):
    """The modules of all views. Other files lie beside them, and are not there for anybody who asks."""

    def __init__(self) -> None:
        super().__init__(directory=APP)

    def lookup_path(self, path: str) -> Any:
        return super().lookup_path(path) if path.endswith(".js") else ("", None)
