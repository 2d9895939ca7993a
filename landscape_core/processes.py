"""Several processes that work as one, by Hugging Face accelerate: each does its share, and what is gathered is what one alone
would have made.

`accelerate launch` (or torchrun) starts them. Started otherwise a process is alone: accelerate is not even imported, and all of
this does nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError

if TYPE_CHECKING:
    from accelerate import Accelerator

T = TypeVar("T")
R = TypeVar("R")
STARTED_BY = ("LOCAL_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")  # torchrun, and kinds of MPI
_alone: ContextVar[bool] = ContextVar("alone", default=False)  # within a share, where the others do something else


@cache
def _joined() -> Accelerator:
    """This process among the others, on a GPU of its own or, where there is none, on the processor (gloo)."""
    from accelerate import Accelerator

    cpu = os.environ.get("ACCELERATE_USE_CPU", "").lower() == "true" or not torch.accelerator.is_available()
    return Accelerator(cpu=cpu, mixed_precision="no")  # what computes in half precision says so itself


def _together() -> Accelerator | None:
    if _alone.get() or not any(name in os.environ for name in STARTED_BY):
        return None
    return _joined() if _joined().num_processes > 1 else None


def count() -> int:
    """How many processes work together; 1 within a share."""
    together = _together()
    return 1 if together is None else together.num_processes


def is_main() -> bool:
    """Whether this is the process that writes and speaks."""
    together = _together()
    return together is None or together.is_main_process


def device() -> torch.device | None:
    """Where a process among others computes; None where the user says."""
    together = _together()
    if together is None:
        return None
    return torch.device("cpu") if together.device.type == "cpu" else together.device


def share(items: Tensor) -> Tensor:
    """This process's part of the rows (n, ...): in order, the first processes one more where n cannot be divided."""
    together = _together()
    if together is None:
        return items
    with together.split_between_processes(items) as own:
        return own


def gathered(parts: Sequence[R]) -> list[R]:
    """The parts of all processes, in their order. Tensors in them must be on the processor."""
    if _together() is None:
        return [*parts]
    from accelerate.utils import gather_object

    found: list[R] = gather_object([*parts])
    return found


def joined(part: Tensor) -> Tensor:
    """The rows (n, ...) of all processes, in their order; the inverse of `share`."""
    return part if _together() is None else torch.cat(gathered([part.detach().cpu()])).to(part.device)


def in_turns(do: Callable[[T], R], items: Sequence[T], stop: Callable[[], bool] = lambda: False) -> Iterator[R]:
    """`do` of every item in order, lazily, as `map`: of each round of as many items as there are processes each does one, and
    all get all results. While it does, a process is alone. `stop` is asked before each round."""
    together, n = _together(), count()
    for first in range(0, len(items), n):
        if any_of(stop()):
            return
        around = [*items[first : first + n]]
        if together is None:
            yield do(around[0])
            continue
        with together.split_between_processes(around) as own, _apart():
            done = [do(each) for each in own]
        yield from gathered(done)


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def from_main(make: Callable[[], R]) -> R:
    """What the main process makes, alone, for all. Tensors in it must be on the processor."""
    if _together() is None:
        return make()
    from accelerate.utils import broadcast_object_list

    found: list[R | None] = [None]
    if is_main():
        with _apart():
            found = [make()]
    made: R = broadcast_object_list(found)[0]
    return made


def same(tensor: Tensor) -> Tensor:
    """The main process's tensor, for all: each made one of that shape."""
    together = _together()
    if together is None:
        return tensor
    from accelerate.utils import broadcast

    shared: Tensor = broadcast(tensor.to(together.device, copy=True).contiguous())
    return shared.to(tensor.device)


def total(value: Tensor) -> Tensor:
    """The sum over processes."""
    together = _together()
    if together is None:
        return value
    summed: Tensor = together.reduce(value.to(together.device, copy=True).contiguous())
    return summed.to(value.device)


class _Sum(torch.autograd.Function):
    """What torch has for this is deprecated, and warns."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return total(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return total(gradient)


def summed(value: Tensor) -> Tensor:
    """`total` that gradients pass through: every process's share is differentiated by what all make of the sum."""
    if _together() is None:
        return value
    found: Tensor = _Sum.apply(value)
    return found


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Make the gradients of parameters their sum over processes, each of which differentiated its part of one loss: where
    `parallel` cannot be called, for several losses pass through one module."""
    together = _together()
    gradients = [each.grad for each in parameters if each.grad is not None]
    if together is None or not gradients:
        return
    shared = together.reduce(torch.cat([each.flatten() for each in gradients]))
    for each, part in zip(gradients, shared.split([each.numel() for each in gradients]), strict=True):
        each.copy_(part.view(each.shape))


def any_of(asked: bool) -> bool:
    """Whether any process was asked, so that all stop together."""
    together = _together()
    if together is None:
        return asked
    if asked:
        together.set_trigger()
    return together.check_trigger()


def parallel(module: nn.Module) -> nn.Module:
    """The module to call in training: gradients become the mean over processes; weights begin as the main process's.

    Raises:
        UserError: it is on the processor, for what runs there alone, while the processes have a GPU each.
    """
    together = _together()
    trained = [each for each in module.parameters() if each.requires_grad]
    if together is None or not trained:
        return module
    if trained[0].device.type != together.device.type:
        raise UserError(
            f"This runs on the {trained[0].device.type} alone; start the processes there, with ACCELERATE_USE_CPU=true."
        )
    prepared: nn.Module = together.prepare_model(module)
    return prepared


def in_words() -> str:
    """What a card adds to its hardware: "", or ", 4 processes"."""
    return f", {count()} processes" if count() > 1 else ""


@contextlib.contextmanager
def one_voice() -> Iterator[None]:
    """Around a program: the main process alone prints, and at its end all part in good order."""
    with contextlib.ExitStack() as stack:
        if not is_main():
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        if _together() is not None:
            stack.callback(_joined().end_training)
        yield
