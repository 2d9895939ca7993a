"""What one application is: F, L, what is known of F's inputs, and the spaces it can be searched in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.search.gauss_newton import can_linearise
from landscape_core.search.objectives import Objective, Target, nothing
from landscape_core.search.optimizers import OptimizerName, OptimizerSettings, chosen
from landscape_core.search.spaces import Prior, SearchSpace, Start, XSpace

X = "X"


class Tuned(BaseModel):
    """An optimiser's best settings in one space from one kind of start, chosen on training data; what a model's card lists
    under "tuned"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Start = "mean"
    optimizer: OptimizerSettings


@dataclass(frozen=True)
class Task:
    """An inversion problem without its target. Frozen and shared: nothing in it changes while it is used.

    `forward` is F, inputs (B, d) -> outputs (B, ...), of which `prior` says what inputs are like and `objective` what an output
    costs, one loss a sample. `mappings` are the learned spaces by name, the first being the default; `encode` is the
    feed-forward baseline y -> x; `hashes` are the sha256 of every model file in use; `advised` is, by space, the optimiser that
    did best on training data, and `tuned` what every optimiser that was tried does best with. `picture` makes what people
    see of F's outputs (n, ...) for one target (1, ...), or of the target itself where the output is None: pictures
    (n, 3, side, side) in [-1, 1]; without it the outputs are pictures already. `samples` draws targets to try things on;
    without it they are what F makes of inputs from the prior. `observe` reads a user's file as a target (1, ...), where no
    domain does. `side` is that of the pictures, in pixels, 0 where nothing is a picture. `input_term` is what losses have
    for F's inputs (B, d) themselves, (B,).
    """

    name: str
    forward: nn.Module
    prior: Prior
    objective: Objective
    mappings: Mapping[str, SearchSpace] = field(default_factory=dict)
    encode: Callable[[Tensor], Tensor] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    advised: Mapping[str, OptimizerSettings] = field(default_factory=dict)
    tuned: Mapping[str, Sequence[Tuned]] = field(default_factory=dict)
    picture: Callable[[Tensor | None, Target], Tensor] | None = None
    samples: Callable[[int, torch.Generator], Target] | None = None
    observe: Callable[[Path], Target] | None = None
    side: int = 0
    input_term: Callable[[Tensor], Tensor] = nothing

    @property
    def device(self) -> torch.device:
        """Where F and everything searched lives."""
        return self.prior.mean.device

    @property
    def default_space(self) -> str:
        """The learned space that Z is where none is named.

        Raises:
            UserError: there is none.
        """
        if not self.mappings:
            raise UserError(f"{self.name} has no learned space; train one: python -m landscape_core train mapping.")
        return next(iter(self.mappings))

    def z_space(self, asked: str | None) -> str:
        """The learned space that Z is: the one that is asked for, the default where it is None.

        Raises:
            UserError: none is asked for, and there is none.
        """
        return self.default_space if asked is None else asked

    def space(self, name: str) -> SearchSpace:
        """X, or the learned space of that name.

        Raises:
            UserError: there is no such space.
        """
        return XSpace(self.prior) if name == X else self.learned(name)

    def learned(self, name: str) -> SearchSpace:
        """The learned space of that name, for a lane Z.

        Raises:
            UserError: there is no such space, or it is X.
        """
        if name == X:
            raise UserError(f"Z searches a learned space, not {X} itself; {self.name} has: {', '.join(self.mappings)}.")
        if name not in self.mappings:
            raise UserError(f"{self.name} has no space {name!r}; it has: {', '.join([X, *self.mappings])}.")
        return self.mappings[name]

    def advice(
        self, space: str, optimizer: OptimizerName | None = None, *, start: Start = "mean", lr: float | None = None,
        first_move: float | None = None, history: int | None = None,
    ) -> OptimizerSettings:  # fmt: skip
        """The optimiser to search that space with: the advised one where none is named, else the paper's Adam 0.1, with what
        it was tuned to for that start, and with any of its settings replaced.

        Raises:
            UserError: a setting out of range, or one that the optimiser does not have.
        """
        advised = self.advised.get(space, OptimizerSettings())
        name = optimizer or advised.name
        fitting = [each.optimizer for each in self.tuned.get(space, ()) if each.optimizer.name == name and each.start == start]
        known = fitting[0] if fitting else advised
        other = None if known.name == name else name
        return chosen(known, len(self.prior.mean), space, other, lr=lr, first_move=first_move, history=history)

    def optimizers(self, space: str) -> list[OptimizerName]:
        """The optimisers that can search that space; Levenberg-Marquardt needs a sum of squares of few variables."""
        every: tuple[OptimizerName, ...] = get_args(OptimizerName)
        able = can_linearise(self.objective, self.space(space))
        return [each for each in every if able or each != "levenberg-marquardt"]

    def shown(self, output: Tensor | None, target: Target) -> Tensor:
        """F's outputs (n, ...) for one target (1, ...), or the target itself for None, as pictures (n, 3, s, s) in [-1, 1]."""
        if self.picture is not None:
            return self.picture(output, target)
        return target.value if output is None else output

    @torch.no_grad()
    def sampled(self, n: int, generator: torch.Generator) -> Target:
        """n targets drawn at random."""
        if self.samples is not None:
            return self.samples(n, generator)
        return Target(self.forward(self.prior.sample(n, generator)))
