"""Checkpoints of a training: one safetensors file, written atomically, with all that resuming needs and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from landscape_core import processes
from landscape_core.errors import UserError, reading
from landscape_core.storage.tensors import check_numbers, read_tensors, under, write_tensors
from landscape_core.training.identity import described, difference
from landscape_core.training.lock import hold

NAME = "checkpoint.safetensors"


class Checkpoint:
    """Saves and restores named modules, optimisers and generators together, for one training.

    `identity` says which: data, all settings, seed, domain, forward model …; see `described`. Only a training with the same
    facts goes on from the file. While this object lives no other process trains in its folder.

    Raises:
        UserError: the folder cannot be written, or another process trains in it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        identity: Mapping[str, Any],
        modules: Mapping[str, nn.Module],
        optimizers: Mapping[str, Optimizer],
        generators: Mapping[str, torch.Generator],
    ) -> None:
        self.path = folder / NAME
        self.lock = hold(folder)
        self.identity = described(identity)
        self.modules = modules
        self.optimizers = optimizers
        self.generators = generators

    def save(self, meta: Mapping[str, Any]) -> None:
        """Write everything. `meta` (JSON) comes back from `load`: progress and history.

        Raises:
            UserError: weights or an optimiser's state are not finite; the file stays as it was.
        """
        tensors = {
            f"module/{name}/{key}": value for name, each in self.modules.items() for key, value in each.state_dict().items()
        }
        for name, optimizer in self.optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                tensors.update({f"optimizer/{name}/{index}/{key}": torch.as_tensor(v) for key, v in state.items()})
        check_numbers(tensors, f"The training has diverged and stops; {self.path} stays as it was. It")
        for name, generator in self.generators.items():
            tensors[f"generator/{name}"] = generator.get_state()
        write_tensors(self.path, tensors, {**meta, "identity": self.identity})

    def load(self) -> dict[str, Any] | None:
        """Restore in place and return the metadata; None where nothing was saved yet. Of several processes the main one reads
        for all, however many wrote it.

        Raises:
            UserError: the file is not a checkpoint, belongs to another training, or holds weights that are not finite.
        """
        found = processes.from_main(lambda: read_tensors(self.path) if self.path.exists() else None)
        if found is None:
            return None
        tensors, meta = found
        kept = meta.pop("identity", None)
        if not isinstance(kept, dict):
            raise UserError(f"{self.path} does not say which training it belongs to. {self._remedy}")
        apart = difference(kept, self.identity)
        if apart:
            raise UserError(f"{self.path} belongs to another training: {apart}. {self._remedy}")
        check_numbers(tensors, str(self.path))
        with reading(str(self.path), "belongs to another architecture; start in another folder"):
            self._restore(tensors)
        return meta

    @property
    def _remedy(self) -> str:
        return f"Name another folder with --work, or remove {self.path.parent} to begin anew."

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
