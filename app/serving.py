"""Serving the app: whether its address can be had, which is asked before anything is loaded, and a clean end."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from landscape_core.errors import UserError, reason

if TYPE_CHECKING:
    import gradio as gr


def check_address(host: str, port: int) -> None:
    """Make sure that the port (0: any) of a host can be listened on.

    Raises:
        UserError: there is no such host here, or the port is taken or not allowed.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        known = "127.0.0.1 is this machine, 0.0.0.0 lets others in"
        raise UserError(f"There is no host {host!r} ({reason(error)}); {known}.") from error
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":  # a port that was in use a moment ago is free, as the server will see it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            free = "choose another with --port, or --port 0 for any that is free"
            raise UserError(f"Port {port} of {host} cannot be listened on ({reason(error)}); {free}.") from error


def is_here(host: str) -> bool:
    """Whether only this machine reaches what listens on a host, which `check_address` has found."""
    return ipaddress.ip_address(socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0][4][0]).is_loopback


class Stop(BaseException):
    """Ctrl-C or SIGTERM, wherever the main thread is."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM end what is inside with a `Stop`, once; a second one ends the process there and then."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: os._exit(130))
        raise Stop

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    yield


def serve(demo: gr.Blocks, options: dict[str, Any]) -> None:
    """Serve until stopped. A run that goes on is not continued; its visitor's page is told that the connection is lost."""
    try:
        demo.launch(**options, prevent_thread_lock=True)
        while demo.server.thread.is_alive():
            time.sleep(0.2)
    finally:
        demo.close(verbose=False)


def leave(status: int) -> None:
    """End the process at once: a step that is still computed in a thread would abort the interpreter on its way out."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
