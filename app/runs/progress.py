"""Work that cannot be taken apart, done in a thread so that its progress can be told while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from app.runs.session import Message

Result = TypeVar("Result")
INTERVAL = 0.25


def reporting(
    work: Callable[[Callable[..., bool]], Result],
    say: Callable[..., Message],
    stop: Callable[[], bool],
    *,
    every: float = INTERVAL,
) -> Generator[Message, None, Result]:
    """Yields `say(...)` of what `work` last told its tick, every so many seconds; returns the result of `work`
    (`result = yield from reporting(...)`).

    The tick answers whether to stop: when `stop()` says so, or when nobody listens any longer. What `work` raises is
    raised here.
    """
    latest: list[tuple[Any, ...]] = []
    abandoned = threading.Event()

    def tick(*progress: Any) -> bool:
        latest[:] = [progress]
        return abandoned.is_set() or stop()

    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(work, tick)
        try:
            while doing not in wait([doing], timeout=every).done:
                if latest:
                    yield say(*latest[0])
            return doing.result()
        finally:
            abandoned.set()
