"""Run cards of plug-ins: what was observed, exactly. A card names its plug-in; the code is never taken from it."""

from __future__ import annotations

import base64
import zlib
from typing import Any, Literal

import torch
from pydantic import Field
from safetensors.torch import load, save
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.records.run_card import Card, environment, models_used
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task

MOST = 18_000_000  # characters of what was observed, of a card's 20 million
UNPACKED = 64 * 2**20  # bytes
MOST_COMPLETIONS = 64


class PluginCard(Card):
    """The card of a run on a plug-in's F; `observed` is a target (safetensors, zlib, base64), completed `k` times."""

    kind: Literal["plugin"] = "plugin"
    observed: str = Field(max_length=MOST)
    k: int = Field(1, ge=1, le=MOST_COMPLETIONS)

    @property
    def samples(self) -> int:
        return self.k


def make_plugin_card(task: Task, settings: RunSettings, target: Target, result: dict[str, Any], k: int = 1) -> PluginCard:
    """The card of a run on one target (1, ...), or on it k times.

    Raises:
        UserError: the target is too large for a card.
    """
    tensors = {"value": target.value} | ({} if target.mask is None else {"mask": target.mask})
    packed = zlib.compress(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}), 9)
    text = base64.b64encode(packed).decode()
    if len(text) > MOST:
        raise UserError(f"What was observed takes {len(text):,} characters; a run card holds at most {MOST:,}.")
    return PluginCard(
        settings=settings, models=models_used(task, settings), environment=environment(), result=result, observed=text, k=k
    )


def plugin_card_target(card: PluginCard, task: Task) -> Target:
    """The target that a card carries for its plug-in's task.

    Raises:
        UserError: it cannot be read, or is not shaped as the plug-in's F answers.
    """
    what = "What the card says was observed"
    with reading(what):
        unpack = zlib.decompressobj()
        content = unpack.decompress(base64.b64decode(card.observed, validate=True), UNPACKED)
        tensors = load(content)
        target = Target(tensors["value"], tensors.get("mask"))
    wanted = _shape(task)
    if target.value.shape != (1, *wanted):
        raise UserError(f"{what} is shaped {tuple(target.value.shape)}; {task.name} answers {(1, *wanted)}.")
    return target


@torch.no_grad()
def _shape(task: Task) -> torch.Size:
    """Of one of F's outputs."""
    output: Tensor = task.forward(task.prior.mean[None])
    return output.shape[1:]
