"""Many pictures at once, below the race of one. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.invert import many as events
from app.invert.many import ManyJob
from app.runs.jobs import Jobs
from app.runs.legs import with_errors
from app.runs.session import Message, Picked
from app.runs.settings import from_values
from app.scratch import exported
from app.target import pictures
from app.views.form import Form
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import COMPUTE, EXPORT, QUICK, click, data_of, missed
from landscape_core.errors import UserError
from landscape_core.images.datasets import SUFFIXES


def build_many(page: Page, form: Form, loaded: Any) -> None:
    """Lay it out inside the current container and wire it; `form` are the settings of the race, `loaded` the event that fills
    them in."""
    jobs = Jobs(ManyJob)
    shown = many_view(missed(jobs))
    files = gr.File(
        label=f"Your pictures, zips or a folder, up to {pictures.MOST} pictures",
        file_count="multiple", type="filepath", height=110, elem_id="many-files",
    )  # fmt: skip
    status = gr.HTML(elem_id="many-status")
    download = gr.DownloadButton("download", elem_id="many-file-out")
    ManyTab(page, jobs, form, files, shown, download).wire(status, loaded)


class ManyTab:
    """Listeners."""

    def __init__(
        self, page: Page, jobs: Jobs[ManyJob], form: Form, files: gr.File, view: gr.HTML, download: gr.DownloadButton
    ) -> None:
        self.page, self.jobs, self.form = page, jobs, form
        self.files, self.view, self.download = files, view, download

    def wire(self, status: gr.HTML, loaded: Any) -> None:
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        loaded.then(lambda: sent({"kind": "ready", "most": pictures.MOST, "suffixes": SUFFIXES}), outputs=view, **QUICK)
        begun = view.run(self.on_run, [self.files, *self.form.components], view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun], **QUICK)
        made = view.export(self.on_export, outputs=[self.download, view], **EXPORT, **progress)
        made.success(None, js=click("many-file-out"))

        def leave(request: gr.Request) -> None:
            self.jobs.drop(request.session_hash)

        self.page.demo.unload(leave)

    def on_run(self, event: gr.EventData, request: gr.Request, files: list[str] | None, *values: Any) -> Iterator[str]:
        job, restarts = self.jobs.begin(request.session_hash), data_of(event).get("restarts", 1)

        def messages() -> Iterator[Message]:
            settings = from_values(self.form.read(values))
            task = self.page.models.get(settings.task)
            chosen: list[Picked] = pictures.opened(files, task) if files else pictures.examples(task.side)
            return events.start(self.page.models, job, settings, chosen, restarts)

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


def many_view(missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str = "many") -> gr.HTML:
    """It takes the messages of `app.invert.many` and emits: run {restarts}, stop, cancel (while queued) and export."""
    return view("invert/many", ("run", "stop", "cancel", "export"), elem_id=elem_id, server_functions=[missed])
