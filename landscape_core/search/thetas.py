"""The learned spaces in assets/: found by name, loaded, and put in order."""

from __future__ import annotations

from pathlib import Path

from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Prior, SearchSpace, ZSpace
from landscape_core.storage import zoo

RANDOM = "random"


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


def trained_mappings(
    domain: str, prior: Prior, assets: Path = zoo.ASSETS
) -> tuple[dict[str, SearchSpace], dict[str, OptimizerSettings], dict[str, str]]:
    """A domain's learned spaces, "residual" first and the untrained one last, their advised optimisers, and file hashes."""
    spaces: dict[str, SearchSpace] = {}
    advised, hashes = {}, {}
    for name in zoo.names(assets):
        if name.startswith(f"{domain}/theta-"):
            kind = name.rsplit("theta-", 1)[1]
            card, spaces[kind] = mapping_from(name, prior, assets)
            advised[kind] = OptimizerSettings(**card.metrics.get("advised", {}))
            hashes[name] = card.sha256
    ordered = {key: spaces[key] for key in sorted(spaces, key=lambda key: key != "residual")}
    return {**ordered, RANDOM: random_mapping(prior)}, advised, hashes
