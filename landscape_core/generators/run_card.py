"""Run cards of races and completions on a picture."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from landscape_core.generators.masks import check_mask
from landscape_core.images.pixels import png_base64, png_tensor, to_unit
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.run_card import Card, environment, models_used, read_card
from landscape_core.search.task import Task

MIN_K, MAX_K = 2, 64  # completions of one picture


class RunCard(Card):
    """The card of a run on a picture (PNG, base64).

    A card of completions also has what was hidden (`mask_png`: white visible, black hidden) and how many were drawn, `k`.
    """

    kind: Literal["picture"] = "picture"
    target_png: str = Field(max_length=400_000)
    mask_png: str | None = Field(None, max_length=100_000)
    k: int | None = Field(None, ge=MIN_K, le=MAX_K)

    @model_validator(mode="after")
    def _mask_and_k_belong_together(self) -> RunCard:
        if (self.mask_png is None) != (self.k is None):
            raise ValueError("a card of completions has both mask_png and k, any other neither")
        return self


def make_card(
    task: Task, settings: RunSettings, target: Tensor, *, mask: Tensor | None = None, k: int | None = None, **result: Any
) -> RunCard:
    """The card of a run on one uint8 picture (3, H, W); of k completions with the mask (1, 1, H, W) they were drawn with."""
    return RunCard(
        settings=settings,
        models=models_used(task, settings),
        target_png=png_base64(target),
        mask_png=None if mask is None else png_base64((mask[0] * 255).byte().expand(3, -1, -1)),
        k=k,
        environment=environment(),
        result=result,
    )


def read_run_card(text: str) -> RunCard:
    """Parse the card of a run on a picture. Raises UserError as `read_card` does."""
    return read_card(text, RunCard)


def card_target(card: RunCard, side: int) -> Target:
    """The target a card carries for a model of that side, (1, 3, side, side) in [-1, 1], with its mask (1, 1, side, side) where
    it has one.

    Raises:
        UserError: a picture in the card cannot be read or has another side, or its mask makes no completion problem.
    """
    mask = None if card.mask_png is None else check_mask((png_tensor(card.mask_png, side=side)[None, :1] > 127).float())
    return Target(to_unit(png_tensor(card.target_png, side=side))[None], mask)
