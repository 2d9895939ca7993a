"""The Complete tab: paint what is hidden, and see K pictures that fit the rest, in X and in Z. Layout and wiring only."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio.components import Component

from app import complete_events as events
from app import invert_events, targets
from app.form import space_choices
from app.invert import COMPUTE, QUICK, InvertTab, _missed
from app.invert_target import TargetPanel, build_target
from app.models import Models
from app.session import Picked, Session, Sessions
from app.views.gallery import gallery_view
from app.views.painter import painter_view
from app.views.view import sent
from landscape_core.errors import UserError

_K = "How many completions, each from its own random start. All of them are computed as one batch."
_SPACE = "Z is descended through a learned mapping x = Θ(z). X is always the input of the model itself."


def build_complete(demo: gr.Blocks, tab: gr.Tab, models: Models, invert: Sessions) -> None:
    """Lay the tab out inside the current container and wire it; `invert` are the sessions of the Invert tab."""
    sessions = Sessions()
    with gr.Row(elem_classes="invert complete"):
        with gr.Column(elem_classes="card target-card"):
            panel = _own_ids(build_target())
            painter = painter_view()
            said = gr.HTML(elem_id="mask-message", elem_classes="message")
        with gr.Column(elem_classes="card race-card"):
            gallery = gallery_view(_missed(sessions))
            status = gr.HTML(elem_id="complete-status")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Completions</h2>")
            fields = _build_form(models)
    made = CompleteTab(models, sessions, invert, fields, panel, painter, said)
    made.wire_target()
    made.wire_complete(demo, tab)
    made.wire_gallery(gallery, status)


def _own_ids(panel: TargetPanel) -> TargetPanel:
    """The chooser stands in the Invert tab as well, and an id belongs to one element of a page."""
    for component in (panel.number, panel.another, panel.picker, panel.file, panel.crop, panel.message):
        component.elem_id = f"complete-{component.elem_id}"
    return panel


def _build_form(models: Models) -> list[Component]:
    with gr.Group(elem_classes="fields"):
        choices = [(name.title(), name) for name in models.names]
        first = models.names[0] if models.names else None
        model = gr.Dropdown(choices, value=first, label="Model", visible=len(choices) > 1)
        space = gr.Dropdown([], label="Space Z", info=_SPACE, elem_id="complete-space")
        k = gr.Slider(events.MIN_K, events.MAX_K, 8, step=1, label="Completions", info=_K, elem_id="complete-k", buttons=[])
        steps = gr.Slider(1, events.MAX_STEPS, 50, step=1, label="Steps", elem_id="complete-steps", buttons=[])
        seed = gr.Number(0, label="Seed of the random starts", precision=0, minimum=0, elem_id="complete-seed")
    return [model, space, k, steps, seed]


class CompleteTab(InvertTab):
    """Listeners of the tab. The target is chosen by the Invert tab's own listeners, in a session of this tab."""

    form: Any

    def __init__(
        self, models: Models, sessions: Sessions, invert: Sessions, fields: list[Component], panel: TargetPanel,
        painter: gr.HTML, said: gr.HTML,
    ) -> None:  # fmt: skip
        self.models, self.sessions, self.invert = models, sessions, invert
        self.fields, self.panel, self.painter, self.said = fields, panel, painter, said
        self.form = SimpleNamespace(fields=[fields[0]])
        self.target_outputs = [painter, panel.message, said]
        self.mask = gr.State("")
        self.taken: gr.State = gr.State(None)

    def choose(self, session: Session, make: Callable[[], Picked], values: tuple[Any, ...]) -> list[Any]:
        """Take a picture: painter, message, and what is said of the mask, which stays."""
        _, sentence = invert_events.choose(session, make)
        message = f"<p>{html.escape(sentence)}</p>" if sentence else ""
        shown = sent(events.painter_message(session.target)) if session.target else gr.skip()
        return [shown, message, gr.skip()]

    def wire_complete(self, demo: gr.Blocks, tab: gr.Tab) -> None:
        model, space = self.fields[:2]
        tab.select(self.on_open, [*self.fields[:2], self.taken], [space, self.painter, self.panel.message, self.taken], **QUICK)
        model.input(self.on_model_chosen, model, [space, *self.target_outputs], **QUICK)
        self.painter.paint(self.on_paint, outputs=[self.mask, self.said], **QUICK)

        def leave(request: gr.Request) -> None:
            self.sessions.drop(request.session_hash)

        demo.unload(leave)

    def on_open(self, request: gr.Request, model: str, space: str | None, taken: str | None) -> list[Any]:
        """Take over the Invert tab's target where it was changed since this tab last did."""
        session, other = self.session(request), self.invert.get(request.session_hash).target
        mark = str(id(other.picture)) if other else None
        try:
            spaces = list(self.models.get(model).mappings)
            if other is not None and (mark != taken or session.target is None):
                session.target = other
            elif session.target is None:
                session.target = targets.drawn(self.models.get(model), 0)
        except UserError as error:
            return [gr.skip(), gr.skip(), f"<p>{html.escape(str(error))}</p>", taken]
        chosen = gr.update(choices=space_choices(spaces), value=space if space in spaces else spaces[0])
        return [chosen, sent(events.painter_message(session.target)), "", mark]

    def on_model_chosen(self, model: str, request: gr.Request) -> list[Any]:
        spaces = list(self.models.get(model).mappings)
        chosen = gr.update(choices=space_choices(spaces), value=spaces[0])
        return [chosen, *self.choose(self.session(request), self.drawn(0, (model,)), (model,))]

    def on_paint(self, event: gr.EventData) -> list[Any]:
        mask = event._data.get("mask")
        sentence = events.mask_sentence(mask)
        return [mask, f"<p>{html.escape(sentence)}</p>" if sentence else ""]

    # --- the run --------------------------------------------------------------------------------------------

    def wire_gallery(self, gallery: gr.HTML, status: gr.HTML) -> None:
        progress = {"show_progress": "full", "show_progress_on": status}
        begun = gallery.run(self.on_complete, [self.mask, *self.fields], gallery, **COMPUTE, **progress)
        gallery.stop(self.on_stop, **QUICK)
        gallery.cancel(self.on_stop, cancels=[begun], **QUICK)
        race, tabs = _found("race"), _found("tabs")
        gallery.send(self.on_send, outputs=[race, tabs, self.panel.message], **QUICK)

    def on_complete(self, request: gr.Request, mask: str, *values: Any) -> Iterator[str]:
        for message in events.run(self.models, self.session(request), mask, list(values)):
            yield sent(message)

    def on_send(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        other = self.invert.get(request.session_hash)
        shown, sentence = events.send_on(self.session(request), other, dict(event._data))
        if shown is None:
            return [gr.skip(), gr.skip(), f"<p>{html.escape(sentence)}</p>"]
        return [sent(shown), gr.Tabs(selected="invert"), ""]


def _found(elem_id: str) -> Any:
    """A component of the page that another tab made."""
    blocks = gr.context.Context.root_block
    assert blocks is not None
    return next(block for block in blocks.blocks.values() if block.elem_id == elem_id)
