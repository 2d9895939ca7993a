"""The forward models of two inputs as tasks, with what is drawn of them and when a search has arrived."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.playground.expressions import Expressions
from landscape_core.playground.forwards import CurvedValley, Ripples, SmallNetwork, Solved, TwoLinkArm
from landscape_core.playground.settings import ModelName, PlaySettings
from landscape_core.search.curvature import mean_curvature, whitener
from landscape_core.search.mapping import build_mapping
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.spaces import Prior, ZSpace
from landscape_core.search.task import Task

LEARNED, EXACT = "learned", "exact"
TOLERANCE = 1e-4
START = (0.3, 0.3)
_CURVATURE_INPUTS = 64
_PROBES = 1024
Corner = tuple[float, float]


class Straightening(nn.Module):
    """The exact Θ of the curved valley, F's inverse: Z is the space of observations around F(start), and the loss in it a round
    bowl. Like every other Z its origin is where X is searched from, `start` (2,)."""

    def __init__(self, valley: CurvedValley, start: Tensor) -> None:
        super().__init__()
        self.valley = valley
        self.register_buffer("origin", valley(start[None]))
        self.device = nn.Parameter(torch.zeros(()), requires_grad=False)  # a ZSpace lives where its mapping's parameters do

    def forward(self, z: Tensor) -> Tensor:
        return self.valley.straighten(z + self.get_buffer("origin"))

    def inverse(self, x: Tensor) -> Tensor:
        """The z (B, 2) that is mapped to x (B, 2)."""
        return self.valley(x) - self.get_buffer("origin")


@dataclass(frozen=True)
class Playground:
    """A task of two inputs. `low` and `high` (2,) are the corners of the part of X that is drawn and that targets come from; a
    search has arrived when its loss is at most `tolerance`; `periodic` inputs are angles. X's origin is the prior's mean."""

    settings: PlaySettings
    task: Task
    low: Tensor
    high: Tensor
    tolerance: float = TOLERANCE
    periodic: bool = False

    def changed(self, **changes: object) -> Playground:
        """The same with other settings of the searches: the start, the optimiser, its rates, the limit."""
        return replace(self, settings=self.settings.model_copy(update=changes))

    @property
    def outputs(self) -> int:
        """The dimension of y."""
        return self.task.forward(self.task.prior.mean[None]).shape[1]

    def inputs(self, n: int, generator: torch.Generator) -> Tensor:
        """n inputs (n, 2), uniform in the drawn part of X."""
        return self.low + (self.high - self.low) * torch.rand(n, 2, generator=generator)

    def minimisers(self, y: Tensor) -> Tensor:
        """The known x (k, 2) with the lowest loss for one y (m,); none where no formula gives them."""
        forward = self.task.forward
        return forward.minimisers(y) if isinstance(forward, Solved) else torch.zeros(0, 2)

    def apart(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances (n, k) between inputs (n, 2) and (k, 2), around the circle where they are angles."""
        difference = a[:, None] - b[None]
        if self.periodic:
            difference = torch.remainder(difference + math.pi, 2 * math.pi) - math.pi
        return difference.norm(dim=2)


_BOXES: dict[ModelName, tuple[Corner, Corner]] = {
    "arm": ((-math.pi, -math.pi), (math.pi, math.pi)),
    "valley": ((-1.0, -0.5), (1.0, 1.5)),
    "ripples": ((-2.0, -2.0), (2.0, 2.0)),
    "network": ((-2.0, -2.0), (2.0, 2.0)),
    "own": ((-3.0, -3.0), (3.0, 3.0)),
}


def load_playground(settings: PlaySettings) -> Playground:
    """The forward model that the settings name, with its exact Θ as space "exact" where one is known.

    Raises:
        UserError: an expression of one's own that cannot be read, or that is not a finite number everywhere in the drawn part.
    """
    forward = _forward(settings)
    low, high = (torch.tensor(corner) for corner in _BOXES[settings.model])
    if settings.model == "own":
        _check_finite(forward, low, high)
    prior = Prior(torch.tensor(START), torch.diag((high - low) / math.sqrt(12.0)))  # the spread of a uniform density

    def samples(n: int, generator: torch.Generator) -> Target:
        return Target(forward(low + (high - low) * torch.rand(n, 2, generator=generator)))

    exact = {EXACT: ZSpace(Straightening(forward, prior.mean), 2)} if isinstance(forward, CurvedValley) else {}
    task = Task(f"play-{settings.model}", forward, prior, SquaredError(), exact, samples=samples)
    return Playground(settings, task, low, high, periodic=settings.model == "arm")


@torch.no_grad()
def _check_finite(forward: nn.Module, low: Tensor, high: Tensor) -> None:
    """Raises UserError where targets drawn between the corners could be no numbers, of which nothing is learned."""
    inputs = low + (high - low) * torch.rand(_PROBES, 2, generator=torch.Generator().manual_seed(0))
    finite = torch.isfinite(forward(inputs)).all(dim=1)
    if not finite.all():
        x1, x2 = inputs[~finite][0].tolist()
        raise UserError(
            f"At x1 = {x1:.2f}, x2 = {x2:.2f} the expressions are no finite numbers, but targets are made of inputs from "
            f"{float(low[0]):g} to {float(high[0]):g}; write log(abs(x1) + 0.1), say, for log(x1)."
        )


def _forward(settings: PlaySettings) -> nn.Module:
    match settings.model:
        case "arm":
            return TwoLinkArm()
        case "valley":
            return CurvedValley()
        case "ripples":
            return Ripples()
        case "network":
            return SmallNetwork(settings.network_seed)
        case "own":
            return Expressions(settings.first, settings.second)


def untrained_theta(playground: Playground) -> nn.Module:
    """Θ before its first buffer, as the settings say it begins."""
    settings, task = playground.settings, playground.task
    taken_out = None
    if settings.begin == "curvature":
        inputs = playground.inputs(_CURVATURE_INPUTS, torch.Generator().manual_seed(settings.seed))
        taken_out = whitener(mean_curvature(task.forward, task.objective, inputs), damping=settings.damping)
    return build_mapping(settings.mapping(), task.prior, whitener=taken_out, seed=settings.seed)
