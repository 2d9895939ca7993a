"""Whether the app can be served at an address: asked before anything is loaded, so that the answer is one sentence."""

from __future__ import annotations

import os
import socket

from landscape_core.errors import UserError, reason


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
