"""The edge of every event: values of another kind than their component gives go no further, what a handler refuses is told on
the page in its sentence, and what a long one freed goes back to the system."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

from app.memory import give_back
from landscape_core.errors import UserError


def told(handler: Callable[..., Any], inputs: Sequence[Any], *, long: bool = False) -> Callable[..., Any]:
    """The handler of an event with these inputs, whose UserError Gradio shows; what else it raises is a fault and goes to the
    log. Whether a value is one that can be is for the handler to say, for lists of choices change under an event. After a
    `long` one memory is given back."""
    ended = give_back if long else _nothing
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def each(*values: Any) -> Iterator[Any]:
            with _shown(ended):
                _check(inputs, values)
                yield from handler(*values)

        return each

    @functools.wraps(handler)
    def once(*values: Any) -> Any:
        with _shown(ended):
            _check(inputs, values)
            return handler(*values)

    return once


@contextmanager
def _shown(ended: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from error
    finally:
        ended()


def _nothing() -> None:
    pass


def _check(inputs: Sequence[Any], values: Sequence[Any]) -> None:
    own = [value for value in values if not isinstance(value, gr.Request | gr.EventData)]  # Gradio's own stand between
    for component, value in zip(inputs, own, strict=False):
        if value is not None and not _fits(component, value):
            raise UserError(f"{component.label or 'A value'}: that is not what this field gives.")


def _fits(component: Any, value: Any) -> bool:
    if isinstance(component, gr.Number | gr.Slider):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(component, gr.CheckboxGroup):
        return isinstance(value, list) and all(_chosen(component, each) for each in value)
    return not isinstance(component, gr.Radio | gr.Dropdown) or _chosen(component, value)


def _chosen(component: gr.CheckboxGroup | gr.Radio | gr.Dropdown, value: Any) -> bool:
    kinds = {type(choice) for _, choice in component.choices} or {str}
    return type(value) in kinds
