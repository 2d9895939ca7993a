"""The panel "Follow a clip" below the race on one pose. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.pose import follow as events
from app.pose.follow import FollowJob
from app.pose.form import PosePanel
from app.pose.settings import from_values
from app.runs.jobs import Jobs
from app.runs.legs import with_errors
from app.runs.models import Models
from app.runs.session import Message
from app.scratch import exported
from app.views.form import Form
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import COMPUTE, EXPORT, QUICK, click, data_of, missed
from landscape_core.errors import UserError


def build_follow(page: Page, models: Models, drawing: str, panel: PosePanel, form: Form, loaded: Any) -> None:
    """Lay it out inside the current container and wire it; `panel` has the file and the number of what is drawn by the model
    `drawing`, `form` the settings of the race, `loaded` is the event that fills them in."""
    jobs = Jobs(FollowJob)
    shown = follow_view(missed(jobs))
    status = gr.HTML(elem_id="follow-status")
    download = gr.DownloadButton("download", elem_id="follow-file")
    FollowTab(page, models, drawing, jobs, form, panel, shown, download).wire(status, loaded)


class FollowTab:
    """Listeners."""

    def __init__(
        self, page: Page, models: Models, drawing: str, jobs: Jobs[FollowJob], form: Form, panel: PosePanel, view: gr.HTML,
        download: gr.DownloadButton,
    ) -> None:  # fmt: skip
        self.page, self.models, self.drawing, self.jobs = page, models, drawing, jobs
        self.form, self.panel, self.view, self.download = form, panel, view, download

    def wire(self, status: gr.HTML, loaded: Any) -> None:
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        loaded.then(lambda: sent({"kind": "ready"}), outputs=view, **QUICK)
        inputs = [self.panel.number, self.panel.file, self.panel.names, *self.form.components]
        begun = view.run(self.on_run, inputs, view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun], **QUICK)
        made = view.export(self.on_export, outputs=[self.download, view], **EXPORT, **progress)
        made.success(None, js=click("follow-file"))

        def leave(request: gr.Request) -> None:
            self.jobs.drop(request.session_hash)

        self.page.demo.unload(leave)

    def on_run(
        self, event: gr.EventData, request: gr.Request, number: Any, path: str | None, names: str | None, *values: Any
    ) -> Iterator[str]:
        job, data = self.jobs.begin(request.session_hash), data_of(event)

        def messages() -> Iterator[Message]:
            settings = from_values({**self.form.read(values), "k": 1}).settings
            task, drawing = self.models.get(settings.task), self.models.get(self.drawing)
            return events.start(job, task, settings, lambda: events.clip_of(drawing, number, path, names, data), data)

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


def follow_view(missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str = "follow") -> gr.HTML:
    """It takes the messages of `app.pose.follow` and emits: run {first, last, every, steps, order, smoothness, visible}, stop,
    cancel (while queued) and export."""
    return view("pose/follow", ("run", "stop", "cancel", "export"), elem_id=elem_id, server_functions=[missed])
