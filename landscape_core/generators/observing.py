"""What is observed of a picture, y = M(F(x)): its operators, the target that it makes, and what the loss is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.grammar import PAINTED, Value, named, parse
from landscape_core.generators.masks import check_mask, preset
from landscape_core.images.operators import Grey, Measure, Shrink, gaussian, motion
from landscape_core.search.objectives import Target
from landscape_core.search.observation import Observation, Operator, Penalty

PAINTED_MASK = "mask"  # the name of what one observes behind a mask of one's own
SMALLEST = 32  # pixels a side of a picture that features can be taken of
_NOISE, _GRAINS, _PIXELS, _MEASURES = range(4)  # streams of random numbers of one seed


@dataclass(frozen=True)
class Instrument:
    """What pictures are seen by: parts of `grammar.KINDS` with their values, and the seed of all that is random in them."""

    parts: Mapping[str, tuple[Value, ...]]
    seed: int = 0

    @staticmethod
    def of(name: str) -> Instrument:
        """The instrument of that name.

        Raises:
            UserError: a name that the grammar does not have, or parts that do not go together.
        """
        instrument = Instrument(*parse(name))
        if "measurements" in instrument.parts and instrument.masked:
            raise UserError("Measurements mix all pixels, so none can be hidden from them: leave out mask and scattered.")
        if "noise" in instrument.parts and "salt-and-pepper" in instrument.parts:
            raise UserError("Noise is Gaussian or salt and pepper, not both: each has its own way of counting errors.")
        return instrument

    def __str__(self) -> str:
        return named(self.parts, self.seed)

    @property
    def masked(self) -> bool:
        """Whether some of what it sees is hidden."""
        return "mask" in self.parts or "scattered" in self.parts

    @property
    def painted(self) -> bool:
        """Whether it needs a mask that its name does not hold."""
        return self.parts.get("mask") == (PAINTED,)

    @property
    def unpainted(self) -> Instrument:
        """The same without a mask of one's own."""
        return Instrument({kind: values for kind, values in self.parts.items() if values != (PAINTED,)}, self.seed)

    @cached_property
    def factor(self) -> int:
        """How many times its pictures are smaller than what they are of."""
        return int(self.parts.get("low-resolution", (1,))[0])

    def pictorial(self, side: int) -> bool:
        """Whether what it sees of pictures of that side is a picture, whose features can be compared."""
        ruined = {"noise", "salt-and-pepper", "scattered", "measurements"} & self.parts.keys()
        return not ruined and side // self.factor >= SMALLEST

    def observation(self, side: int) -> Observation:
        """M for pictures of that side, and how errors count."""
        penalty: Penalty = "squared"
        if "salt-and-pepper" in self.parts:
            penalty = "huber" if self.parts["salt-and-pepper"][1] == "huber" else "absolute"
        return Observation(tuple(self._operators(side)), penalty, self.pictorial(side))

    def _operators(self, side: int) -> list[Operator]:
        made: list[Operator] = []
        for kind, values in self.parts.items():
            if kind == "blur":
                how, size, angle = values
                made.append(motion(float(size), float(angle)) if how == "motion" else gaussian(float(size)))
            elif kind == "low-resolution":
                how_small: Literal["area", "bicubic"] = "bicubic" if values[1] == "bicubic" else "area"
                made.append(Shrink(self.factor, how_small))
            elif kind == "grey":
                made.append(Grey())
            elif kind == "measurements":
                pixels = (side // self.factor) ** 2
                if float(values[0]) > pixels:
                    raise UserError(f"A picture of {pixels} pixels has at most as many measurements, not {float(values[0]):g}.")
                made.append(Measure.drawn(int(values[0]), side // self.factor, self._random(_MEASURES)))
        return made

    def observe(self, pictures: Tensor, mask: Tensor | None = None) -> Target:
        """What it sees of whole pictures (n, 3, side, side) in [-1, 1]: y with its noise, and the truth with it. A painted
        `mask` (1 or n, 1, side, side) is 1 where visible.

        Raises:
            UserError: a mask that is missing, or that makes no problem.
        """
        side = pictures.shape[-1]
        observation = self.observation(side)
        return self._target(self._noisy(observation(pictures)), mask, side, observation, pictures)

    def taken(self, value: Tensor, mask: Tensor | None, side: int) -> Target:
        """Pictures (n, 3, side / factor, side / factor) that such an instrument took, as a target of a model of that side.

        Raises:
            UserError: as `observe`; or it takes no pictures.
        """
        if "measurements" in self.parts:
            raise UserError("Measurements are no picture that could be given; they are simulated from a whole one.")
        if value.shape[-1] * self.factor != side:
            raise UserError(f"{self} sees pictures of {side // self.factor} pixels a side, and this has {value.shape[-1]}.")
        observation = self.observation(side)
        return self._target(Grey()(value) if "grey" in self.parts else value, mask, side, observation, None)

    def _target(self, value: Tensor, mask: Tensor | None, side: int, observation: Observation, truth: Tensor | None) -> Target:
        visible = self._visible(mask, side)
        if visible is not None:
            visible = visible.expand(len(value), -1, -1, -1)
        return Target(value, visible, observation, truth)

    def _noisy(self, value: Tensor) -> Tensor:
        if "noise" in self.parts:
            noise = torch.randn(value.shape, generator=self._random(_NOISE)).to(value)
            return value + 2.0 * float(self.parts["noise"][0]) * noise
        if "salt-and-pepper" in self.parts:
            grains = torch.rand(value.shape[0], 1, *value.shape[2:], generator=self._random(_GRAINS)).to(value)
            share = float(self.parts["salt-and-pepper"][0])
            value = torch.where(grains < share / 2, -1.0, value)
            return torch.where((grains >= share / 2) & (grains < share), 1.0, value)
        return value

    def _visible(self, mask: Tensor | None, side: int) -> Tensor | None:
        """What is not hidden (1 or n, 1, side / factor, side / factor), checked: a pixel that is hidden in part is hidden."""
        if not self.masked:
            return None
        small = side // self.factor
        visible = torch.ones(1, 1, small, small)
        if "mask" in self.parts:
            name = str(self.parts["mask"][0])
            if name == PAINTED and mask is None:
                raise UserError("Say what is hidden: name a mask, as in mask:centre, or give one.")
            painted = mask if name == PAINTED and mask is not None else preset(name, side)
            visible = 1.0 - F.max_pool2d(1.0 - check_mask(painted), self.factor)
        if "scattered" in self.parts:
            places = torch.rand(1, 1, small, small, generator=self._random(_PIXELS))
            visible = visible * (places < float(self.parts["scattered"][0]))
        return check_mask(visible)

    def _random(self, stream: int) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed * 4 + stream)

    def loss_words(self, side: int) -> str:
        """What the loss is made of, as a sentence."""
        error = {"squared": "the mean squared error", "absolute": "the mean absolute error", "huber": "Huber's error"}
        pixels = error[self.observation(side).penalty]
        of = "the measurements" if "measurements" in self.parts else "what is visible" if self.masked else "the observation"
        if self.pictorial(side):
            return f"The loss is the perceptual distance and {pixels} of {of}."
        small = f"it is {side // self.factor} pixels a side, and features need {SMALLEST}"
        why = {
            "noise": "features would see the noise", "salt-and-pepper": "features would see the grains",
            "scattered": "single pixels have no features", "measurements": "measurements are no picture",
        }  # fmt: skip
        reason = next((why[kind] for kind in why if kind in self.parts), small)
        return f"The loss is {pixels} of {of} alone: {reason}."


def as_picture(target: Target, side: int) -> Tensor:
    """What was observed as pictures (n, 3, side, side): the hidden grey, small ones enlarged by bicubic weights, measurements
    sent back by the pseudo-inverse."""
    for operator in target.observation.operators:
        if isinstance(operator, Measure):
            return _enlarged(operator.adjoint(target.value), side)
    value = target.value if target.mask is None else target.value * target.mask
    return _enlarged(value, side)


def _enlarged(pictures: Tensor, side: int) -> Tensor:
    if pictures.shape[-1] == side:
        return pictures
    return F.interpolate(pictures, size=(side, side), mode="bicubic", align_corners=False)
