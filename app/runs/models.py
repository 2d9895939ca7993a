"""The tasks that the app offers, loaded when first asked for and shared by all visitors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from app.runs import settings
from landscape_core.errors import UserError
from landscape_core.generators.task import PLUS, domains, load_image_task
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task, X
from landscape_core.storage import zoo

TaskSource = Callable[[str], Task]


class Models:
    """Image tasks by name and perceptual distance. A source is called once per distance ("embedded", "lpips")."""

    def __init__(self, sources: Mapping[str, TaskSource]) -> None:
        self._sources = dict(sources)
        self._loaded: dict[tuple[str, str], Task] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        return list(self._sources)

    def first(self, settings: RunSettings) -> RunSettings:
        """The same settings for the model that a page opens with."""
        return settings.model_copy(update={"task": self.names[0]})

    def get(self, name: str, perceptual: str = "embedded") -> Task:
        """The task, loading it the first time.

        Raises:
            UserError: no such model, one is missing or altered, or the distance is not available on this machine.
        """
        if name not in self._sources:
            raise UserError(f"There is no model {name!r} here; there are: {', '.join(self.names) or 'none'}.")
        with self._lock:
            if (name, perceptual) not in self._loaded:
                self._loaded[name, perceptual] = self._sources[name](perceptual)
            return self._loaded[name, perceptual]


def embedded_models(assets: Path = zoo.ASSETS) -> Models:
    """Every domain in assets/ that has a generator and an encoder, faces first; W+ where a Θ was trained for it."""
    there = set(zoo.names(assets))
    whole = [d for d in domains(assets) if f"{d}/encoder" in there]
    plus = [d + PLUS for d in whole if any(name.startswith(f"{d}{PLUS}/theta-") for name in there)]
    return Models({d: partial(_load, d, assets) for d in [*whole, *plus]})


def label(name: str) -> str:
    """What a model is called: "Faces", "Faces in W+"."""
    return f"{name.removesuffix(PLUS).title()} in W+" if name.endswith(PLUS) else name.title()


def _load(domain: str, assets: Path, perceptual: str) -> Task:
    return load_image_task(domain, perceptual="lpips" if perceptual == "lpips" else "embedded", assets=assets)


def defaults(models: Models, model: str | None = None, space: str | None = None) -> RunSettings:
    """The settings a page starts with: the model's first Θ, and in each space the optimiser advised for it.

    `space` is the one whose advice Z gets, where it is not the first.

    Raises:
        UserError: there is no model at all, or its files are damaged.
    """
    if not models.names:
        raise UserError("There is no trained model in assets/ yet. Train one with: python -m landscape_core train generator")
    name = model if model in models.names else models.names[0]
    task = models.get(name)
    first = next(iter(task.mappings))
    z = task.advice(space if space and space in task.mappings else first)
    return RunSettings.pair(first, task.advice(X, z.name), z, task=name)


def for_model(models: Models, values: list[Any]) -> RunSettings:
    """The form's settings after another model was chosen in it: that model's spaces and optimisers, the rest as it was.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, values[0])
    try:
        now = settings.from_values([usual.task, usual.space, *values[2:]])
    except UserError:  # something else in the form is wrong; then all of it begins anew
        return usual
    return usual.model_copy(update={"start": now.start, "steps": now.steps, "seed": now.seed, "perceptual": now.perceptual})
