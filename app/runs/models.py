"""The tasks that the app offers, loaded when first asked for and shared by all visitors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from app import limits
from landscape_core.errors import UserError
from landscape_core.generators.task import PLUS, domains, load_image_task
from landscape_core.plugins.loading import entry_names
from landscape_core.plugins.task import bare_task, with_thetas
from landscape_core.pose.domain import DOMAIN as POSE
from landscape_core.pose.task import NAMES
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual
from landscape_core.search.task import Task
from landscape_core.storage import zoo
from landscape_core.threads import Threads

L = TypeVar("L")
POSES = {NAMES["rotations"]: "Poses by rotations", NAMES["positions"]: "Poses by 3D positions"}


class Loader(Generic[L]):
    """Things by name, each loaded when it is first asked for; `what` they are, and `absent`, what is said where there is
    none at all."""

    def __init__(self, sources: Mapping[str, Callable[..., L]], what: str, absent: str) -> None:
        self._sources, self._what, self._absent = dict(sources), what, absent
        self._loaded: dict[tuple[str, ...], L] = {}
        self._loading: dict[tuple[str, ...], threading.Lock] = {}
        self._lock = threading.Lock()
        self._forgotten = 0  # how often something was

    @property
    def names(self) -> list[str]:
        return list(self._sources)

    def load(self, name: Any, *variant: str) -> L:
        """The thing of that name, whose source is called with the variant, the first time. Who asks for another one meanwhile
        does not wait.

        Raises:
            UserError: there is none, or its files are missing or altered.
        """
        if not self._sources:
            raise UserError(self._absent)
        if name not in self._sources:
            raise UserError(f"There is no {self._what} {name!r} here; there are: {', '.join(self.names)}.")
        key = (name, *variant)
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            while (found := self._loaded.get(key)) is None:
                before, made = self._forgotten, self._sources[name](*variant)
                with self._lock:
                    if before == self._forgotten:  # else the files may be others now than those that were read
                        self._loaded[key] = made
            return found

    def forget(self, name: str) -> None:
        """Load the thing anew when it is next asked for: its files are others now. Who holds it keeps what they hold."""
        with self._lock:
            self._forgotten += 1
            self._loaded = {key: each for key, each in self._loaded.items() if key[0] != name}


class Models(Loader[Task]):
    """Tasks by name and perceptual distance, and the `threads` that share passes of F. A source is called once per distance
    ("lpips", "robust"). `left_out` fills with sentences, by name, as Θs are found damaged. `own` are plug-ins: what the command
    line calls them, by the tasks' names."""

    def __init__(
        self, sources: Mapping[str, Callable[[str], Task]], left_out: Mapping[str, Sequence[str]] | None = None,
        own: Mapping[str, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        absent = "There is no trained model in assets/ yet. Train one with: python -m landscape_core train generator"
        super().__init__(sources, "model", absent)
        self.left_out = left_out or {}
        self.own = dict(own)
        self.threads = Threads(limits.runs_at_once())

    @cached_property
    def embedded(self) -> Models:
        """The same without plug-ins, each still loaded once."""
        models = Models({name: partial(self.load, name) for name in self.names if name not in self.own}, self.left_out)
        models.threads = self.threads
        return models

    def forget(self, name: str) -> None:
        """As `Loader.forget`, in what `embedded` gave, too."""
        super().forget(name)
        if "embedded" in vars(self):
            self.embedded.forget(name)

    def get(self, name: Any, perceptual: str = DEFAULT_PERCEPTUAL) -> Task:
        """The task; a plug-in has an objective of its own, whatever the distance. Raises UserError as `load`, and where the
        distance is not available on this machine."""
        return self.load(name, DEFAULT_PERCEPTUAL if name in self.own else perceptual)


def embedded_models(assets: Path = zoo.ASSETS, plugins: Sequence[str] = (), device: str = "cpu") -> Models:
    """Every domain in assets/ that has a generator and an encoder, faces first; W+ where a Θ was trained for it; then plug-ins,
    by what the command line that starts the app names them, and those that installed packages bring.

    Raises:
        UserError: a plug-in cannot be loaded, or has the name of another model.
    """
    there = {name for shelf in zoo.shelves(assets) for name in zoo.names(shelf)}
    whole = [d for d in domains(assets) if f"{d}/encoder" in there or zoo.shelf_of(f"{d}/generator", assets) == zoo.OWN]
    plus = [d + PLUS for d in whole if any(name.startswith(f"{d}{PLUS}/theta-") for name in there)]
    left_out: dict[str, list[str]] = {d: [] for d in [*whole, *plus]}
    sources: dict[str, Callable[[str], Task]] = {d: partial(_load, d, assets, said, device) for d, said in left_out.items()}
    named = [each for each in plugins if each not in (*sources, *POSE.names())]  # those are offered anyway
    bare = {each: bare_task(each, device=device) for each in (*named, *entry_names())}
    own = {task.name: spec for spec, task in bare.items()}
    if twice := [name for name in own if name in sources]:
        raise UserError(f"There is a model {twice[0]!r} already; give the plug-in's task another name.")
    for task in bare.values():
        with_thetas(task)  # one that is damaged is told of before anything is served
    return Models(sources | {name: partial(_own, bare[spec]) for name, spec in own.items()}, left_out, own)


def pose_models() -> Models:
    """Every pose task: the embedded prior seen through each kind of observation, and those that were adopted."""
    return Models({name: partial(_pose, name) for name in POSE.names()})


def _pose(name: str, perceptual: str) -> Task:
    return POSE.load(name)


def _own(bare: Task, perceptual: str) -> Task:
    return with_thetas(bare)


def label(name: str) -> str:
    """What a model is called: "Faces", "Faces in W+", "Poses by 3D positions"."""
    if name in POSES:
        return POSES[name]
    return f"{name.removesuffix(PLUS).title()} in W+" if name.endswith(PLUS) else name.title()


def _load(domain: str, assets: Path, left_out: list[str], device: str, perceptual: str) -> Task:
    def damaged(error: UserError) -> None:
        if (sentence := f"A learned space is left out: {error}") not in left_out:
            left_out.append(sentence)
            print(sentence, flush=True)

    distance: Perceptual = "robust" if perceptual == "robust" else "lpips"
    return load_image_task(domain, perceptual=distance, device=device, assets=assets, damaged=damaged)
