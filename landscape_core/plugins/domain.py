"""How plug-ins are registered: each is a domain with one task, and so are those that installed packages bring."""

from __future__ import annotations

from pathlib import Path

import torch

from landscape_core.domain import Domain, Observed
from landscape_core.plugins.loading import entry_names
from landscape_core.plugins.run_card import PluginCard, make_plugin_card, plugin_card_target
from landscape_core.plugins.task import load_plugin_task
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual
from landscape_core.search.task import Task


def _load(name: str, perceptual: Perceptual = DEFAULT_PERCEPTUAL, device: str = "cpu") -> Task:
    return load_plugin_task(name, device=device)


def _observe(task: Task, path: Path, frame: int, names: Path | None) -> Observed:
    assert task.observe is not None  # `load_plugin_task` sees to it
    return Observed(task.observe(path))


def _recorded(task: Task, data: Path, split: str, n: int, seed: int) -> tuple[Target, str]:
    """A plug-in has no data set: the model draws."""
    return task.sampled(n, torch.Generator().manual_seed(seed)), "the model itself"


DOMAIN = Domain("plug-ins", entry_names, _load, _observe, PluginCard, plugin_card_target, _recorded, make_plugin_card)
