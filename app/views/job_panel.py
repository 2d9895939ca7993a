"""A panel below a tab's race that does one long piece of work at a time: run, stop and export. Wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import gradio as gr

from app.runs.jobs import J, Jobs
from app.runs.legs import with_errors
from app.runs.session import Message
from app.scratch import exported
from app.views.page import Page
from app.views.view import sent
from app.views.wiring import COMPUTE, EXPORT, QUICK, data_of, offer, press
from landscape_core.errors import UserError


@dataclass(frozen=True)
class JobPanel(Generic[J]):
    """Listeners. `start` begins a job with what the view sent with Run and the inputs' values, `write` writes what a job found
    to a file, if there is one; both may raise a UserError."""

    page: Page
    jobs: Jobs[J]
    view: gr.HTML
    download: gr.DownloadButton
    start: Callable[[J, Mapping[str, Any], Sequence[Any]], Iterator[Message]]
    write: Callable[[J | None], Path]

    def wire(self, status: gr.HTML, inputs: Sequence[Any], loaded: Any, ready: Callable[[Sequence[Any]], Message]) -> None:
        """`status` shows the queue. Once `loaded` has filled the inputs in, the view is told what `ready` makes of them: all in
        one message, for of two that come together it sees the last."""
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        loaded.then(lambda *values: sent(ready(values)), list(inputs), view, **QUICK)
        begun = view.run(self.on_run, list(inputs), view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun], **QUICK)
        made = view.export(self.on_export, outputs=[self.download, view], **EXPORT, **progress)
        made.success(None, js=press(self.download))

        def leave(request: gr.Request) -> None:
            self.jobs.drop(request.session_hash)

        self.page.demo.unload(leave)

    def on_run(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[str]:
        job = self.jobs.begin(request.session_hash)
        for message in with_errors(lambda: self.start(job, data_of(event), values)):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.jobs.get(request.session_hash).stop()

    def on_export(self, request: gr.Request) -> dict[Any, Any]:
        try:
            path = exported(lambda: self.write(self.jobs.latest(request.session_hash)))
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        return {self.download: offer(path), self.view: sent({"kind": "exported"})}
