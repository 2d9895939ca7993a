"""Checkpoints of a training run: one safetensors file, written atomically, holding all that resuming needs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from landscape_core.errors import UserError

_META = "landscape"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write tensors and JSON metadata; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, partial, metadata={_META: json.dumps(meta)})
    os.replace(partial, path)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and metadata of a file written by `write_tensors`."""
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {}).get(_META, "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, meta  # noqa: SIM118
    except Exception as error:  # safetensors raises its own untyped error for a broken file
        raise UserError(f"{path} is not a checkpoint of this project: {error}") from error


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
            UserError: the file is not a checkpoint, or one of another architecture.
        """
        if not self.path.exists():
            return None
        tensors, meta = read_tensors(self.path)
        try:
            for name, module in self.modules.items():
                module.load_state_dict(_under(tensors, f"module/{name}/"))
        except RuntimeError as error:
            raise UserError(f"{self.path} belongs to another architecture; start in another folder: {error}") from error
        for name, optimizer in self.optimizers.items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, value in _under(tensors, f"optimizer/{name}/").items():
                index, field = key.split("/")
                states.setdefault(int(index), {})[field] = value
            optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        for name, generator in self.generators.items():
            generator.set_state(tensors[f"generator/{name}"])
        return meta


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
