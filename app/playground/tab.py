"""The Playground tab: F's of two inputs, whose Θ is trained before one's eyes. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.playground import run
from app.playground.session import Play
from app.runs.latest import Latest
from app.runs.legs import Message
from app.views.view import sent, view
from app.views.wiring import COMPUTE, QUICK, click, missed
from landscape_core.errors import UserError

NAME = "Playground"
EVENTS = (
    "open", "train", "stop", "rewind", "aim", "start", "search", "measure", "basins", "export", "replay",
)  # fmt: skip
Work = Callable[[Play, dict[str, Any]], Iterator[Message]]


def build_playground(demo: gr.Blocks) -> None:
    """Lay the tab out inside the current container and wire it."""
    plays = Latest(Play)
    page = playground_view(missed(plays))
    status = gr.HTML(elem_id="playground-status")
    download = gr.DownloadButton("download", elem_id="playground-file")
    PlaygroundTab(plays, page).wire(status, download)

    def leave(request: gr.Request) -> None:
        plays.drop(request.session_hash)

    demo.unload(leave)


class PlaygroundTab:
    """Listeners of the tab. Each finds the visitor's training and hands on to `run`."""

    def __init__(self, plays: Latest[Play], page: gr.HTML) -> None:
        self.plays, self.page = plays, page

    def wire(self, status: gr.HTML, download: gr.DownloadButton) -> None:
        page, outputs = self.page, {"outputs": self.page}
        heavy = COMPUTE | outputs | {"show_progress": "full", "show_progress_on": status}
        page.open(self.on_open, **QUICK, **outputs)
        page.train(self.working(_train), **heavy)
        page.measure(self.working(lambda play, _: run.measure(play)), **heavy)
        page.basins(self.working(lambda play, _: run.map_basins(play)), **heavy)
        page.replay(self.on_replay, **heavy)
        page.rewind(self.quick(lambda play, asked: run.rewind(play, asked.get("buffer"))), **QUICK, **outputs)
        page.aim(self.quick(lambda play, asked: run.aim(play, asked.get("place"))), **QUICK, **outputs)
        page.start(self.quick(lambda play, asked: run.begin_at(play, asked.get("place"))), **QUICK, **outputs)
        page.search(self.quick(run.search_with), **QUICK, **outputs)
        page.stop(self.on_stop, **QUICK)
        exported = page.export(
            self.on_export, outputs=[download, page], **COMPUTE, show_progress="full", show_progress_on=status
        )
        exported.success(None, js=click("playground-file"))

    def working(self, work: Work) -> Callable[[gr.EventData, gr.Request], Iterator[str]]:
        """A listener that does `work` on the visitor's training and sends on what it tells."""

        def listener(event: gr.EventData, request: gr.Request) -> Iterator[str]:
            play = self.plays.get(request.session_hash)
            yield from _sent(run.gone() if play is None else work(play, _asked(event)))

        return listener

    def quick(self, work: Work) -> Callable[[gr.EventData, gr.Request], str]:
        """The same for what is done at once, outside the queue: all it tells in one piece."""

        def listener(event: gr.EventData, request: gr.Request) -> str:
            play = self.plays.get(request.session_hash)
            return _together(run.gone() if play is None else work(play, _asked(event)))

        return listener

    def on_open(self, event: gr.EventData, request: gr.Request) -> str:
        asked = _asked(event)
        return _together(run.opened(lambda: self.plays.begin(request.session_hash), asked.get("settings"), asked.get("y")))

    def on_replay(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        yield from _sent(run.replay(lambda: self.plays.begin(request.session_hash), str(_asked(event).get("card"))))

    def on_stop(self, request: gr.Request) -> None:
        self.plays.stop(request.session_hash)

    def on_export(self, request: gr.Request) -> list[Any]:
        play = self.plays.get(request.session_hash)
        try:
            if play is None:
                raise UserError(run.GONE)
            return [str(run.export(play)), _told({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), _told({"kind": "error", "text": str(error)})]


def _train(play: Play, asked: dict[str, Any]) -> Iterator[Message]:
    return run.train(play, one_phase=bool(asked.get("phase")), slow=bool(asked.get("slow")))


def _asked(event: gr.EventData) -> dict[str, Any]:
    return event._data if isinstance(event._data, dict) else {}


def _sent(messages: Iterator[Message]) -> Iterator[str]:
    """Messages as the view takes them; a user's mistake becomes the last one."""
    try:
        for message in messages:
            yield _told(message)
    except UserError as error:
        yield _told({"kind": "error", "text": str(error)})


def _together(messages: Iterator[Message]) -> str:
    """All messages of a short piece of work in one."""
    told: list[Message] = []
    try:
        told.extend(messages)
    except UserError as error:
        told.append({"kind": "error", "text": str(error)})
    return _told(*told)


def _told(*messages: Message) -> str:
    return sent({"messages": messages})


def playground_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "playground") -> gr.HTML:
    """It takes the messages of `app.playground.run` and emits: open {settings, y}, train {phase, slow}, stop, rewind {buffer},
    aim {place}, start {place}, search {optimizer, x_rate, z_rate, limit}, measure, basins, export, replay {card}. `missed` is
    called with [run id, first number] for messages that were lost.
    """
    return view("playground/playground", EVENTS, elem_id=elem_id, server_functions=[missed])
