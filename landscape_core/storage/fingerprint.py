"""A name for a computation made of everything that goes into it, weights included."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

_PLAIN = (str, int, float, bool, bytes, type(None), torch.device, torch.dtype)


def fingerprint(*parts: Any) -> str:
    """SHA-256, in hex, of tensors, modules (class and state), plain values, containers and objects of these, and functions
    (name and enclosed values).

    Two calls agree where all contents agree, in any process; twenty megabytes of weights take some 20 ms.
    """
    digest = hashlib.sha256()
    for piece in _pieces(parts):
        digest.update(len(piece).to_bytes(8, "big"))  # so that no two lists of pieces run into the same bytes
        digest.update(piece)
    return digest.hexdigest()


def _pieces(part: Any) -> Iterator[Any]:
    if isinstance(part, Tensor):
        yield f"tensor {part.dtype} {tuple(part.shape)}".encode()
        yield part.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data
    elif isinstance(part, _PLAIN):
        yield f"{type(part).__name__} {part!r}".encode()
    elif isinstance(part, Mapping):
        yield from _pieces([entry for key in sorted(part, key=str) for entry in (key, part[key])])
    elif isinstance(part, (list, tuple)):
        yield f"list {len(part)}".encode()
        for entry in part:
            yield from _pieces(entry)
    elif isinstance(part, (FunctionType, MethodType, partial)):
        yield from _pieces(_parts_of_function(part))
    elif isinstance(part, torch.Generator):
        yield from _pieces(["generator", part.get_state()])
    else:
        yield f"{type(part).__module__}.{type(part).__qualname__}".encode()
        yield from _pieces(part.state_dict() if isinstance(part, nn.Module) else vars(part))


def _parts_of_function(function: Any) -> list[Any]:
    if isinstance(function, partial):
        return ["partial", function.func, function.args, function.keywords]
    if isinstance(function, MethodType):
        return ["method", function.__func__, function.__self__]
    enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
    return [f"function {function.__module__}.{function.__qualname__}", function.__defaults__, function.__kwdefaults__, enclosed]
