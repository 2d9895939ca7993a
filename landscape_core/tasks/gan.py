"""GAN inversion (section 4.1): F draws a picture from w, L is Eq. 5."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from landscape_core import zoo
from landscape_core.errors import UserError
from landscape_core.fingerprint import fingerprint
from landscape_core.mapping import MappingConfig, build_mapping
from landscape_core.models.image_model import image_model_from, picture_encoder_from
from landscape_core.objectives import PerceptualObjective
from landscape_core.optimizers import OptimizerSettings
from landscape_core.perceptual import EmbeddedDistance, LpipsDistance
from landscape_core.spaces import Prior, SearchSpace, ZSpace
from landscape_core.tasks.base import Task, X

Perceptual = Literal["embedded", "lpips"]
RANDOM = "random"


def check_device(device: str) -> torch.device:
    """The torch device of that name.

    Raises:
        UserError: there is none on this machine.
    """
    try:
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"There is no device {device!r} on this machine ({error}); cpu always works.") from error


def image_objective(
    perceptual: Perceptual = "embedded", device: torch.device | str = "cpu", assets: Path = zoo.ASSETS
) -> PerceptualObjective:
    """Eq. 5 with the embedded distance, or with real LPIPS.

    Raises:
        UserError: LPIPS cannot be had on this machine; the sentence says what is missing.
    """
    if perceptual == "lpips":
        return PerceptualObjective(LpipsDistance().to(device))
    card, tensors = zoo.load("perceptual", assets)
    return PerceptualObjective(EmbeddedDistance.from_state(tensors, card.architecture).to(device))


def distance_hash(perceptual: Perceptual, objective: PerceptualObjective, assets: Path = zoo.ASSETS) -> dict[str, str]:
    """Which distance the objective has, told by its weights: that of the embedded file, or LPIPS's own wherever they lie."""
    if perceptual == "embedded":
        return {"perceptual": zoo.read_card("perceptual", assets).sha256}
    return {"lpips": fingerprint(objective.distance)}


def mapping_from(name: str, prior: Prior, assets: Path = zoo.ASSETS) -> tuple[zoo.Card, SearchSpace]:
    """A trained Θ from assets/."""
    card, tensors = zoo.load(name, assets)
    config = MappingConfig(**card.architecture)
    mapping = build_mapping(config, prior)
    mapping.load_state_dict(tensors)
    return card, ZSpace(mapping.to(prior.mean.device), config.z_dim)


def random_mapping(prior: Prior, *, seed: int = 0) -> ZSpace:
    """The paper's MLP, untrained (Table 2, "random Θ")."""
    config = MappingConfig.paper(len(prior.mean))
    return ZSpace(build_mapping(config, prior, seed=seed).to(prior.mean.device), config.z_dim)


def load_image_task(
    domain: str = "faces", *, perceptual: Perceptual = "embedded", device: str = "cpu", assets: Path = zoo.ASSETS
) -> Task:
    """The embedded generator of a domain with its encoder and every Θ trained for it.

    Raises:
        UserError: a model is missing or altered, LPIPS was asked for and is not available, or no such device.
    """
    where = check_device(device)
    card, tensors = zoo.load(f"{domain}/generator", assets)
    forward = image_model_from(tensors, card.architecture).to(where)
    prior = Prior(tensors["prior.mean"], tensors["prior.factor"]).to(where)
    encoder_card, encoder_tensors = zoo.load(f"{domain}/encoder", assets)
    encoder = picture_encoder_from(encoder_tensors, encoder_card.architecture).to(where)
    hashes = {card.name: card.sha256, encoder_card.name: encoder_card.sha256}
    mappings: dict[str, SearchSpace] = {}
    advised = {X: OptimizerSettings(**card.metrics.get("advised", {}))}
    for name in zoo.names(assets):
        if name.startswith(f"{domain}/theta-"):
            theta, mappings[name.rsplit("theta-", 1)[1]] = mapping_from(name, prior, assets)
            hashes[name] = theta.sha256
            advised[name.rsplit("theta-", 1)[1]] = OptimizerSettings(**theta.metrics.get("advised", {}))
    mappings = {key: mappings[key] for key in sorted(mappings, key=lambda key: key != "residual")}
    mappings[RANDOM] = random_mapping(prior)

    objective = image_objective(perceptual, where, assets)

    @torch.no_grad()
    def encode(pictures: Tensor) -> Tensor:
        return encoder(pictures.to(where))

    return Task(
        name=domain,
        forward=forward,
        prior=prior,
        objective=objective,
        mappings=mappings,
        encode=encode,
        hashes=hashes | distance_hash(perceptual, objective, assets),
        advised=advised,
    )
