"""Opening checkpoints that others published: never plain pickle, and one sentence for everything that does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError, listed, reading
from landscape_core.storage.tensors import check_numbers

MAX_VALUES = 2**29  # of all tensors together; a tensor may say that it is larger than its file
_BEST = ("best", "last")  # what trainers call several states in one file, in the order in which they are taken
_PREFIXES = re.compile(r"^(?:(?:module|_orig_mod|model|net|network)\.)+")  # of parallel, compiled and wrapped modules
Model = TypeVar("Model", bound=nn.Module)


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """What a checkpoint file holds, by name, on the CPU.

    Raises:
        UserError: no such file, one that needs more than weights to be loaded, or no mapping in it.
    """
    try:
        with reading(str(path)):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except UserError as error:
        if error.__cause__ is None or isinstance(error.__cause__, OSError):
            raise
        more = re.search(r"GLOBAL (\S+)", str(error.__cause__))
        if more is not None:
            raise UserError(
                f"{path} holds more than tensors ({more[1]}), and reading that could run somebody's code. Where it was made, "
                "save the tensors alone: torch.save(model.state_dict(), 'weights.pt')."
            ) from error
        raise UserError(f"{path} is not a checkpoint that can be loaded safely: a file of torch.save is needed.") from error
    if not isinstance(checkpoint, dict):
        raise UserError(f"{path} holds a {type(checkpoint).__name__}; a checkpoint holds tensors by name.")
    return {str(key): value for key, value in checkpoint.items()}


@dataclass(frozen=True, eq=False)
class StateDict:
    """The tensors of one network by plain name, and what a user should know about how they were found."""

    tensors: dict[str, Tensor]
    notices: tuple[str, ...] = ()


def state_dict(checkpoint: Mapping[str, Any], path: Path | str, *wrappers: str) -> StateDict:
    """The tensors of a checkpoint: under the first of `wrappers` that is there, else its own.

    Trainers store a state dict beside other things ("state_dict", "model", "g_ema"), several in one file ("best", "last"),
    and under prefixes: "module." in parallel, "_orig_mod." compiled, "1." behind a normalisation in a Sequential. What is no
    tensor is left out.

    Raises:
        UserError: no tensors at all, too many values, complex or not finite ones, or two tensors of one name.
    """
    inner: Mapping[str, Any] = checkpoint
    notices: tuple[str, ...] = ()
    while (found := next((key for key in (*wrappers, *_BEST) if isinstance(inner.get(key), Mapping)), None)) is not None:
        others = [key for key in _BEST if key != found and isinstance(inner.get(key), Mapping)] if found in _BEST else []
        notices += tuple(f"The weights called {found!r} are taken; the file also holds {listed(others)}." for _ in others[:1])
        inner = {str(key): value for key, value in inner[found].items()}
    tensors = _plain({key: value for key, value in inner.items() if isinstance(value, Tensor)}, path)
    if not tensors:
        raise UserError(f"{path} holds no state dict: tensors by name, at its top or under {listed(wrappers) or 'a name'}.")
    if sum(tensor.numel() for tensor in tensors.values()) > MAX_VALUES:
        raise UserError(f"{path} holds more than {MAX_VALUES:,} values; no network here is that large.")
    check_numbers(tensors, str(path))
    return StateDict(tensors, notices)


def _plain(tensors: Mapping[str, Tensor], path: Path | str) -> dict[str, Tensor]:
    """Without the prefixes of wrapped modules."""
    names = [_PREFIXES.sub("", key) for key in tensors]
    if names and all(re.match(r"[01]\.", name) for name in names) and any(name.startswith("1.") for name in names):
        names = [_PREFIXES.sub("", name[2:]) for name in names]  # Sequential(normalise, net)
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise UserError(f"{path} holds two tensors of one name: {listed(twice, 3)}.")
    return dict(zip(names, tensors.values(), strict=True))


def fitted(path: Path | str, what: str, build: Callable[[], Model]) -> Model:
    """The model that `build` makes of a file's tensors (strict keys), frozen; `what` names it: "a StyleGAN2 generator".

    Raises:
        UserError: tensors are missing, left over, of other sizes, or not finite.
    """
    with reading(str(path), f"does not have the tensors of {what}"):
        model = build()
    check_numbers(model.state_dict(), str(path))
    return model.eval().requires_grad_(False)


def exactly(model: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors for a module's `load_state_dict`, if names and shapes are the module's, which may be on the meta device.

    Counters of batches may be missing, as in files from before torch 0.4.1.

    Raises:
        ValueError: tensors are missing, left over or of other shapes; nothing is stretched to fit.
    """
    expected = model.state_dict()
    counters = [key for key in expected if key.endswith("num_batches_tracked") and key not in tensors]
    given = {**tensors, **{key: torch.zeros((), dtype=torch.long, device="cpu") for key in counters}}
    if expected.keys() != given.keys():
        missing, unknown = expected.keys() - given.keys(), given.keys() - expected.keys()
        raise ValueError(f"missing {listed(sorted(missing), 4)}; unknown {listed(sorted(unknown), 4)}")
    other = [key for key, value in expected.items() if value.shape != given[key].shape]
    if other:
        shapes = f"{tuple(given[other[0]].shape)} instead of {tuple(expected[other[0]].shape)}"
        raise ValueError(f"other shapes: {listed(other, 4)}; the first is {shapes}")
    return given
