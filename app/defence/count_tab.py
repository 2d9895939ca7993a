"""The table over many test pictures, below a defence of one. Wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.defence.count import count
from app.defence.measured import measured
from app.defence.pictures import Defences
from app.defence.settings import from_values
from app.runs.jobs import Job, Jobs
from app.runs.legs import with_errors
from app.views.form import Form
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import COMPUTE, QUICK, data_of


class CountingTable:
    """Its listeners; classifier, attack and rates are the form's."""

    def __init__(self, page: Page, defences: Defences, jobs: Jobs[Job], form: Form, view: gr.HTML) -> None:
        self.page, self.defences, self.jobs, self.form, self.view = page, defences, jobs, form, view

    def wire(self, status: gr.HTML) -> None:
        ready = {"kind": "ready"} if self.defences.cifar is not None else {"kind": "absent", "text": self.defences.no_cifar}
        view, demo = self.view, self.page.demo
        chosen = [self.form["classifier"], self.form["attack"]]
        demo.load(lambda name, attack: sent({**ready, "measured": measured(name, attack)}), chosen, view, **QUICK)
        for changed in chosen:
            changed.input(lambda name, attack: sent(measured(name, attack)), chosen, view, **QUICK)
        begun = view.run(self.on_run, self.form.components, view, **COMPUTE, show_progress="full", show_progress_on=status)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun], **QUICK)

        def leave(request: gr.Request) -> None:
            self.jobs.drop(request.session_hash)

        demo.unload(leave)

    def on_run(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[str]:
        job, n = self.jobs.begin(request.session_hash), data_of(event).get("n")
        asked = self.form.read(values)
        for message in with_errors(lambda: count(self.defences, job, from_values(self.defences, asked), n)):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.jobs.get(request.session_hash).stop()


def counting_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "counting") -> gr.HTML:
    """It takes the messages of `app.defence.count` and emits: run {n}, stop and cancel (while queued)."""
    return view("defence/counting", ("run", "stop", "cancel"), elem_id=elem_id, server_functions=[missed])
