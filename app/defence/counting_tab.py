"""The table over many test pictures, below a defence of one. Wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.defence import count as events
from app.defence.count import CountJob
from app.defence.measured import measured
from app.defence.pictures import Defences
from app.defence.settings import from_values
from app.runs.jobs import Jobs
from app.runs.session import Message
from app.views.form import Form
from app.views.job_panel import JobPanel
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import QUICK, missed, unseen_download


@dataclass(frozen=True)
class CountingTable:
    """Laid out in the current container; wired once there is a form, whose classifier, attack and rates it takes."""

    jobs: Jobs[CountJob]
    view: gr.HTML
    status: gr.HTML
    download: gr.DownloadButton

    @staticmethod
    def build() -> CountingTable:
        jobs = Jobs(CountJob)
        shown = counting_view(missed(jobs))
        status = gr.HTML(elem_id="count-status")
        return CountingTable(jobs, shown, status, unseen_download("count-file-out"))

    def wire(self, page: Page, defences: Defences, form: Form, loaded: Any) -> None:
        """`loaded` is the event that fills the form in."""

        def start(job: CountJob, asked: Mapping[str, Any], values: Sequence[Any]) -> Iterator[Message]:
            return events.count(defences, job, from_values(defences, form.read(values)), asked.get("n"))

        def ready(values: Sequence[Any]) -> Message:
            asked = form.read(values)
            known = {"measured": measured(asked["classifier"], asked["attack"])}
            if defences.cifar is None:
                return {"kind": "absent", "text": defences.no_cifar, **known}
            return {"kind": "ready", **known}

        panel = JobPanel(page, self.jobs, self.view, self.download, start, events.export)
        panel.wire(self.status, form.components, loaded, ready)
        chosen = [form["classifier"], form["attack"]]
        for changed in chosen:
            changed.input(lambda name, attack: sent(measured(name, attack)), chosen, self.view, **QUICK)


def counting_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "counting") -> gr.HTML:
    """It takes the messages of `app.defence.count` and emits: run {n}, stop, cancel (while queued) and export."""
    return view("defence/counting", ("run", "stop", "cancel", "export"), elem_id=elem_id, server_functions=[missed])
