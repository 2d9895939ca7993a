"""An app served for browser tests, on a port of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving(demo: Any) -> Iterator[str]:
    """The address at which it is served meanwhile."""
    from app.ui import launch_options

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    _, url, _ = demo.launch(**launch_options(port=port), prevent_thread_lock=True, quiet=True)
    yield url
    demo.close(verbose=False)
