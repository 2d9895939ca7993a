"""What training an image model leaves behind: `DOMAIN/generator` and `DOMAIN/encoder`, with their cards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from landscape_core.generators.training.recipe import ImageRecipe, TrainedImages
from landscape_core.generators.training.transfer import Start
from landscape_core.storage import zoo


def publish(
    trained: TrainedImages, recipe: ImageRecipe, domain: str, *, trained_on: str, licence: str, command: str, hardware: str,
    start: Start | None = None, assets: Path = zoo.ASSETS,
) -> None:  # fmt: skip
    """Write `domain/generator` and `domain/encoder` with their cards; with `start`, these name what training began with.

    Raises:
        UserError: an impossible name, weights that are not finite, or a folder that cannot be written.
    """
    side, dim = recipe.side, recipe.architecture.style_dim
    generator, encoder = recipe.architecture.on_cards()
    origin = "" if start is None else f" Began with the weights of {start.name} {start.sha256[:12]}."
    seconds = {stage: round(value) for stage, value in trained.seconds.items()}
    shared = {
        "trained_on": trained_on,
        "licence": licence if start is None else f"{licence}; of the weights it began with: {start.licence}",
        "command": command,
        "budget": {"seconds": seconds, "images": trained.images, "hardware": hardware},
        "sha256": "",
        "seed": recipe.gan.seed,
    }
    zoo.save(
        zoo.Card(
            name=f"{domain}/generator",
            kind=f"StyleGAN2 in the latents of an autoencoder, F: w ({dim}) -> picture {side}x{side}",
            architecture=generator,
            metrics=trained.metrics,
            notes=f"Settings: {asdict(recipe)}. Draw pictures from `prior`, the Gaussian of the encoder's codes.{origin}",
            **shared,
        ),
        {
            **{f"model.{key}": value for key, value in trained.model.state_dict().items()},
            "prior.mean": trained.prior.mean,
            "prior.factor": trained.prior.factor,
        },
        assets,
    )
    zoo.save(
        zoo.Card(
            name=f"{domain}/encoder",
            kind=f"feed-forward encoder, picture {side}x{side} -> w ({dim})",
            architecture=encoder,
            metrics={},
            notes=f"Trained together with the generator on real and generated pictures.{origin}",
            **shared,
        ),
        trained.encoder.state_dict(),
        assets,
    )
