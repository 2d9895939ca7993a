"""Threads that take the items of a loop in turns, for work that leaves Python alone: passes of a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class InTurns(Protocol):
    """`do` of every item in order, lazily, as `map`; `stop` is asked before each. Also `processes.in_turns`."""

    def __call__(self, do: Callable[[T], R], items: Sequence[T], stop: Callable[[], bool] = ...) -> Iterator[R]: ...


class Threads:
    """So many threads, whose loops share them. Each computes with as many of torch's own threads as any other."""

    def __init__(self, n: int) -> None:
        self.n, self._pool = n, ThreadPoolExecutor(n)

    def in_turns(self, do: Callable[[T], R], items: Sequence[T], stop: Callable[[], bool] = lambda: False) -> Iterator[R]:
        """As `InTurns`, with as many items under way as there are threads. What was begun before `stop` is finished."""
        ahead: deque[Future[R]] = deque()
        for item in items:
            if stop():
                break
            ahead.append(self._pool.submit(do, item))
            if len(ahead) == self.n:
                yield ahead.popleft().result()
        while ahead:
            begun = ahead.popleft()
            if not (stop() and begun.cancel()):
                yield begun.result()
