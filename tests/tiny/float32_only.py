"""A device without float64, as MPS is one, on any machine: its tensors refuse what that device refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task

LEAVES = (torch.Tensor.cpu, torch.Tensor.tolist, torch.Tensor.__float__, torch.Tensor.item)


class There(Tensor):
    """A tensor there, and so is all that is computed with it, until it is copied to the CPU."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = super().__torch_function__(func, types, args, kwargs or {})
        if func in LEAVES:
            return found.as_subclass(Tensor) if isinstance(found, Tensor) else found

        def checked(each: Any) -> Any:
            if isinstance(each, Tensor) and each.dtype in (torch.float64, torch.complex128):
                raise TypeError("Cannot convert a tensor there to float64, which the device does not support.")
            return each

        return tree_map(checked, found)


def there(tensor: Tensor) -> Tensor:
    """The tensor as on that device."""
    return tensor.as_subclass(There)


def task_there(task: Task) -> Task:
    """The task as on that device: whatever is searched is computed with its prior."""
    return replace(task, prior=Prior(there(task.prior.mean), there(task.prior.factor)))
