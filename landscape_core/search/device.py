"""Where tensors live: a device by its name, tried before anything is loaded onto it."""

from __future__ import annotations

import torch

from landscape_core import processes
from landscape_core.errors import reading

AUTO = "auto"


def check_device(device: str) -> torch.device:
    """The torch device of that name; "auto" is an accelerator where there is one: CUDA, else MPS, else the CPU. Of
    several processes each computes where their launcher put it.

    Raises:
        UserError: there is none of that name on this machine.
    """
    placed = processes.device()
    name = str(placed) if placed is not None else _best() if device == AUTO else device
    with reading(f"The device {name!r}", "cannot compute on this machine, while cpu always can"):
        found = torch.zeros(1, device=name)
        found.tolist()  # "meta" has shapes and no numbers
    return found.device


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
