"""Which events are let in: those of pages that the server knows, and of each page no more than its share of the queue.

A page is known from its load event until it is closed, which Gradio sees by the end of its heartbeat.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import limits
from app.guard import refusal

HEARTBEAT = "/gradio_api/heartbeat/"
QUEUE, EVENTS = "/queue/join", ("/queue/join", "/run/predict", "/api/predict", "/component_server")
LOOKING_SECONDS = 0.2
UNKNOWN = "The server no longer knows this page: it was restarted, or other pages needed the room. Reload the page."


class Admission:
    """Stands behind `app.guard.Guard`, which has limited the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._loading: list[str] = []  # pages that Gradio has not heard of yet
        self._closed: set[str] = set()  # pages that something still goes on for
        self._from: dict[str, str] = {}  # where pages were opened from, the oldest first; of other machines alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").rstrip("/")
        if scope["type"] == "http" and path.startswith(HEARTBEAT):
            await self.app(scope, receive, send)
            await self.forget(scope["app"].get_blocks(), path.removeprefix(HEARTBEAT))
            return
        if scope["type"] != "http" or scope["method"] != "POST" or not path.endswith(EVENTS):
            await self.app(scope, receive, send)
            return
        body = await whole(receive)
        try:
            asked = json.loads(body)
            page, event = str(asked["session_hash"]), asked.get("fn_index")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            await refusal(400, "The body is not an event of this app's page.")(scope, receive, send)
            return
        blocks = scope["app"].get_blocks()
        function: Any = blocks.fns.get(event) if isinstance(event, int) else None
        triggers = {name for _, name in function.targets} if function is not None else set()
        if "load" in triggers:
            self._closed.discard(page)
            self._loading.append(page)
            self.make_room(blocks, page, scope)
            try:
                await self.app(scope, replayed(body, receive), send)
            finally:
                self._loading.remove(page)
        elif page not in self._loading and (page in self._closed or page not in blocks.state_holder):
            # A tab is also shown where a page is just opened, perhaps before its load event is here: then nothing changes.
            shown = function is not None and "select" in triggers
            answer = (
                JSONResponse({"data": [{"__type__": "update"}] * len(function.outputs)}) if shown else refusal(410, UNKNOWN)
            )
            await answer(scope, receive, send)
        elif path.endswith(QUEUE) and pending(blocks, page) >= limits.WAITING_A_PAGE:
            await _busy("This page", limits.WAITING_A_PAGE)(scope, receive, send)
        elif path.endswith(QUEUE) and self.crowded(blocks, page):
            await _busy("Your address", limits.WAITING_AN_ADDRESS)(scope, receive, send)
        else:
            await self.app(scope, replayed(body, receive), send)

    def make_room(self, blocks: Any, page: str, scope: Scope) -> None:
        """Note where a page is opened from. An address with more pages than its share lets go of its own oldest."""
        self._from = {each: place for each, place in self._from.items() if each in blocks.state_holder}
        place = str((scope.get("client") or ("",))[0])
        if is_elsewhere(place):
            self._from[page] = place
        for surplus in self.pages_with(page)[: -limits.PAGES_AN_ADDRESS]:
            self._from.pop(surplus)
            blocks.state_holder.session_data.pop(surplus, None)

    def pages_with(self, page: str) -> list[str]:
        """The pages from the same address, itself among them, the oldest first; none of this machine."""
        return [each for each, place in self._from.items() if place == self._from.get(page)]

    def crowded(self, blocks: Any, page: str) -> bool:
        """Whether the page's address has its share of the queue already."""
        return sum(pending(blocks, each) for each in self.pages_with(page)) >= limits.WAITING_AN_ADDRESS

    async def forget(self, blocks: Any, page: str) -> None:
        """What Gradio keeps of a page goes with the page, but not before its last event: each step of a run would make it
        anew. Gradio itself would keep it for an hour and longer."""
        self._closed.add(page)
        while pending(blocks, page):
            await asyncio.sleep(LOOKING_SECONDS)
        if page in self._closed:  # and not opened again
            self._closed.remove(page)
            blocks.state_holder.session_data.pop(page, None)


def _busy(whose: str, most: int) -> JSONResponse:
    return refusal(429, f"{whose} has {most} things waiting or running already; wait for one of them to end.")


def is_elsewhere(address: str) -> bool:
    """Whether that is another machine's address. Behind a proxy on this one, its word for the visitor's counts."""
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def pending(blocks: Any, page: str) -> int:
    """How many events of a page wait or run."""
    queue = blocks._queue
    waiting = (event for each in queue.event_queue_per_concurrency_id.values() for event in each.queue)
    running = (event for job in queue.active_jobs if job is not None for event in job)
    return sum(event.session_hash == page for event in (*waiting, *running))


async def whole(receive: Receive) -> bytes:
    """The body of a request."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read again; what comes after it as it comes."""
    bodies: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return bodies.pop() if bodies else await receive()

    return again
