"""The edge of every event: values reach its handler as they were typed, a file as its field gives it, and those of another kind
than their field gives go no further; what a handler refuses is told on the page in its sentence, and what a long one freed
goes back to the system.

Gradio's own preprocessing is passed over: it answers a number out of its range with an error that names no field, and one
choice that another event took from the list meanwhile with an error, where a handler says a sentence, or goes on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

from app.memory import give_back
from landscape_core.errors import UserError


def edged(demo: gr.Blocks) -> None:
    """Let every event of an interface that is laid out pass this edge."""
    for event in demo.fns.values():
        event.preprocess = False
        event.fn = told(event.fn, event.inputs, long=event.queue) if event.fn is not None else None


def told(handler: Callable[..., Any], inputs: Sequence[Any], *, long: bool = False) -> Callable[..., Any]:
    """The handler of an event with these inputs, whose UserError Gradio shows; what else it raises is a fault and goes to the
    log. Whether a value is one that can be is for the handler to say, for lists of choices change under an event. After a
    `long` one memory is given back."""
    ended = give_back if long else _nothing
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def each(*values: Any) -> Iterator[Any]:
            with _shown(ended):
                yield from handler(*_taken(inputs, values))

        return each

    @functools.wraps(handler)
    def once(*values: Any) -> Any:
        with _shown(ended):
            return handler(*_taken(inputs, values))

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


def _taken(inputs: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """An event's values as its handler takes them; Gradio's own stand between those of the components."""
    components = iter(inputs)
    return [each if isinstance(each, gr.Request | gr.EventData) else _given(next(components, None), each) for each in values]


def _given(component: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(component, gr.File | gr.UploadButton):  # Gradio has made sure that it was uploaded here
        return component.preprocess(component.data_model.model_validate(value))
    if not _fits(component, value):
        raise UserError(f"{component.label or 'A value'}: that is not what this field gives.")
    return value


def _fits(component: Any, value: Any) -> bool:
    if isinstance(component, gr.Number | gr.Slider):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(component, gr.CheckboxGroup):
        return isinstance(value, list) and all(_chosen(component, each) for each in value)
    return not isinstance(component, gr.Radio | gr.Dropdown) or _chosen(component, value)


def _chosen(component: gr.CheckboxGroup | gr.Radio | gr.Dropdown, value: Any) -> bool:
    kinds = {type(choice) for _, choice in component.choices} or {str}
    return type(value) in kinds
