"""The learned spaces in assets/: found by name, loaded, and put in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from landscape_core.errors import UserError, reading
from landscape_core.search.mapping import MappingConfig, ResidualMapping, build_mapping
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Prior, SearchSpace, ZSpace
from landscape_core.search.task import Tuned
from landscape_core.storage import zoo

RANDOM = "random"
SPACE_NAMES = {  # what people read; a Θ of one's own is called by its name
    "residual": "Residual Θ", "paper": "The paper's Θ (MLP)", "narrow": "Narrow Θ (MLP)", RANDOM: "Untrained Θ",
    "flow": "Invertible Θ", "whitened": "Curvature taken out",
}  # fmt: skip
THETA = "/theta-"
_SPACE = re.compile(r"[A-Za-z0-9_]{1,40}")


def space_name(space: str) -> str:
    """What people read for a learned space."""
    return SPACE_NAMES.get(space, space)


def check_space(name: str) -> str:
    """The name itself, where a learned space of one's own can have it: run cards and addresses hold it.

    Raises:
        UserError: it is none.
    """
    if not _SPACE.fullmatch(name) or name in ("X", "Z", RANDOM):
        raise UserError(f"{name[:60]!r} cannot name a Θ: use 1 to 40 letters, digits and _, and not X, Z or {RANDOM}.")
    return name


def mapping_from(name: str, prior: Prior, assets: Path = zoo.ASSETS) -> tuple[zoo.Card, SearchSpace]:
    """A trained Θ from assets/. Raises UserError where it is missing, altered, or not of the architecture on its card."""
    card, tensors = zoo.load(name, assets)
    with zoo.fitting(card):
        config = MappingConfig(**card.architecture)
        mapping = build_mapping(config, prior)
        mapping.load_state_dict(tensors)
    return card, ZSpace(mapping.to(prior.mean.device), config.z_dim)


def random_mapping(prior: Prior, *, seed: int = 0) -> ZSpace:
    """The paper's MLP, untrained (Table 2, "random Θ")."""
    config = MappingConfig.paper(len(prior.mean))
    return ZSpace(build_mapping(config, prior, seed=seed).to(prior.mean.device), config.z_dim)


def untrained(prior: Prior, full: SearchSpace) -> ZSpace:
    """A residual Θ as it is before Algorithm 1: X with the same curvature taken out as in the trained one.

    Raises:
        TypeError: `full` is no residual Θ.
    """
    if not isinstance(full, ZSpace) or not isinstance(full.mapping, ResidualMapping):
        raise TypeError("only a residual mapping has a curvature taken out")
    whitener = full.mapping.get_buffer("whitener")
    config = MappingConfig("residual", full.dim, len(prior.mean), hidden=0, blocks=len(prior.mean) // len(whitener))
    return ZSpace(build_mapping(config, prior, whitener=whitener).to(prior.mean.device), full.dim)


@dataclass(frozen=True)
class Thetas:
    """Learned spaces by short name, "residual" first, with what their cards say: the advised optimiser, what every
    optimiser was tuned to, and the files' hashes by the files' names."""

    spaces: dict[str, SearchSpace]
    advised: dict[str, OptimizerSettings]
    tuned: dict[str, Sequence[Tuned]]
    hashes: dict[str, str]


def thetas(
    prefix: str, prior: Prior, assets: Path = zoo.ASSETS, *, damaged: Callable[[UserError], None] | None = None
) -> Thetas:
    """Every trained Θ whose name begins with `prefix`, as in "faces/theta-" or "pose/theta-rotations-".

    With `damaged`, one that is missing or altered is left out, and `damaged` is told why.

    Raises:
        UserError: one is missing or altered, and there is no `damaged`.
    """
    there = {name: shelf for shelf in reversed(zoo.shelves(assets)) for name in zoo.names(shelf) if name.startswith(prefix)}
    found = Thetas({}, {}, {}, {})
    for name in sorted(there, key=_residual_first):
        kind = name.removeprefix(prefix)
        try:
            card, space = mapping_from(name, prior, there[name])
            with reading(f"The card of {name}", "advises no optimiser that there is"):
                advised, tuned = OptimizerSettings(**card.metrics.get("advised", {})), tuned_on(card)
        except UserError as error:
            if damaged is None:
                raise
            damaged(error)
            continue
        found.spaces[kind], found.advised[kind], found.tuned[kind] = space, advised, tuned
        found.hashes[card.name] = card.sha256
    return found


def tuned_on(card: zoo.Card) -> tuple[Tuned, ...]:
    """What a card lists under "tuned"."""
    return tuple(Tuned.model_validate(each) for each in card.metrics.get("tuned", ()))


def without_other_thetas(hashes: Mapping[str, str], spaces: Collection[str]) -> dict[str, str]:
    """A table of hashes by model name without the Θ's of spaces that are not among `spaces`."""
    return {name: digest for name, digest in hashes.items() if THETA not in name or name.endswith(_endings(spaces))}


def _endings(spaces: Collection[str]) -> tuple[str, ...]:
    return tuple(f"-{space}" for space in spaces)


def _residual_first(name: str) -> bool:
    return not name.endswith("-residual")
