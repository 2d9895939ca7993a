"""Targets of which only some is seen, to learn a Θ on a mixture of observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from landscape_core.errors import UserError
from landscape_core.generators.observing import Instrument
from landscape_core.search.objectives import Target
from landscape_core.training.alternating import TargetSampler


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """What instruments are called by themselves.

    Raises:
        UserError: no such instrument, or one whose mask somebody would have to paint.
    """
    instruments = [Instrument.of(name) for name in names]
    if any(instrument.painted for instrument in instruments):
        raise UserError("A mask to learn on is a ready one, as in mask:centre; nobody is there to paint it.")
    return tuple(str(instrument) for instrument in instruments)


def observed_targets(whole: TargetSampler, names: Sequence[str]) -> TargetSampler:
    """A sampler of `whole` pictures as one of the named instruments sees them, drawn at random every time with all that is
    random in it: the targets of one buffer share M, and buffers mix observations."""

    def sample(n: int, random: torch.Generator) -> Target:
        pictures = whole(n, random).value
        name = names[int(torch.randint(len(names), (1,), generator=random))]
        seed = int(torch.randint(2**31 - 1, (1,), generator=random))
        return replace(Instrument.of(name), seed=seed).observe(pictures)

    return sample
