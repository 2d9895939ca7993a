"""Completing what is hidden of an observation: what K descents from random starts found, how well it fits, how it differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.records.run_zip import Told
from landscape_core.search.judges import best_of
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Solver, State
from landscape_core.storage.tensors import packed

NUMBERS, OUTPUTS = "completions.json", "completions.safetensors"
LEAST = 2  # hidden numbers, and seen ones


@dataclass(frozen=True)
class Completions:
    """One lane's K completions, the closest to what was seen first: outputs (K, ...), losses (K,); and the `spread`, the mean
    standard deviation of a hidden number over them, in F's units."""

    name: str
    outputs: Tensor
    losses: Tensor
    spread: float

    def sentence(self) -> str:
        """Fit and spread in words."""
        fit = f"mean loss of what was seen {float(self.losses.mean()):.4g}"
        return f"{self.name}: {fit}, spread of what was hidden {self.spread:.4g}"


def with_hidden(target: Target, mask: Tensor | None, name: str) -> Target:
    """The target (1, ...) with what a mask (0 hidden, 1 seen; it broadcasts) hides besides.

    Raises:
        UserError: hardly anything is hidden, or hardly anything seen.
    """
    seen = torch.ones_like(target.value) if target.mask is None else target.mask.expand_as(target.value)
    seen = seen if mask is None else seen * mask
    n, of = int(seen.sum()), seen.numel()
    if not LEAST <= n <= of - LEAST:
        raise UserError(
            f"{n:,} of the {of:,} numbers of {name} are seen; to complete it at least {LEAST} must be seen and {LEAST} hidden. "
            "What is not a number (NaN, null, empty) is hidden, and of a picture what --mask says."
        )
    return replace(target, mask=seen)


def completed(solver: Solver, state: State, target: Target, *, paste: bool) -> list[Completions]:
    """What each lane found for one target (1, ...); with `paste` what was seen is put back into it."""
    assert target.mask is not None  # `with_hidden` sees to it
    seen = target.mask[0].bool()
    found = []
    for lane, now in zip(solver.lanes, state.lanes, strict=True):
        best = best_of(solver, lane, now)
        closest = best.loss.argsort()
        outputs, losses = best.output[closest].cpu(), best.loss[closest].cpu()
        spread = float(outputs.double().std(dim=0)[~seen].mean())
        found.append(Completions(lane.name, torch.where(seen, target.value, outputs) if paste else outputs, losses, spread))
    return found


def told(found: Sequence[Completions]) -> Told:
    """What the zip of the run says of its completions, and the files that hold them."""
    numbers: dict[str, Any] = {
        each.name: {"spread": each.spread, "mean loss": float(each.losses.mean()), "losses": each.losses.tolist()}
        for each in found
    }
    return Told(
        verdict="\n\n".join(f"{each.sentence()}." for each in found),
        sample="completion",
        extra={
            NUMBERS: (json.dumps(numbers, indent=1) + "\n").encode(),
            OUTPUTS: packed({each.name: each.outputs for each in found}, {}),
        },
        about={
            NUMBERS: "of each lane the loss of every completion, the closest first, and their spread",
            OUTPUTS: "of each lane F's output for every completion, in the same order (safetensors)",
        },
    )
