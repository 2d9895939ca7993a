"""Run cards of races and completions on a picture."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from landscape_core.generators.grammar import LONGEST
from landscape_core.generators.masks import check_mask
from landscape_core.generators.observing import PAINTED_MASK, Instrument
from landscape_core.images.pixels import LARGEST_PNG, png_base64, png_tensor, to_unit
from landscape_core.records.run_card import Card, environment, models_used, read_card
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task

MIN_K, MAX_K = 2, 64  # completions of one picture


class RunCard(Card):
    """The card of a run on a picture (PNG, base64).

    A card of completions also has how many were drawn, `k`, the name of what was observed, `observation`, and where that has
    a painted mask, `mask_png` (white visible, black hidden). `target_png` is the whole picture, of which the observation is
    simulated again, or with `taken` what the user's own instrument took.
    """

    kind: Literal["picture"] = "picture"
    target_png: str = Field(max_length=LARGEST_PNG)
    mask_png: str | None = Field(None, max_length=LARGEST_PNG)
    observation: str | None = Field(None, max_length=LONGEST)
    taken: bool = False
    k: int | None = Field(None, ge=MIN_K, le=MAX_K)

    @model_validator(mode="after")
    def _observation_and_k_belong_together(self) -> RunCard:
        observed = self.mask_png is not None or self.observation is not None
        if observed != (self.k is not None):
            raise ValueError("a card of completions has k and either mask_png or observation, any other none of these")
        if self.taken and self.observation is None:
            raise ValueError("a card whose target was taken names the observation")
        return self

    @property
    def samples(self) -> int:
        return self.k or 1

    @property
    def instrument(self) -> Instrument | None:
        """What the picture was seen by; None where it was seen whole.

        Raises:
            UserError: there is no such observation.
        """
        return Instrument.of(self.observation or PAINTED_MASK) if self.k is not None else None


def make_card(
    task: Task, settings: RunSettings, target: Tensor, *, instrument: Instrument | None = None, mask: Tensor | None = None,
    taken: bool = False, k: int | None = None, **result: Any,
) -> RunCard:  # fmt: skip
    """The card of a run on one uint8 picture (3, H, W); of k completions with the instrument, the painted mask
    (1, 1, H, W) that they were drawn with, and whether the picture was taken by the instrument already."""
    return RunCard(
        settings=settings,
        models=models_used(task, settings),
        target_png=png_base64(target),
        mask_png=None if mask is None else png_base64((mask[0] * 255).byte().expand(3, -1, -1)),
        observation=None if instrument is None else str(instrument),
        taken=taken,
        k=k,
        environment=environment(),
        result=result,
    )


def read_run_card(text: str) -> RunCard:
    """Parse the card of a run on a picture. Raises UserError as `read_card` does."""
    return read_card(text, RunCard)


def card_mask(card: RunCard, side: int) -> Tensor | None:
    """The painted mask (1, 1, side, side) that a card carries, where it has one.

    Raises:
        UserError: it cannot be read, has another side, or makes no completion problem.
    """
    return None if card.mask_png is None else check_mask((png_tensor(card.mask_png, side=side)[None, :1] > 127).float())


def card_target(card: RunCard, side: int) -> Target:
    """The target a card carries for a model of that side, with its mask where it has one, (1, ...).

    Raises:
        UserError: a picture in the card cannot be read or has another side, its mask makes no completion problem, or there is
            no such observation.
    """
    mask, instrument = card_mask(card, side), card.instrument
    if instrument is not None and card.taken:
        value = to_unit(png_tensor(card.target_png, side=side // instrument.factor))[None]
        return instrument.taken(value, mask, side)
    picture = to_unit(png_tensor(card.target_png, side=side))[None]
    return Target(picture) if instrument is None else instrument.observe(picture, mask)
