"""Opening checkpoints that others published: never plain pickle, and one sentence for everything that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError

Model = TypeVar("Model", bound=nn.Module)


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """What a checkpoint file holds, by name, on the CPU.

    Raises:
        UserError: no such file, one that needs more than weights to be loaded, or no mapping in it.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}.") from error
    except Exception as error:  # torch raises several unrelated types for a file it refuses
        raise UserError(f"{path} is not a checkpoint that can be loaded safely (weights only): {error}") from error
    if not isinstance(checkpoint, dict):
        raise UserError(f"{path} holds a {type(checkpoint).__name__}; a checkpoint holds tensors by name.")
    return {str(key): value for key, value in checkpoint.items()}


def unwrap(checkpoint: Mapping[str, Any], *wrappers: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint: under the first of `wrappers` that is there, else its own; "module." is taken off.

    Trainers store a state dict beside other things ("state_dict", "model", "g_ema"), and parallel ones prefix every
    name with "module.". What is no tensor is left out.
    """
    inner = next((checkpoint[key] for key in wrappers if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    return {str(key).removeprefix("module."): value for key, value in inner.items() if isinstance(value, Tensor)}


def fitted(path: Path | str, what: str, build: Callable[[], Model]) -> Model:
    """The model that `build` makes of a file's tensors (strict keys), frozen; `what` names it: "a StyleGAN2 generator".

    Raises:
        UserError: tensors are missing, left over, of other sizes, or not finite.
    """
    try:
        model = build()
    except (KeyError, IndexError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(f"{path} does not have the tensors of {what}: {error}") from error
    if not all(bool(torch.isfinite(value).all()) for value in model.state_dict().values()):
        raise UserError(f"{path} contains weights that are not finite.")
    return model.eval().requires_grad_(False)
