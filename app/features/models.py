"""The autoencoders that the tab shows: their tasks, themselves, and LPIPS to measure by. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from app.runs.models import Loader, Models
from landscape_core.autoencoders.models import Inverter, load_inverter
from landscape_core.autoencoders.task import CODES, load_features_task, task_names
from landscape_core.errors import UserError
from landscape_core.features.lpips import LpipsDistance, load_lpips
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import THETA
from landscape_core.storage import zoo

NONE = "There is no autoencoder in assets/ yet. Train one with: python -m landscape_core train features-decoder"
KINDS = {"robust": "Robust", "plain": "Standard", "robust-faces": "Robust, faces", "plain-faces": "Standard, faces"}


class Features:
    """Everything of assets/features/, each loaded when it is first asked for.

    Raises:
        UserError: there is no autoencoder that can be searched.
    """

    def __init__(self, assets: Path = zoo.ASSETS) -> None:
        names = task_names(assets)
        if not names:
            raise UserError(NONE)
        self.tasks = Models({name: partial(_task, name, assets) for name in names})
        found = dict.fromkeys(name.removesuffix(CODES) for name in names)
        sources = {name: partial(load_inverter, name, assets) for name in found}
        self._inverters = Loader[Inverter](sources, "autoencoder", NONE)
        self.assets = assets
        self._lpips = Loader[LpipsDistance]({"lpips": partial(load_lpips, assets)}, "distance", NONE)

    def inverter(self, task: str) -> Inverter:
        """The autoencoder that a task inverts. Raises UserError where its files are damaged."""
        return self._inverters.load(task.removesuffix(CODES))

    def beside(self, task: str) -> Mapping[str, Inverter]:
        """By their words: every autoencoder at the same stage as a task's and of the same pictures, the robust one first."""
        depth, side = self.inverter(task).model.encoder.depth, self.inverter(task).side
        every = {words(name): self.inverter(name) for name in self._inverters.names}
        return {title: each for title, each in every.items() if (each.model.encoder.depth, each.side) == (depth, side)}

    def of_network(self, task: str) -> list[Inverter]:
        """The autoencoders of every stage of a task's network, and of the same pictures."""
        network, side = self.inverter(task).card.architecture["encoder"], self.inverter(task).side
        every = [self.inverter(name) for name in self._inverters.names]
        return [each for each in every if (each.card.architecture["encoder"], each.side) == (network, side)]

    def compared(self, task: str, space: str) -> str:
        """What the card of a learned space says of it against X, by the same optimiser; nothing where it says nothing."""
        name = f"{task}{THETA}{space}"
        there = name in zoo.names(self.assets)
        losses = zoo.read_card(name, self.assets).metrics.get("comparison", {}).get("losses") if there else None
        return against_x(losses[space], losses[X]) if losses else ""

    @property
    def lpips(self) -> LpipsDistance:
        """Raises UserError where its packages or weights are missing."""
        return self._lpips.load("lpips")


def _task(name: str, assets: Path, perceptual: str) -> Task:
    return load_features_task(name, assets)


def words(name: str) -> str:
    """What a task or an autoencoder is called: "Robust, stage 4", "Standard, stage 3, codes", "Robust, faces, stage 3"."""
    short = name.removeprefix("features/").removesuffix(CODES)
    kind, _, stage = short.partition("-stage")
    said = f"{KINDS.get(kind, kind)}, stage {stage}" if stage else short
    return f"{said}, codes" if name.endswith(CODES) else said


def against_x(ours: Mapping[str, float], x: Mapping[str, float]) -> str:
    """Losses of Z and of X by numbers of steps, in a sentence."""
    changes = [(steps, 100.0 * (ours[steps] / x[steps] - 1.0)) for steps in x]
    said = [f"{abs(change):.0f}\u00a0% {'lower' if change < 0 else 'higher'} after {steps}" for steps, change in changes]
    return f"On training pictures, by Adam in both, Z's loss was, against X's: {', '.join(said)} steps."
