"""Defence by reversing an attack at test time (section 4.3): the reversal r, the contrastive loss of Eq. 7, the answer.

Pictures are (B, 3, 32, 32) in [-1, 1]. x is the reversal, flattened, for pixels in [0, 1], so that the paper's numbers
(λ = 1, Adam 0.2/255) mean what they mean there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.defence.views import Views
from landscape_core.features.classifier import RobustClassifier
from landscape_core.search.objectives import LossFunction, Target
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task
from landscape_core.storage.zoo import Card

SIDE = 32
DIM = 3 * SIDE * SIDE
PIXEL = 2.0  # pictures span [-1, 1]
BOUND = 16 / 255  # twice the usual L-infinity attack, for pixels in [0, 1]
START = 0.2 / 255  # standard deviation of random starts, in X and in Z: one step of Adam at the rate of section 7.3


class Reversal(nn.Module):
    """F: x (B, 3072) -> the reversal r (B, 3, 32, 32) to add to a picture in [-1, 1], each pixel within ±`bound`.

    Mao et al. (2021) project r onto a ball after every step. Here it is bounded smoothly, r = bound · tanh(x / bound),
    so that descent in X, in Z and any optimiser obey the same bound without knowing of it.
    """

    def __init__(self, bound: float = BOUND) -> None:
        super().__init__()
        self.bound = bound

    def forward(self, x: Tensor) -> Tensor:
        return (PIXEL * self.bound * torch.tanh(x / self.bound)).reshape(-1, 3, SIDE, SIDE)


def restored(attacked: Tensor, r: Tensor) -> Tensor:
    """The attacked picture with the reversal added, clipped to valid pixels: (B, 3, 32, 32) in [-1, 1]."""
    return (attacked + r).clamp(-1.0, 1.0)


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Logit of the true class minus the best other (B,): positive where the answer is right."""
    right = logits.gather(1, labels[:, None])[:, 0]
    other = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
    return right - other


class ContrastiveObjective:
    """Eq. 7 per sample: disagreement between views of the restored picture, plus λ |r|² (r for pixels in [0, 1]).

    The target's value is the attacked picture, the output is r. For every ordered pair of views (i, j) of one picture
    the loss is -log of the softmax of cos(f_i, f_j)/τ among that and cos(f_i, n_k)/τ for the negatives n_k.

    It differs from Mao et al. (2021) and the print where a batch would otherwise couple its samples: negatives are a fixed
    bank of embeddings of training pictures, kept with the head, not the rest of the batch; the views are the same
    few for every picture, fixed by a seed, not drawn anew at each step; the first view is the picture itself; cosines are
    divided by the temperature τ that the head was trained with (Eq. 7 prints none).
    """

    def __init__(
        self, classifier: RobustClassifier, head: ContrastiveHead, views: Views, *, temperature: float = 0.2, decay: float = 1.0
    ) -> None:
        if len(views) < 2:
            raise ValueError("a contrastive loss needs at least two views")
        self.classifier, self.head, self.views = classifier, head, views
        self.temperature, self.decay = temperature, decay

    def bind(self, target: Target) -> LossFunction:
        def loss(r: Tensor) -> Tensor:
            energy = (r / PIXEL).flatten(1).square().sum(dim=1)
            return self.contrastive(restored(target.value, r)) + self.decay * energy

        return loss

    def contrastive(self, pictures: Tensor) -> Tensor:
        """The first term alone, of pictures (B, 3, 32, 32) -> (B,)."""
        views = self.views(pictures)  # (V, B, 3, 32, 32)
        count = len(views)
        maps = self.classifier.features(views.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        f = self.head(maps).unflatten(0, (count, -1))  # (V, B, dim)
        positive = torch.einsum("vbd,wbd->bvw", f, f) / self.temperature
        crowd = torch.logsumexp(f @ self.head.get_buffer("bank").T / self.temperature, dim=2).T[:, :, None]  # (B, V, 1)
        terms = torch.logaddexp(positive, crowd) - positive  # (B, V, V)
        others = ~torch.eye(count, dtype=torch.bool, device=terms.device)
        return terms[:, others].mean(dim=1)


@dataclass(frozen=True)
class Defence:
    """A classifier with what defends it; `task` is the search for r, the cards are the classifier's and its head's."""

    name: str
    classifier: RobustClassifier
    classes: tuple[str, ...]
    task: Task
    card: Card
    head_card: Card

    @property
    def objective(self) -> ContrastiveObjective:
        """The task's objective, whose two terms can be asked for apart."""
        objective = self.task.objective
        assert isinstance(objective, ContrastiveObjective)
        return objective

    @torch.no_grad()
    def logits(self, pictures: Tensor) -> Tensor:
        """The bare classifier's answer (B, 10)."""
        return self.classifier(pictures.contiguous(memory_format=torch.channels_last))


def random_starts(spaces: list[SearchSpace], n: int, seed: int) -> list[Tensor]:
    """Starting variables (n, dim) for every space: noise of deviation START (section 7.3), drawn alike for spaces alike."""
    return [START * torch.randn(n, space.dim, generator=torch.Generator().manual_seed(seed)) for space in spaces]


def map_channels(widths: Sequence[int]) -> list[int]:
    """Channels of the maps that `RobustClassifier.features` returns: the stem's, then two of every block."""
    return [widths[0], *(width for width in widths[1:] for _ in range(2))]


class ContrastiveHead(nn.Module):
    """Means of every map, each normalised, then two layers; `bank` (K, dim) are embeddings of training pictures.

    All scales are seen, since an attack bends the last maps most and the early ones least: a view that disagrees
    across scales is what gives the attack away.
    """

    def __init__(self, channels: Sequence[int], hidden: int = 256, dim: int = 64, bank: int = 512) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(count) for count in channels)
        self.hidden = nn.Linear(sum(channels), hidden)
        self.out = nn.Linear(hidden, dim)
        self.register_buffer("bank", torch.zeros(bank, dim))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C, h, w) of every scale -> unit vectors (B, dim)."""
        pooled = [norm(each.mean(dim=(2, 3))) for norm, each in zip(self.norms, maps, strict=True)]
        return F.normalize(self.out(F.silu(self.hidden(torch.cat(pooled, dim=1)))), dim=1)
