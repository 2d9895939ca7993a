"""A plug-in's task made whole: with the Θs that were trained for it, hashes, a way to show outputs and to read files."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from landscape_core.errors import UserError, reading
from landscape_core.plugins.loading import load_plugin
from landscape_core.plugins.observing import observe
from landscape_core.plugins.showing import SIDE, picture_of
from landscape_core.search.device import check_device
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM, THETA, random_mapping, thetas
from landscape_core.storage import zoo

CODE = "/plugin"  # what a plug-in's own hash is called among the models': "deconvolution/plugin"
_LBFGS = OptimizerSettings(name="lbfgs", lr=1.0)  # advised in X as in Z, so that neither is served better


def is_own(task: Task) -> bool:
    """Whether a task is a plug-in's."""
    return f"{task.name}{CODE}" in task.hashes


def load_plugin_task(
    spec: str, *, device: str = "cpu", models: Path = zoo.OWN, damaged: Callable[[UserError], None] | None = None
) -> Task:
    """The task of a plug-in, on a device, with every Θ below `models` that was trained for it.

    Raises:
        UserError: the plug-in cannot be loaded, its F does not answer, or a Θ is damaged and there is no `damaged`.
    """
    return with_thetas(bare_task(spec, device=device), models, damaged=damaged)


def bare_task(spec: str, *, device: str = "cpu") -> Task:
    """The task of a plug-in, on a device, as it is before any Θ is trained for it.

    Raises:
        UserError: the plug-in cannot be loaded, or its F does not answer.
    """
    plugin = load_plugin(spec)
    task = _moved(plugin.task, device)
    with reading(f"F of {task.name}", "cannot compute at the prior's mean"), torch.no_grad():
        output = task.forward(task.prior.mean[None])
    picture = task.picture or picture_of(output)
    return replace(
        task,
        hashes={f"{task.name}{CODE}": plugin.sha256, **task.hashes},
        advised={X: _LBFGS, **task.advised},
        picture=picture,
        observe=task.observe or partial(observe, output=output),
        side=task.side or (output.shape[-1] if picture is None else SIDE),
    )


def with_thetas(task: Task, models: Path = zoo.OWN, *, damaged: Callable[[UserError], None] | None = None) -> Task:
    """A bare task with every Θ below `models` that was trained for it.

    Raises:
        UserError: a Θ is damaged and there is no `damaged`.
    """
    known = thetas(f"{task.name}{THETA}", task.prior, models, damaged=damaged)
    return replace(
        task,
        mappings={**task.mappings, **known.spaces, RANDOM: random_mapping(task.prior)},
        hashes={**task.hashes, **known.hashes},
        advised={**task.advised, **known.advised},
        tuned={**task.tuned, **known.tuned},
    )


def _moved(task: Task, device: str) -> Task:
    """The task on a device, F frozen. It is a copy, since a module's function may hand out the same one again."""
    where = check_device(device)
    with reading(f"{task.name} on {where}", "cannot be put there"):
        forward = copy.deepcopy(task.forward).to(where).eval().requires_grad_(False)
        prior = task.prior.to(where)
        objective = task.objective.to(where) if isinstance(task.objective, nn.Module) else task.objective
    return replace(task, forward=forward, prior=prior, objective=objective)
