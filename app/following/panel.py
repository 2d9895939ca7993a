"""The folded panel in which a tab follows a clip. Wiring only; its view is the tab's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from app.following import run as events
from app.following.run import FollowJob, Source
from app.runs.jobs import Jobs
from app.runs.legs import with_errors
from app.runs.session import Message
from app.scratch import exported
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import COMPUTE, EXPORT, QUICK, click, data_of, missed
from landscape_core.errors import UserError

Make = Callable[[Mapping[str, Any], Sequence[Any]], Source]
"""Makes what is followed of what the view sent with Run and the values of the panel's inputs; may raise a UserError."""


def build_follow(page: Page, module: str, prefix: str, inputs: Sequence[Any], make: Make, loaded: Any) -> None:
    """Lay the view `module` out in the current container and wire it; `loaded` is the event that fills the inputs in."""
    jobs = Jobs(FollowJob)
    shown = follow_view(module, missed(jobs), prefix)
    status = gr.HTML(elem_id=f"{prefix}-status", elem_classes="follow-status")
    download = gr.DownloadButton("download", elem_id=f"{prefix}-file", elem_classes="follow-file")
    FollowPanel(page, jobs, make, shown, download).wire(status, list(inputs), loaded, click(f"{prefix}-file"))


class FollowPanel:
    """Listeners."""

    def __init__(self, page: Page, jobs: Jobs[FollowJob], make: Make, view: gr.HTML, download: gr.DownloadButton) -> None:
        self.page, self.jobs, self.make, self.view, self.download = page, jobs, make, view, download

    def wire(self, status: gr.HTML, inputs: list[Any], loaded: Any, save: str) -> None:
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        loaded.then(lambda: sent({"kind": "ready"}), outputs=view, **QUICK)
        begun = view.run(self.on_run, inputs, view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun], **QUICK)
        made = view.export(self.on_export, outputs=[self.download, view], **EXPORT, **progress)
        made.success(None, js=save)

        def leave(request: gr.Request) -> None:
            self.jobs.drop(request.session_hash)

        self.page.demo.unload(leave)

    def on_run(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[str]:
        job = self.jobs.begin(request.session_hash)

        def messages() -> Iterator[Message]:
            return events.start(job, self.make(data_of(event), values))

        for message in with_errors(messages):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.jobs.get(request.session_hash).stop()

    def on_export(self, request: gr.Request) -> dict[Any, Any]:
        try:
            path = exported(lambda: events.export(self.jobs.latest(request.session_hash)))
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        return {self.download: str(path), self.view: sent({"kind": "exported"})}


def follow_view(module: str, missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str) -> gr.HTML:
    """It takes the messages of `app.following.run` and emits: run {first, last, every, steps, order, smoothness, and what only
    this tab asks}, stop, cancel (while queued) and export."""
    return view(module, ("run", "stop", "cancel", "export"), elem_id=elem_id, server_functions=[missed])
