"""How much memory something holds: what is large in it, each thing once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from landscape_core.search.task import Task

NUMBER = 32  # bytes of a float with its place in a list


def weigh(thing: Any) -> int:
    """Bytes of the pictures, texts, tensors and numbers in nested containers and dataclasses; of models, none, for they are
    everybody's."""
    total, seen, todo = 0, set[int](), [thing]
    while todo:
        each = todo.pop()
        if isinstance(each, float):
            total += NUMBER
            continue
        if id(each) in seen or each is None or isinstance(each, Task):
            continue
        seen.add(id(each))
        if isinstance(each, Tensor):
            total += each.numel() * each.element_size()
        elif isinstance(each, np.ndarray):
            total += each.nbytes
        elif isinstance(each, str | bytes):
            total += len(each)
        elif isinstance(each, Image.Image):
            total += each.width * each.height * len(each.getbands())
        elif isinstance(each, Mapping):
            todo.extend(each.values())
        elif isinstance(each, list | tuple | set):
            todo.extend(each)
        elif is_dataclass(each):
            todo.extend(getattr(each, field.name) for field in fields(each))
    return total
