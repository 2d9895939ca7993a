"""Many pictures at once, below the race of one. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from app.invert import many as events
from app.invert.many import ManyJob
from app.runs.jobs import Jobs
from app.runs.session import Message, Picked
from app.runs.settings import from_values
from app.target import pictures
from app.views.form import Form
from app.views.job_panel import JobPanel
from app.views.page import Page
from app.views.view import view
from app.views.wiring import missed, opened, unseen_download
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
    download = unseen_download("many-file-out")

    def start(job: ManyJob, asked: Mapping[str, Any], values: Sequence[Any]) -> Iterator[Message]:
        paths, *fields = values
        settings = from_values(form.read(fields))
        task = page.models.get(settings.task)
        chosen: list[Picked] = pictures.opened(paths, task) if paths else pictures.examples(task.side)
        return events.start(page.models, job, settings, chosen, asked.get("restarts", 1))

    def ready(values: Sequence[Any]) -> Message:
        return {"kind": "ready", "most": pictures.MOST, "suffixes": SUFFIXES}

    JobPanel(page, jobs, shown, download, start, events.export).wire(status, [files, *form.components], loaded, ready)


def many_view(missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str = "many") -> gr.HTML:
    """It takes the messages of `app.invert.many` and emits: run {restarts}, stop, cancel (while queued) and export."""
    return view(
        "invert/many",
        ("run", "stop", "cancel", "export"),
        elem_id=elem_id,
        server_functions=[missed, opened(events.from_query)],
    )
