"""The panel below a run: what it found is moved, truncated and blended, X's and Z's alike. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.editing import run as events
from app.editing.session import EditSession, result_of
from app.runs.session import Message, Run, Visitors
from app.scratch import exported
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import EXPORT, LATEST, QUICK, SHORT, data_of, offer, press, unseen_download
from landscape_core.errors import UserError

Found = Callable[[str | None], tuple["Run[Any] | None", int]]
"""A tab's run that stands and the number of the sample that is picked of it, by Gradio's session hash."""


def build_editing(page: Page, prefix: str, found: Found) -> None:
    """Lay the panel out in the current container and wire it."""
    panel = editing_view(f"{prefix}edit")
    with gr.Accordion("A direction of your own", open=False, elem_classes="more own-direction", elem_id=f"{prefix}own"):
        gr.HTML("<p class='hint'>The mean of one set of pictures minus the mean of another, as the encoder reads them.</p>")
        with gr.Row():
            several: dict[str, Any] = {"file_count": "multiple", "file_types": ["image"], "size": "sm"}
            having = gr.UploadButton("Pictures with it", elem_id=f"{prefix}with", elem_classes="quiet", **several)
            without = gr.UploadButton("Pictures without it", elem_id=f"{prefix}without", elem_classes="quiet", **several)
            name = gr.Textbox(
                placeholder="its name, such as smile", show_label=False, elem_id=f"{prefix}own-name", max_length=30
            )
            make = gr.Button("Make it", size="sm", elem_id=f"{prefix}own-make", elem_classes="quiet")
    download = unseen_download(f"{prefix}edit-file")
    wires = Panel(found, panel, download)
    panel.take(wires.on_take, outputs=panel, **QUICK)
    panel.drop(wires.on_drop, outputs=panel, **QUICK)
    panel.draw(wires.on_draw, outputs=panel, **LATEST)
    made = panel.export(wires.on_export, outputs=[download, panel], **EXPORT)
    made.success(None, js=press(download))
    having.upload(wires.on_with, having, [having, panel], **SHORT)
    without.upload(wires.on_without, without, [without, panel], **SHORT)
    make.click(wires.on_make, name, [having, without, name, panel], **QUICK)
    page.demo.unload(wires.leave)


class Panel:
    """Listeners of one panel."""

    def __init__(self, found: Found, panel: gr.HTML, download: gr.DownloadButton) -> None:
        self.found, self.panel, self.download = found, panel, download
        self.sessions = Visitors(EditSession)

    def session(self, request: gr.Request) -> EditSession:
        return self.sessions.get(request.session_hash)

    def answer(self, make: Callable[[], Message]) -> str:
        """A message, or what is wrong in a sentence."""
        try:
            return sent(make())
        except UserError as error:
            return sent({"kind": "error", "text": str(error)})

    def on_take(self, event: gr.EventData, request: gr.Request) -> str:
        def taken() -> Message:
            (run, sample), sent_on = self.found(request.session_hash), data_of(event)
            return events.take(self.session(request), sent_on.get("end"), result_of(run, sample, sent_on.get("step")))

        return self.answer(taken)

    def on_drop(self, request: gr.Request) -> str:
        return self.answer(lambda: events.drop(self.session(request)))

    def on_draw(self, event: gr.EventData, request: gr.Request) -> str:
        return self.answer(lambda: events.draw(self.session(request), data_of(event)))

    def on_export(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        try:
            path = exported(lambda: events.export(self.session(request), data_of(event)))
            return {self.download: offer(path), self.panel: sent({"kind": "exported"})}
        except UserError as error:
            return {self.panel: sent({"kind": "error", "text": str(error)})}

    def on_with(self, files: list[str], request: gr.Request) -> tuple[Any, Any]:
        return self._filled("with", files, request)

    def on_without(self, files: list[str], request: gr.Request) -> tuple[Any, Any]:
        return self._filled("without", files, request)

    def _filled(self, which: str, files: list[str], request: gr.Request) -> tuple[Any, Any]:
        words = f"Pictures {which} it"
        try:
            said = events.fill_set(self.session(request), which, files)
        except UserError as error:
            return gr.UploadButton(words), sent({"kind": "error", "text": str(error)})
        return gr.UploadButton(f"{words}: {said}"), gr.skip()

    def on_make(self, name: str, request: gr.Request) -> tuple[Any, Any, Any, Any]:
        try:
            message = events.make_direction(self.session(request), name)
        except UserError as error:
            return gr.skip(), gr.skip(), gr.skip(), sent({"kind": "error", "text": str(error)})
        return gr.UploadButton("Pictures with it"), gr.UploadButton("Pictures without it"), "", sent(message)

    def leave(self, request: gr.Request) -> None:
        self.sessions.drop(request.session_hash)


def editing_view(elem_id: str) -> gr.HTML:
    """It takes the messages of `app.editing.run` and emits: take {end, step}, drop, draw {ends, share, number}, and export
    {what, ends, share}."""
    return view("editing/editing", ("take", "drop", "draw", "export"), elem_id=elem_id)
