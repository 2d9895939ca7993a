"""An address that cannot be served at is one sentence, before anything is loaded."""

from __future__ import annotations

import socket

import pytest

from app.serving import check_address
from landscape_core.errors import UserError


def test_a_port_in_use_and_a_host_that_is_none_are_sentences() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = rf"Port {port} of 127.0.0.1 cannot be listened on \(address already in use\); .*--port 0"
        with pytest.raises(UserError, match=words):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", port)
    check_address("127.0.0.1", 0)
    for host in ("no.such.host.invalid", "a" * 300, "..", "\x00"):
        with pytest.raises(UserError, match="There is no host"):
            check_address(host, 0)
    with pytest.raises(UserError, match="cannot be listened on"):
        check_address("192.0.2.1", 0)  # an address of documentation, no machine's
