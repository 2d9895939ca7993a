"""The Playground tab: F's of two inputs, whose Θ is trained before one's eyes. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.playground import run
from app.playground.session import Play
from app.runs.jobs import Jobs
from app.runs.legs import with_errors
from app.runs.session import Message
from app.scratch import exported
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import COMPUTE, EXPORT, QUICK, data_of, missed, offer, press, unseen_download
from landscape_core.errors import UserError

NAME = "Playground"
EVENTS = (
    "open", "train", "stop", "cancel", "rewind", "aim", "start", "search", "measure", "basins", "export", "replay",
)  # fmt: skip
Work = Callable[[Play, dict[str, Any]], Iterator[Message]]


def build(page: Page) -> None:
    """Lay the tab out inside the current container and wire it."""
    plays = Jobs(Play)
    view = playground_view(missed(plays))
    status = gr.HTML(elem_id="playground-status")
    download = unseen_download("playground-file")
    PlaygroundTab(plays, view).wire(status, download)
    page.opens(NAME, lambda *_: {}, [])  # its view takes the settings itself

    def leave(request: gr.Request) -> None:
        plays.drop(request.session_hash)

    page.demo.unload(leave)


class PlaygroundTab:
    """Listeners of the tab. Each finds the visitor's training and hands on to `run`."""

    def __init__(self, plays: Jobs[Play], view: gr.HTML) -> None:
        self.plays, self.view = plays, view

    def wire(self, status: gr.HTML, download: gr.DownloadButton) -> None:
        view, outputs = self.view, {"outputs": self.view}
        progress = {"show_progress": "full", "show_progress_on": status}
        heavy, quick = COMPUTE | progress | outputs, QUICK | outputs
        view.open(self.on_open, **quick)
        view.rewind(self.at_once(lambda play, asked: run.rewind(play, asked.get("buffer"))), **quick)
        view.aim(self.at_once(lambda play, asked: run.aim(play, asked.get("place"))), **quick)
        view.start(self.at_once(lambda play, asked: run.begin_at(play, asked.get("place"))), **quick)
        view.search(self.at_once(run.search_with), **quick)
        view.stop(self.on_stop, **QUICK)
        waiting = [
            view.train(self.streamed(_train), **heavy),
            view.measure(self.streamed(lambda play, _: run.measure(play)), **heavy),
            view.basins(self.streamed(lambda play, _: run.map_basins(play)), **heavy),
            view.replay(self.on_replay, **heavy),
        ]
        view.cancel(self.on_stop, cancels=waiting, **QUICK)
        made = view.export(self.on_export, outputs=[download, view], **EXPORT, **progress)
        made.success(None, js=press(download))

    def streamed(self, work: Work) -> Callable[[gr.EventData, gr.Request], Iterator[str]]:
        """A listener that does `work` on the visitor's training and sends each message as it comes."""

        def listener(event: gr.EventData, request: gr.Request) -> Iterator[str]:
            yield from map(_told, with_errors(lambda: work(self.play(request), data_of(event))))

        return listener

    def at_once(self, work: Work) -> Callable[[gr.EventData, gr.Request], str]:
        """The same for what is done at once, outside the queue: all messages in one."""

        def listener(event: gr.EventData, request: gr.Request) -> str:
            return _told(*with_errors(lambda: work(self.play(request), data_of(event))))

        return listener

    def play(self, request: gr.Request) -> Play:
        """The visitor's training.

        Raises:
            UserError: it was dropped for those of others.
        """
        play = self.plays.latest(request.session_hash)
        if play is None:
            raise UserError("The server no longer holds this training; reload the page to begin again.")
        return play

    def on_open(self, event: gr.EventData, request: gr.Request) -> str:
        asked, key = data_of(event), request.session_hash
        opened = run.opened_first if asked.get("first") else run.opened
        return _told(*with_errors(lambda: opened(lambda: self.plays.begin(key), asked.get("settings"), asked.get("y"))))

    def on_replay(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        card, key = str(data_of(event).get("card")), request.session_hash
        yield from map(_told, with_errors(lambda: run.replay(lambda: self.plays.begin(key), card)))

    def on_stop(self, request: gr.Request) -> None:
        self.plays.get(request.session_hash).stop()

    def on_export(self, request: gr.Request) -> list[Any]:
        try:
            return [offer(exported(lambda: run.export(self.play(request)))), _told({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), _told({"kind": "error", "text": str(error)})]


def _train(play: Play, asked: dict[str, Any]) -> Iterator[Message]:
    return run.train(play, one_phase=bool(asked.get("phase")), slow=bool(asked.get("slow")))


def _told(*messages: Message) -> str:
    return sent({"messages": messages})


def playground_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "playground") -> gr.HTML:
    """It takes the messages of `app.playground.run` and emits: open {settings, y, first}, train {phase, slow}, stop, cancel
    (while queued), rewind {buffer}, aim {place}, start {place}, search {optimizer, x_rate, z_rate, limit}, measure, basins,
    export, replay {card}. `missed` is called with [run id, first number] for messages that were lost.
    """
    return view("playground/playground", EVENTS, elem_id=elem_id, server_functions=[missed])
