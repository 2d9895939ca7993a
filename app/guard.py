"""What every request has to pass before anything of it is read: whom it is for, where it is from, its type and its size."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import limits

API = "/gradio_api/"
UPLOAD = "/upload"
READING = ("GET", "HEAD", "OPTIONS")
ELSEWHERE = ("cross-site", "same-site")  # another port of this machine is another page all the same


class Guard:
    """Refuses in a sentence what no page of this app would send.

    `names` are host names by which the server may be called, beside localhost, this machine's name and any IP address. A
    page of another site that has its own name lead here (DNS rebinding) calls it by that name and is refused.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self.app = app
        self.names = {name.lower().rstrip(".") for name in ("localhost", socket.gethostname(), *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"].rstrip("/")
        writes = scope["method"] not in READING
        try:
            self.check_host(headers)
            if writes or path.startswith(API):
                check_origin(headers)
            if writes:
                check_type(headers, path)
                receive = limited(headers, path, receive)
            await self.app(scope, receive, send)
        except HTTPException as refused:
            await refusal(refused.status_code, refused.detail)(scope, receive, send)

    def check_host(self, headers: Headers) -> None:
        """Raises HTTPException 421 where the server is called by a name that is not its own."""
        host = name_of("//" + headers.get("host", ""))
        if host not in self.names and not is_address(host):
            raise HTTPException(421, f"This server is not called {host[:80]!r}; name it with --name where it should be.")


def refusal(status: int, sentence: str) -> JSONResponse:
    """A refusal as Gradio's frontend reads it, whatever it had asked for; what is left of the body is not read."""
    return JSONResponse({"detail": sentence, "error": sentence}, status, {"connection": "close"})


def check_origin(headers: Headers) -> None:
    """Raises HTTPException 403 for what a page of another origin sent. A program that is no browser sends no origin."""
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    if foreign or headers.get("sec-fetch-site") in ELSEWHERE:
        raise HTTPException(403, "Only this app's own page may ask for that.")


def check_type(headers: Headers, path: str) -> None:
    """Raises HTTPException 415 for a body that a foreign page could send without being asked for leave first."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    wanted = "multipart/form-data" if path.endswith(UPLOAD) else "application/json"
    if kind != wanted:
        raise HTTPException(415, f"The body must be {wanted}.")


def limited(headers: Headers, path: str, receive: Receive) -> Receive:
    """The body, of which no more is read than the limit.

    Raises:
        HTTPException: 413, at once where the size is told, else when the limit is passed.
    """
    upload = path.endswith(UPLOAD)
    most = limits.UPLOAD_BODY if upload else limits.JSON_BODY
    told = headers.get("content-length", "")
    if told.isdecimal() and int(told) > most:
        raise HTTPException(413, _too_large(most))
    parts = Parts(headers) if upload else None
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        body = message.get("body", b"")
        read += len(body)
        if read > most:
            raise HTTPException(413, _too_large(most))
        if parts is not None and parts.seen(body) > limits.UPLOAD_FILES:
            raise HTTPException(413, f"At most {limits.UPLOAD_FILES} files are taken at once.")
        return message

    return counted


class Parts:
    """Counts the parts of a multipart body by their boundaries, wherever the pieces it comes in are cut."""

    def __init__(self, headers: Headers) -> None:
        border = parse_options_header(headers.get("content-type", ""))[1].get(b"boundary", b"")
        self._border, self._tail, self._count = b"--" + border, b"", 0

    def seen(self, body: bytes) -> int:
        """How many parts were begun up to the end of this piece."""
        whole = self._tail + body
        self._count += whole.count(self._border)
        end = whole.rfind(self._border) + len(self._border) if self._border in whole else 0
        self._tail = whole[max(end, len(whole) - len(self._border) + 1) :]
        return self._count - 1  # the last boundary begins none


def name_of(url: str) -> str:
    """The host of an address without its port, in small letters; nothing where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_address(host: str) -> bool:
    """Whether that is an IP address, which no other site can have for a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _too_large(most: int) -> str:
    return f"The request is too large; at most {most // limits.MB} MB are taken."
