"""What one application is: F, L, what is known of F's inputs, and the spaces it can be searched in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.search.objectives import Objective, Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Prior, SearchSpace, XSpace

X = "X"


@dataclass(frozen=True)
class Task:
    """An inversion problem without its target. Frozen and shared: nothing in it changes while it is used.

    `mappings` are the learned spaces by name, the first being the default; `encode` is the feed-forward
    baseline y -> x; `hashes` are the sha256 of every model file in use; `advised` is, by space, the optimiser that
    did best on training data. `picture` makes what people see of F's outputs (n, ...) for one target (1, ...), or of the
    target itself where the output is None: pictures (n, 3, s, s) in [-1, 1]; without it the outputs are pictures already.
    `samples` draws targets to try things on; without it they are what F makes of inputs from the prior.
    """

    name: str
    forward: nn.Module
    prior: Prior
    objective: Objective
    mappings: Mapping[str, SearchSpace]
    encode: Callable[[Tensor], Tensor] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    advised: Mapping[str, OptimizerSettings] = field(default_factory=dict)
    picture: Callable[[Tensor | None, Target], Tensor] | None = None
    samples: Callable[[int, torch.Generator], Target] | None = None

    @property
    def device(self) -> torch.device:
        """Where F and everything searched lives."""
        return self.prior.mean.device

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

    def advice(self, name: str, *, lr: float | None = None) -> OptimizerSettings:
        """The optimiser to start with in that space: the advised one, else the paper's Adam 0.1; `lr` overrides its rate."""
        advised = self.advised.get(name, OptimizerSettings())
        return advised if lr is None else OptimizerSettings(name=advised.name, lr=lr)

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
