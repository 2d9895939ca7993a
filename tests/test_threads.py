"""Threads that take the items of a loop in turns: results in order, begun ahead, and an end when somebody says stop."""

from __future__ import annotations

import threading

import pytest

from landscape_core.threads import Threads

PATIENCE = 30


def test_results_come_in_order_from_several_at_once() -> None:
    meeting = threading.Barrier(2)

    def met(item: int) -> int:
        meeting.wait(PATIENCE)  # it breaks where one thread takes all
        return -item

    assert list(Threads(2).in_turns(met, range(6))) == [0, -1, -2, -3, -4, -5]


def test_stop_ends_what_is_not_begun() -> None:
    stopped, done = threading.Event(), []

    def work(item: int) -> int:
        done.append(item)
        return item

    results = Threads(2).in_turns(work, range(100), stopped.is_set)
    seen = [next(results), next(results)]
    stopped.set()
    seen += results
    assert seen == sorted(done)[: len(seen)]
    assert len(done) < 10


def test_a_mistake_reaches_who_asked() -> None:
    with pytest.raises(ZeroDivisionError):
        list(Threads(2).in_turns(lambda item: 1 // item, [1, 0, 1]))
