"""The Invert tab: one target, inverted in X and in a learned Z side by side. Layout and wiring only."""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app import invert_events as events
from app import targets
from app.compute import runs_at_once
from app.form import Form, build_form, space_choices
from app.invert_target import TargetPanel, build_target
from app.models import Models
from app.session import Picked, Session, Sessions
from app.settings import values_of
from app.views.note import note_view
from app.views.race import race_view
from app.views.view import sent
from landscape_core.errors import UserError
from landscape_core.optimizers import DEFAULT_RATES, OptimizerName
from landscape_core.runs import RunSettings

COMPUTE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": runs_at_once(), "api_visibility": "private"}
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_CLICK = "() => setTimeout(() => document.querySelector('#export-file').click(), 50)"


def build_invert(demo: gr.Blocks, models: Models, sessions: Sessions) -> None:
    """Lay the tab out inside the current container and wire it."""
    with gr.Row(elem_classes="invert"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_target()
        with gr.Column(elem_classes="card race-card"):
            view = race_view(_missed(sessions))
            status = gr.HTML(elem_id="queue-status")
            download = gr.DownloadButton("download", elem_id="export-file")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Search</h2>")
            form = build_form(models.names, [])
            note = note_view("settings-note")
    tab = InvertTab(models, sessions, form, panel, view, note)
    tab.wire_page(demo)
    tab.wire_target()
    tab.wire_form()
    tab.wire_run(status, download)


def _missed(sessions: Sessions) -> Callable[[Any], list[dict[str, Any]]]:
    def missed(asked: Any) -> list[dict[str, Any]]:
        """Messages of a run that the page did not get: [run id, first number]. Anything else gets none."""
        match asked:
            case [str(run_id), int(since)]:
                return sessions.missed(run_id, max(0, since))
        return []

    return missed


class InvertTab:
    """Listeners of the tab. Each finds the visitor's session and hands on to `invert_events`."""

    def __init__(
        self, models: Models, sessions: Sessions, form: Form, panel: TargetPanel, view: gr.HTML, note: gr.HTML
    ) -> None:
        self.models, self.sessions = models, sessions
        self.form, self.panel, self.view, self.note = form, panel, view, note
        self.target_outputs = [view, panel.message, note]

    def session(self, request: gr.Request) -> Session:
        return self.sessions.get(request.session_hash)

    # --- the page -------------------------------------------------------------------------------------------

    def wire_page(self, demo: gr.Blocks) -> None:
        panel = self.panel
        outputs = [*self.form.fields, panel.source, *panel.groups.values(), panel.number, panel.picker, *self.target_outputs]
        demo.load(self.on_load, outputs=outputs, **QUICK)

    def on_load(self, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            chosen, notes = events.open_page(self.models, session, dict(request.query_params))
        except UserError as error:
            message = {"kind": "error", "text": str(error)}
            return [gr.skip()] * (len(self.form.fields) + 6) + [sent(message), "", None]
        assert session.target is not None
        query = session.target.query["target"]
        source = "drawn" if query.startswith("drawn-") else "example"
        number = int(query.removeprefix("drawn-")) if source == "drawn" else 0
        groups = [gr.update(visible=name == source) for name in self.panel.groups]
        picker = sent(events.picker_message(query if source == "example" else None))
        note = sent({"text": " ".join(notes), "level": "error" if notes else "plain", "query": None})
        shown = sent(events.target_message(session.target))
        return [*self.fill(chosen), source, *groups, number, picker, shown, "", note]

    def fill(self, chosen: RunSettings) -> list[Any]:
        """The form's values, with the spaces that the chosen model has."""
        values = values_of(chosen)
        spaces = space_choices(list(self.models.get(chosen.task).mappings))
        values[1] = gr.update(choices=spaces, value=chosen.space)
        return values

    # --- the target -----------------------------------------------------------------------------------------

    def wire_target(self) -> None:
        panel, form, outputs = self.panel, self.form, self.target_outputs
        groups = list(panel.groups.values())
        panel.source.input(
            self.on_source, [panel.source, panel.number, *form.fields], [*groups, panel.picker, *outputs], **QUICK
        )
        panel.number.submit(self.on_number, [panel.number, *form.fields], outputs, **QUICK)
        panel.number.blur(self.on_number, [panel.number, *form.fields], outputs, **QUICK)
        panel.another.click(self.on_another, form.fields, [panel.number, *outputs], **QUICK)
        panel.picker.pick(self.on_pick, form.fields, [panel.picker, *outputs], **QUICK)
        panel.file.upload(self.on_upload, [panel.file, *form.fields], [panel.crop, *outputs], **COMPUTE)
        panel.file.clear(lambda: None, outputs=panel.crop, **QUICK)
        panel.crop.crop(self.on_crop, form.fields, outputs, **QUICK)

    def choose(self, session: Session, make: Callable[[], Picked], values: tuple[Any, ...]) -> list[Any]:
        """Take a target and say what that means: race view, message, note."""
        shown, sentence = events.choose(session, make)
        message = f"<p>{html.escape(sentence)}</p>" if sentence else ""
        note = events.note(self.models, session, list(values))
        return [sent(shown) if shown else gr.skip(), message, sent(note)]

    def drawn(self, number: Any, values: tuple[Any, ...]) -> Callable[[], Picked]:
        return lambda: targets.drawn(self.models.get(values[0]), number)

    def on_source(self, request: gr.Request, source: str, number: Any, *values: Any) -> list[Any]:
        session = self.session(request)
        groups = [gr.update(visible=name == source) for name in self.panel.groups]
        if source == "drawn":
            return [*groups, gr.skip(), *self.choose(session, self.drawn(number, values), values)]
        if source == "example":
            picker = sent(events.picker_message("cartoon"))
            return [*groups, picker, *self.choose(session, lambda: targets.example("cartoon"), values)]
        photo = session.photo
        if photo is None:
            return [*groups, *[gr.skip()] * 4]
        return [*groups, gr.skip(), *self.choose(session, lambda: targets.cropped(photo), values)]

    def on_number(self, request: gr.Request, number: Any, *values: Any) -> list[Any]:
        return self.choose(self.session(request), self.drawn(number, values), values)

    def on_another(self, request: gr.Request, *values: Any) -> list[Any]:
        number = random.randrange(10_000)
        return [number, *self.choose(self.session(request), self.drawn(number, values), values)]

    def on_pick(self, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
        name = str(event._data.get("name"))
        picker = sent(events.picker_message(name))
        return [picker, *self.choose(self.session(request), lambda: targets.example(name), values)]

    def on_upload(self, request: gr.Request, path: str, *values: Any) -> list[Any]:
        session = self.session(request)
        session.photo = None
        shown = self.choose(session, lambda: events.upload(session, path, values[0]), values)
        return [sent(events.photo_message(session.photo)), *shown]

    def on_crop(self, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
        session = self.session(request)
        return self.choose(session, lambda: events.crop(session, event._data.get("box")), values)

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_form(self) -> None:
        form = self.form
        for component in form.fields[1:]:
            component.input(self.on_settings, form.fields, self.note, **QUICK)
        space, (x, x_lr), (z, z_lr) = form.fields[1], form.fields[5:7], form.fields[7:9]
        space.input(self.on_space, form.fields[:2], [z, z_lr], **QUICK)
        x.input(self.on_optimiser, x, x_lr, **QUICK)
        z.input(self.on_optimiser, z, z_lr, **QUICK)
        form.fields[0].input(self.on_model, form.fields[0], [*form.fields, *self.target_outputs], **QUICK)
        form.reset.click(self.on_reset, form.fields[0], [*form.fields, self.note], **QUICK)
        form.card.upload(self.on_card, form.card, [*form.fields, *self.target_outputs], **COMPUTE)
        self.view.restore(self.on_restore, outputs=[*form.fields, *self.target_outputs], **QUICK)

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.models, self.session(request), list(values)))

    def on_model(self, model: str, request: gr.Request) -> list[Any]:
        chosen = events.defaults(self.models, model)
        values = tuple(values_of(chosen))
        return [*self.fill(chosen), *self.choose(self.session(request), self.drawn(0, values), values)]

    def on_space(self, model: str, space: str) -> list[Any]:
        """Each space comes with the optimiser that did best in it on training data."""
        advice = self.models.get(model).advice(space)
        return [advice.name, advice.lr]

    def on_optimiser(self, name: OptimizerName) -> float:
        return DEFAULT_RATES[name]

    def on_reset(self, model: str, request: gr.Request) -> list[Any]:
        chosen = events.defaults(self.models, model)
        return [*self.fill(chosen), sent(events.note(self.models, self.session(request), values_of(chosen)))]

    def on_card(self, data: bytes, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            chosen, shown, sentence = events.load_card(self.models, session, data)
        except UserError as error:
            return [gr.skip()] * (len(self.form.fields) + 2) + [sent({"text": str(error), "level": "error", "query": None})]
        return [*self.fill(chosen), sent(shown), "", sent({"text": sentence, "level": "plain", "query": None})]

    def on_restore(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            chosen, shown = events.restore(session, event._data.get("run"))
        except UserError as error:
            return [gr.skip()] * (len(self.form.fields) + 2) + [sent({"text": str(error), "level": "error", "query": None})]
        return [*self.fill(chosen), sent(shown), "", sent(events.note(self.models, session, values_of(chosen)))]

    # --- the run --------------------------------------------------------------------------------------------

    def wire_run(self, status: gr.HTML, download: gr.DownloadButton) -> None:
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        begun = view.run(self.on_run, self.form.fields, view, **COMPUTE, **progress)
        further = view.more(self.on_more, outputs=view, **COMPUTE, **progress)
        for event in (begun, further):
            event.then(self.on_settings, self.form.fields, self.note, **QUICK)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, further], **QUICK)
        view.export(self.on_export, outputs=[download, self.view], **COMPUTE, **progress).success(None, js=_CLICK)

    def on_run(self, request: gr.Request, *values: Any) -> Iterator[str]:
        for message in events.run(self.models, self.session(request), list(values)):
            yield sent(message)

    def on_more(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        for message in events.more(self.session(request), event._data.get("steps")):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.session(request).stop()

    def on_export(self, request: gr.Request) -> list[Any]:
        try:
            return [str(events.export(self.session(request))), sent({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]
