"""GAN inversion (section 4.1): F draws a picture from w, L is Eq. 5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError, listed
from landscape_core.features.lpips import NAME as LPIPS
from landscape_core.features.lpips import LpipsDistance
from landscape_core.features.perceptual import FeatureDistance, RobustDistance
from landscape_core.generators.networks.image_model import ImageModel, PlusModel, image_model_from, picture_encoder_from
from landscape_core.search.device import check_device
from landscape_core.search.objectives import PerceptualObjective
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM, THETA, random_mapping, thetas, tuned_on, without_other_thetas
from landscape_core.storage import zoo

PLUS = "+"
TRUNCATION = 0.5  # of pictures drawn to be shown: nearer to the mean, where eyes and mouths are seldom deformed


def image_objective(
    perceptual: Perceptual = DEFAULT_PERCEPTUAL, device: torch.device | str = "cpu", assets: Path = zoo.ASSETS
) -> tuple[PerceptualObjective, dict[str, str]]:
    """Eq. 5 with LPIPS or with the distance on robust features, and which weights those are, {model: sha256}.

    Raises:
        UserError: the weights are missing or altered.
    """
    distance: FeatureDistance
    card, tensors = zoo.load(LPIPS if perceptual == "lpips" else "perceptual", assets)
    with zoo.fitting(card):
        if perceptual == "lpips":
            distance = LpipsDistance.from_state(tensors)
        else:
            distance = RobustDistance.from_state(tensors, card.architecture)
    return PerceptualObjective(distance.to(device)), {card.name: card.sha256}


def domains(assets: Path = zoo.ASSETS) -> list[str]:
    """Every domain that has a generator, faces first: the names of the image tasks."""
    every = [name for shelf in zoo.shelves(assets) for name in zoo.names(shelf)]
    there = {name.removesuffix("/generator") for name in every if name.endswith("/generator")}
    return sorted(there, key=lambda domain: (domain != "faces", domain))


def load_image_task(
    domain: str = "faces",
    *,
    perceptual: Perceptual = DEFAULT_PERCEPTUAL,
    device: str = "cpu",
    assets: Path = zoo.ASSETS,
    damaged: Callable[[UserError], None] | None = None,
) -> Task:
    """The generator of a domain, embedded or one's own, with its encoder, where it has one, and every Θ trained for it.

    A domain with a plus at its end ("faces+") is the same generator searched in W+, with the Θs trained for that. Damaged
    Θs are left out where `damaged` is told of them.

    Raises:
        UserError: no such domain, a model is missing or altered, or no such device.
    """
    if domain.endswith(PLUS):
        task = load_image_task(domain[:-1], perceptual=perceptual, device=device, assets=assets, damaged=damaged)
        return plus_task(task, assets, damaged=damaged)
    if domain not in domains(assets):
        raise UserError(f"There is no image task {domain!r}; there are: {listed(domains(assets))}.")
    where = check_device(device)
    shelf = zoo.shelf_of(f"{domain}/generator", assets)
    card, tensors = zoo.load(f"{domain}/generator", shelf)
    with zoo.fitting(card):
        forward = image_model_from(tensors, card.architecture).to(where)
        prior = Prior(tensors["prior.mean"], tensors["prior.factor"]).to(where)
    encode, hashes = None, {card.name: card.sha256}
    if "decoder" in card.architecture:  # else it is published, and has none
        encode, digest = _encoder(f"{domain}/encoder", shelf, where)
        hashes |= digest
    learned = thetas(f"{domain}{THETA}", prior, assets, damaged=damaged)
    objective, distance = image_objective(perceptual, where, assets)

    return Task(
        name=domain,
        forward=forward,
        prior=prior,
        objective=objective,
        mappings={**learned.spaces, RANDOM: random_mapping(prior)},
        encode=encode,
        hashes={**hashes, **learned.hashes, **distance},
        advised={X: OptimizerSettings(**card.metrics.get("advised", {})), **learned.advised},
        tuned={X: tuned_on(card), **learned.tuned},
        side=forward.side,
    )


def _encoder(name: str, assets: Path, where: torch.device) -> tuple[Callable[[Tensor], Tensor], dict[str, str]]:
    card, tensors = zoo.load(name, assets)
    with zoo.fitting(card):
        encoder = picture_encoder_from(tensors, card.architecture).to(where)

    @torch.no_grad()
    def encode(pictures: Tensor) -> Tensor:
        return encoder(pictures.to(where))

    return encode, {card.name: card.sha256}


def plus_task(task: Task, assets: Path = zoo.ASSETS, *, damaged: Callable[[UserError], None] | None = None) -> Task:
    """The task in W+. Its prior and its encoder give every style input the same w."""
    if not isinstance(task.forward, ImageModel):
        raise UserError(f"{task.name} has no W+: its forward model is not a StyleGAN2.")
    forward, w_encode, domain = PlusModel(task.forward), task.encode, task.name + PLUS
    prior = Prior(task.prior.mean.repeat(forward.n_styles), task.prior.factor.repeat(forward.n_styles, 1))
    learned = thetas(f"{domain}{THETA}", prior, assets, damaged=damaged)
    return replace(
        task, name=domain, forward=forward, prior=prior,
        mappings={**learned.spaces, RANDOM: random_mapping(prior)},
        hashes={**without_other_thetas(task.hashes, ()), **learned.hashes},
        encode=None if w_encode is None else lambda pictures: w_encode(pictures).repeat(1, forward.n_styles),
        advised={X: task.advice(X), **learned.advised},
        tuned={X: task.tuned.get(X, ()), **learned.tuned},
    )  # fmt: skip
