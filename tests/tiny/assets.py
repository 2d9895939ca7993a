"""A folder of embedded models with tiny untrained domains in it, in the files that training writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder
from landscape_core.generators.training import recipe as image_recipe
from landscape_core.generators.training.publish import publish
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Prior
from landscape_core.storage import zoo

SMOKE = image_recipe.RECIPES["smoke"]
DIM = SMOKE.architecture.style_dim
ADVISED = {"residual": OptimizerSettings(name="lbfgs", lr=1.0), "paper": OptimizerSettings(name="adam", lr=0.2)}


def tiny_domain(assets: Path, name: str, *, spaces: tuple[str, ...] = ("paper", "residual"), seed: int = 0) -> None:
    """Write generator, encoder and the named Θs of a domain, and the embedded distances where they are not there yet."""
    generator, latent = SMOKE.architecture.generator(seed)
    image, decoder = SMOKE.architecture.autoencoder(seed)
    model = ImageModel(generator, decoder).eval().requires_grad_(False)
    encoder = PictureEncoder(image, latent).eval()
    prior = Prior.of(torch.randn(256, DIM, generator=torch.Generator().manual_seed(seed)))
    facts = {"trained_on": "nothing", "licence": "CC0", "command": "python -m landscape_core train generator"}
    trained = image_recipe.TrainedImages(model, encoder, prior, {"generator": 0.0}, {"generator": 0}, {})
    publish(trained, SMOKE, name, **facts, hardware="none", assets=assets)
    for space in spaces:
        config = MappingConfig("mlp" if space == "paper" else "residual", DIM, DIM, 16)
        card = zoo.Card(
            name=f"{name}/theta-{space}", kind="Θ", architecture=vars(config), **facts, budget={}, sha256="", seed=seed,
            metrics={"advised": ADVISED[space].model_dump()},
        )  # fmt: skip
        zoo.save(card, build_mapping(config, prior, seed=seed).state_dict(), assets)
    for distance in ("lpips", "perceptual"):
        if not (assets / distance).exists():
            shutil.copytree(zoo.ASSETS / distance, assets / distance)
