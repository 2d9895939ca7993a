"""The folded panel in which a tab follows a clip. Wiring only; its view is the tab's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from app.following import run as events
from app.following.run import FollowJob, Source
from app.runs.jobs import Jobs
from app.runs.session import Message
from app.views.job_panel import JobPanel
from app.views.page import Page
from app.views.view import view
from app.views.wiring import missed, opened, unseen_download

Make = Callable[[Mapping[str, Any], Sequence[Any]], Source]
"""Makes what is followed of what the view sent with Run and the values of the panel's inputs; may raise a UserError."""


def build_follow(page: Page, module: str, prefix: str, inputs: Sequence[Any], make: Make, loaded: Any) -> None:
    """Lay the view `module` out in the current container and wire it; `loaded` is the event that fills the inputs in."""
    jobs = Jobs(FollowJob)
    shown = follow_view(module, missed(jobs), prefix)
    status = gr.HTML(elem_id=f"{prefix}-status", elem_classes="follow-status")
    download = unseen_download(f"{prefix}-file")

    def start(job: FollowJob, asked: Mapping[str, Any], values: Sequence[Any]) -> Iterator[Message]:
        return events.start(job, make(asked, values))

    JobPanel(page, jobs, shown, download, start, events.export).wire(status, inputs, loaded, lambda _: {"kind": "ready"})


def follow_view(module: str, missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str) -> gr.HTML:
    """It takes the messages of `app.following.run` and emits: run {first, last, every, steps, order, smoothness, and what only
    this tab asks}, stop, cancel (while queued) and export."""
    return view(
        module, ("run", "stop", "cancel", "export"), elem_id=elem_id, server_functions=[missed, opened(events.from_query)]
    )
