"""Run cards: versioned JSON that names every setting and model of a run, and replays it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor

from landscape_core.data import to_unit
from landscape_core.errors import UserError
from landscape_core.inversion import Lane, Solver
from landscape_core.masks import check_mask
from landscape_core.objectives import Target
from landscape_core.optimizers import OptimizerSettings
from landscape_core.spaces import SearchSpace, Start
from landscape_core.tasks.base import Task, X

Perceptual = Literal["embedded", "lpips"]
MAX_STEPS = 2000
MIN_K, MAX_K = 2, 64  # completions of one picture
# Added to the seed of random starts: a picture that the model drew with the same number must not be one of them.
START_STREAM = 2**31  # seeds end below it, and generators take 32 bits


class RunSettings(BaseModel):
    """Everything a visitor can choose. The same fields are the URL's and the run card's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str = "faces"
    space: str = "residual"
    perceptual: Perceptual = "embedded"
    seed: int = Field(0, ge=0, le=2**31 - 1)
    steps: int = Field(100, ge=1, le=MAX_STEPS)
    start: Start = "mean"
    x: OptimizerSettings = OptimizerSettings()
    z: OptimizerSettings = OptimizerSettings()


class Card(BaseModel):
    """A run that can be repeated: settings, the models' hashes, where it ran and how it ended. What was inverted, the
    target itself, is what each `kind` of card adds."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    kind: str
    settings: RunSettings
    models: dict[str, str]
    environment: dict[str, Any] = {}
    result: dict[str, Any] = {}


CardKind = TypeVar("CardKind", bound=Card)


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


def prepare(task: Task, settings: RunSettings, target: Target) -> tuple[Solver, list[Tensor]]:
    """The race of X against the chosen space on a target, and where it starts.

    Raises:
        UserError: the task has no such space, or no encoder to start from.
    """
    if settings.start == "encoder" and task.encode is None:
        raise UserError(f"{task.name} has no encoder; start from 'mean' or 'random'.")
    target = target.to(task.device)
    lanes = [
        Lane("X", task.space(X), settings.x.build(settings.steps)),
        Lane("Z", task.space(settings.space), settings.z.build(settings.steps)),
    ]
    starts = starts_in([lane.space for lane in lanes], task, settings.start, target, settings.seed)
    return Solver(task.forward, task.objective, target, lanes, max_steps=settings.steps), starts


def starts_in(spaces: Sequence[SearchSpace], task: Task, kind: Start, target: Target, seed: int) -> list[Tensor]:
    """Starting variables (B, dim) for every space.

    "mean" is each space's origin. "random" (drawn from the prior by `seed`) and "encoder" are inputs of F, the same
    for every space: a race then starts from the same pictures in all its lanes, as near as each space can reach.
    """
    if kind == "mean":
        return [space.mean_start(len(target)) for space in spaces]
    if kind == "encoder" and task.encode is not None:
        inputs = task.encode(target.value)
    else:
        inputs = task.prior.sample(len(target), torch.Generator().manual_seed(seed + START_STREAM))
    return [space.at(inputs) for space in spaces]


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


def models_used(task: Task, settings: RunSettings) -> dict[str, str]:
    """The hashes of the models that take part in a run: of several learned spaces, the one that is searched."""
    other = [name for name in task.hashes if "/theta-" in name and not name.endswith(f"-{settings.space}")]
    return {name: digest for name, digest in task.hashes.items() if name not in other}


def environment() -> dict[str, Any]:
    """What bit-for-bit equality hangs on besides the settings."""
    return {"torch": torch.__version__, "threads": torch.get_num_threads()}


def read_run_card(text: str) -> RunCard:
    """Parse the card of a run on a picture. Raises UserError as `read_card` does."""
    return read_card(text, RunCard)


def read_card(text: str, kind: type[CardKind]) -> CardKind:
    """Parse a card of one kind; it is untrusted input and every field is checked.

    Raises:
        UserError: not JSON, another version or kind, or a value out of range; the sentence names the first problem.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "the file"
        raise UserError(f"This is not a run card that can be replayed: {where}: {first['msg']}.") from error


def check_models(card: Card, task: Task) -> list[str]:
    """The names of models that differ from those the card was made with; empty means a replay is exact."""
    return [name for name, digest in card.models.items() if task.hashes.get(name) != digest]


def card_target(card: RunCard) -> Target:
    """The target a card carries, (1, 3, H, W) in [-1, 1], with its mask (1, 1, H, W) where it has one.

    Raises:
        UserError: a picture in the card cannot be read, or its mask makes no completion problem.
    """
    mask = None if card.mask_png is None else check_mask((png_tensor(card.mask_png)[None, :1] > 127).float())
    return Target(to_unit(png_tensor(card.target_png))[None], mask)


def png_base64(picture: Tensor) -> str:
    """uint8 (3, H, W) -> PNG, base64."""
    buffer = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def png_tensor(text: str, *, side: int = 64) -> Tensor:
    """The inverse of `png_base64`, for pictures of side x side pixels only."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as image:
            if image.size != (side, side):
                raise UserError(f"The card's picture is {image.width}x{image.height}; {side}x{side} is needed.")
            pixels = np.asarray(image.convert("RGB"))
    except (ValueError, OSError) as error:
        raise UserError(f"The card's picture cannot be read: {error}") from error
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)
