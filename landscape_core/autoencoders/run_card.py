"""Run cards of inversions of a picture's features."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from torch import Tensor

from landscape_core.images.pixels import LARGEST_PNG, png_base64, png_tensor, to_unit
from landscape_core.records.run_card import Card, environment, models_used
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task


class FeaturesCard(Card):
    """The card of a run that looks for a picture by its features: the picture they were taken of (PNG, base64)."""

    kind: Literal["features"] = "features"
    target_png: str = Field(max_length=LARGEST_PNG)


def make_features_card(task: Task, settings: RunSettings, picture: Tensor, **result: Any) -> FeaturesCard:
    """The card of a run on one uint8 picture (3, S, S)."""
    return FeaturesCard(
        settings=settings,
        models=models_used(task, settings),
        target_png=png_base64(picture),
        environment=environment(),
        result=result,
    )


def features_card_target(card: FeaturesCard, side: int) -> Target:
    """The target a card carries, (1, 3, side, side) in [-1, 1]. Raises UserError where its picture is none of that side."""
    return Target(to_unit(png_tensor(card.target_png, side=side))[None])
