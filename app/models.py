"""The tasks that the app offers, loaded when first asked for and shared by all visitors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from landscape_core import zoo
from landscape_core.errors import UserError
from landscape_core.runs import RunSettings
from landscape_core.tasks.base import Task
from landscape_core.tasks.gan import PLUS, domains, load_image_task

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
