"""Work that reports as it goes: its progress is streamed, its result and its error come back, and it can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.runs.progress import reporting
from landscape_core.errors import UserError

Message = dict[str, Any]


def collected(working: Iterator[Message]) -> tuple[list[Message], Any]:
    said = []
    while True:
        try:
            said.append(next(working))
        except StopIteration as over:
            return said, over.value


def test_progress_is_told_while_work_goes_on_and_its_result_comes_back() -> None:
    import threading

    going = threading.Event()

    def work(tick: Callable[..., bool]) -> str:
        tick(1, 2)
        going.wait(10)
        return "done"

    working = reporting(work, lambda done, total: {"done": done, "total": total}, lambda: False, every=0.01)
    assert next(working) == {"done": 1, "total": 2}
    going.set()
    assert collected(working)[1] == "done"


def test_work_is_told_to_stop_and_its_error_is_raised() -> None:
    def work(tick: Callable[..., bool]) -> None:
        if tick():
            raise UserError("stopped as asked")

    with pytest.raises(UserError, match="as asked"):
        collected(reporting(work, dict, lambda: True))


def test_work_that_nobody_listens_to_is_stopped() -> None:
    import time

    ended = []

    def work(tick: Callable[..., bool]) -> None:
        while not tick():
            time.sleep(0.001)
        ended.append(True)

    working = reporting(work, dict, lambda: False, every=0.01)
    next(working)
    working.close()
    assert ended == [True]
