"""The edge of every event: what a handler refuses is told on the page in its sentence."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from landscape_core.errors import UserError


def told(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler of an event, whose UserError Gradio shows; what else it raises is a fault and goes to the log."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def each(*values: Any) -> Iterator[Any]:
            with _shown():
                yield from handler(*values)

        return each

    @functools.wraps(handler)
    def once(*values: Any) -> Any:
        with _shown():
            return handler(*values)

    return once


@contextmanager
def _shown() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from error
