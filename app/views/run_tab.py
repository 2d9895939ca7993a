"""The base of every tab with a run: its session, the buttons of its view, and the settings that follow each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import gradio as gr

from app.runs import lanes
from app.runs.cards import LOADED
from app.runs.lanes import COLUMNS, ROWS, column_field
from app.runs.legs import with_errors
from app.runs.models import Models
from app.runs.session import Message, Session, Visitors, going
from app.scratch import exported, together
from app.views.form import Form, space_choices, table_updates
from app.views.page import Page
from app.views.view import sent
from app.views.wiring import COMPUTE, EXPORT, LATEST, QUICK, SHORT, data_of, enclosing_tab, offer, press
from landscape_core.errors import UserError
from landscape_core.search.spaces import Start

LET_GO = "The server had to make room and let go of what this page had here, which had rested longest."

S = TypeVar("S", bound=Session[Any, Any])


class RunTab(Generic[S]):
    """Listeners of a tab. Each finds the visitor's session, reads the form by name, and hands on to the tab's `run.py`.

    Subclasses define `start(session, values, data)` (`data` is what the view sent with Run), `resume(session, steps)` and
    `export(session)`; all three may raise a UserError. Outputs of an event are given by component; the others stay.
    """

    name: str
    view: gr.HTML
    form: Form

    def __init__(self, page: Page, models: Models, sessions: Visitors[S]) -> None:
        self.page, self.models, self.sessions = page, models, sessions

    def session(self, request: gr.Request) -> S:
        return self.sessions.get(request.session_hash)

    def start(self, session: S, values: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Message]:
        """Begin a run with the form's values."""
        raise NotImplementedError

    def resume(self, session: S, steps: Any) -> Iterator[Message]:
        """Go on with the run that stands."""
        raise NotImplementedError

    def export(self, session: S) -> Path:
        """Write the run that stands to a file."""
        raise NotImplementedError

    # --- the run --------------------------------------------------------------------------------------------

    def wire_run(self, status: gr.HTML, download: gr.DownloadButton, *, after: Callable[[Any], None] = lambda _: None) -> None:
        """Listen to the view's buttons; `status` shows the queue, `after` is called with every event that took steps."""
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        self.download = download
        begun = view.run(self.on_run, self.form.components, view, **COMPUTE, **progress)
        further = view.more(self.on_more, outputs=view, **COMPUTE, **progress)
        after(begun)
        after(further)
        again = view.again(self.on_repeat, outputs=[download, view], **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, further, again], **QUICK)
        made = view.export(self.on_export, outputs=[download, view], **EXPORT, **progress)
        for file in (made, again):
            file.success(None, js=press(download))

        def leave(request: gr.Request) -> None:
            self.sessions.drop(request.session_hash)

        self.page.demo.unload(leave)

    def wire_cards(self, upload: gr.UploadButton, outputs: Sequence[Any]) -> None:
        """Settings come back from a run card, and from a run that the page has kept, by that run's card."""
        upload.upload(self.on_card_file, [upload, *self.form.components], outputs, **SHORT)
        self.view.restore(self.on_restore, self.form.components, outputs, **SHORT)

    def on_card_file(self, request: gr.Request, data: bytes, *values: Any) -> dict[Any, Any]:
        return self.taken_up(request, data, LOADED, None, values)

    def on_restore(self, request: gr.Request, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        asked = data_of(event)
        said = f"The settings of run {str(asked.get('number'))[:9]} are taken up"
        return self.taken_up(request, str(asked.get("card")).encode(), said, asked.get("origin"), values)

    def taken_up(self, request: gr.Request, data: bytes, said: str, origin: Any, values: Sequence[Any]) -> dict[Any, Any]:
        """Settings and target of a run card in the form, with a sentence that begins with what is `said`; `origin` is what the
        page knows of the target, None for a card that was uploaded. `values` are the form's present ones."""
        raise NotImplementedError

    def wire_landscape(self) -> None:
        """The view's Landscape button opens that tab on this one's run."""
        page = self.page
        self.view.landscape(lambda: page.landscape_of(self.name), outputs=[page.tabs, page.source], **QUICK)

    def on_run(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[str]:
        session, data = self.session(request), data_of(event)
        session.number_next(data.get("number"))
        yield from self.messages(request, lambda: self.start(session, self.form.read(values), data))

    def on_more(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        session = self.session(request)
        yield from self.messages(request, lambda: self.resume(session, data_of(event).get("steps")))

    def messages(self, request: gr.Request, begin: Callable[[], Iterator[Message]]) -> Iterator[str]:
        """What the view is sent; with a mistake that is none, but that the server had to forget, the reason is told."""
        for message in with_errors(begin):
            yield sent({**message, "text": self.explained(request, message["text"])} if message["kind"] == "error" else message)

    def explained(self, request: gr.Request, sentence: str) -> str:
        return f"{LET_GO} {sentence}" if self.sessions.was_let_go(request.session_hash) else sentence

    def by_card(self, session: S, data: bytes) -> Iterator[Message]:
        """Begin the run of a card."""
        raise NotImplementedError

    def on_repeat(self, event: gr.EventData, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """Runs that the page has kept and the server has not are exported: each is taken again, by its card."""
        session, runs = self.session(request), data_of(event).get("runs")
        try:
            paths = []
            for each in [one for one in runs if isinstance(one, dict)] if isinstance(runs, list) else []:
                session.again = again = self.sessions.fresh()
                number = each.get("number")
                again.number_next(number)
                for message in self.by_card(again, str(each.get("card")).encode()):
                    if message["kind"] == "frames":
                        said = f"Run {str(number)[:9]} is taken again for its export: step {message['steps'][-1]}…"
                        yield {self.view: sent({"kind": "again", "text": said})}
                if again.run is None or again.run.stop.is_set():
                    raise UserError("Stopped; nothing was exported.")
                paths.append(exported(partial(self.export, again)))
            yield {self.download: offer(together(paths)), self.view: sent({"kind": "exported"})}
        except UserError as error:
            yield {self.view: sent({"kind": "error", "text": str(error)})}
        finally:
            session.again = None

    def on_stop(self, request: gr.Request) -> None:
        self.session(request).stop()

    def on_export(self, request: gr.Request) -> dict[Any, Any]:
        try:
            session = self.session(request)
            if going(session):
                raise UserError("The run is still going; stop it or wait for its end, and export it then.")
            return {self.download: offer(exported(lambda: self.export(session))), self.view: sent({"kind": "exported"})}
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": self.explained(request, str(error))})}

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_table(self, model: str = "model") -> None:
        """Every lane comes with the best settings known for its space, its optimiser and where it starts."""
        form = self.form
        table = [form[name] for name in lanes.FIELDS]
        for name in ("space", "start", *map(column_field, COLUMNS)):
            if name in form:
                form[name].input(partial(self.on_table, name), form.components, table, **LATEST)

    def wire_spaces(self) -> None:
        """A Θ that was trained meanwhile is among the spaces when the tab is opened."""
        enclosing_tab().select(self.on_shown, self.form["model"], self.form["space"], **QUICK)

    def on_shown(self, model: str) -> Any:
        try:
            return gr.update(choices=space_choices(list(self.models.get(model).mappings)))
        except UserError:
            return gr.skip()  # the model's files are damaged, which is said where it is chosen

    def on_table(self, changed: str, *values: Any) -> dict[Any, Any]:
        """A column's optimiser, the learned space or the start was changed: the settings of its lanes follow."""
        now = self.form.read(values)
        task = self.models.get(now["model"])
        columns = [column for column in COLUMNS if changed in ("space", "start", column_field(column))]
        rows = ROWS if changed != "space" else ("Z",)
        names = {column: now[column_field(column)] for column in columns}
        known = lanes.advised(task, now["space"], names, self.start_of(now), rows)
        updates = table_updates(now | known, task.optimizers(now["space"]))
        return self.form.filled({name: updates[name] for name in lanes.FIELDS})

    def start_of(self, values: Mapping[str, Any]) -> Start:
        """Where the form's lanes start."""
        start: Start = values.get("start", "mean")
        return start

    def filled(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        """The form's values, with the spaces and optimisers that the chosen model has."""
        task = self.models.get(values["model"])
        space = values["space"] if values["space"] in task.mappings else next(iter(task.mappings))  # no lane may search one
        spaces = gr.update(choices=space_choices(list(task.mappings)), value=space)
        names = {column: values[column_field(column)] for column in COLUMNS}
        known = lanes.advised(task, space, names, self.start_of(values))
        off = {
            name: value for name, value in known.items() if name[:2] not in values[lanes.LANES]
        }  # no run says what these are
        return self.form.filled({**table_updates({**values, **off}, task.optimizers(space)), "space": spaces})
