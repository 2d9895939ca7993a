"""Checkpoints of a training run: one safetensors file, written atomically, holding all that resuming needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from landscape_core.errors import UserError, reading
from landscape_core.storage.tensors import check_numbers, read_tensors, under, write_tensors


class Checkpoint:
    """Saves and restores named modules, optimisers, generators and loose tensors together."""

    def __init__(
        self,
        path: Path,
        *,
        modules: Mapping[str, nn.Module],
        optimizers: Mapping[str, Optimizer],
        generators: Mapping[str, torch.Generator],
    ) -> None:
        self.path = path
        self.modules = modules
        self.optimizers = optimizers
        self.generators = generators

    def save(self, meta: Mapping[str, Any]) -> None:
        """Write everything. `meta` (JSON) comes back from `load`: progress, configuration, history."""
        tensors: dict[str, Tensor] = {}
        for name, module in self.modules.items():
            tensors.update({f"module/{name}/{key}": value for key, value in module.state_dict().items()})
        for name, optimizer in self.optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                tensors.update({f"optimizer/{name}/{index}/{key}": torch.as_tensor(v) for key, v in state.items()})
        for name, generator in self.generators.items():
            tensors[f"generator/{name}"] = generator.get_state()
        write_tensors(self.path, tensors, meta)

    def load(self) -> dict[str, Any] | None:
        """Restore in place and return the metadata; None where nothing was saved yet.

        Raises:
            UserError: the file is not a checkpoint, one of another architecture, or holds weights that are not finite.
        """
        if not self.path.exists():
            return None
        tensors, meta = read_tensors(self.path)
        if not meta:
            raise UserError(f"{self.path} does not say how far its training came; start in another folder.")
        check_numbers(tensors, str(self.path))
        with reading(str(self.path), "belongs to another architecture; start in another folder"):
            self._restore(tensors)
        return meta

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, module in self.modules.items():
            module.load_state_dict(under(tensors, f"module/{name}/"))
        for name, optimizer in self.optimizers.items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, value in under(tensors, f"optimizer/{name}/").items():
                index, field = key.split("/")
                states.setdefault(int(index), {})[field] = value
            optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        for name, generator in self.generators.items():
            generator.set_state(tensors[f"generator/{name}"])
