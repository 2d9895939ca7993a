"""Style transfer by the statistics of robust features: a content's codes take on a style's, and the decoder draws them.

The paper aligns features level by level, deepest first, by whitening and colouring (Li et al. 2017), one decoder a level; so
does this, with a strength. `adain` matches means and deviations of channels alone (Huang and Belongie 2017): what is left of
whitening where a small picture has fewer cells than a map has channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from landscape_core.autoencoders.networks import Autoencoder

Alignment = Literal["wct", "adain"]
_RIDGE = 1e-3  # of the mean variance of channels: directions with less are left alone


def adain(content: Tensor, style: Tensor) -> Tensor:
    """Codes (1, C, h, w) with the style's mean and deviation in every channel; the style may have another size."""
    mean, deviation = content.mean((2, 3), keepdim=True), content.std((2, 3), keepdim=True)
    return (content - mean) / (deviation + 1e-5) * style.std((2, 3), keepdim=True) + style.mean((2, 3), keepdim=True)


def wct(content: Tensor, style: Tensor) -> Tensor:
    """Codes (1, C, h, w) whose cells have the style's mean and covariance over channels; the style may have another size."""
    _, cells = _centred(content)
    style_mean, style_cells = _centred(style)
    white = _power(cells @ cells.T / max(cells.shape[1] - 1, 1), -0.5) @ cells
    coloured = _power(style_cells @ style_cells.T / max(style_cells.shape[1] - 1, 1), 0.5) @ white
    return (coloured + style_mean).reshape(content.shape)


def _centred(code: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (C, 1) and what the cells (C, h w) are beside it."""
    cells = code[0].flatten(1)
    mean = cells.mean(dim=1, keepdim=True)
    return mean, cells - mean


def _power(covariance: Tensor, exponent: float) -> Tensor:
    """A symmetric matrix (C, C) to a power, in the directions in which it is not nearly zero."""
    values, axes = torch.linalg.eigh(covariance.double())
    kept = values > _RIDGE * values.clamp_min(0.0).mean()
    powers = torch.where(kept, values.clamp_min(1e-12) ** exponent, torch.zeros_like(values))
    return ((axes * powers) @ axes.T).to(covariance)


ALIGNMENTS: Mapping[Alignment, Callable[[Tensor, Tensor], Tensor]] = {"wct": wct, "adain": adain}


@torch.no_grad()
def stylised(
    models: Sequence[Autoencoder], content: Tensor, style: Tensor, strength: float = 1.0, alignment: Alignment = "wct"
) -> Tensor:
    """The content (1, 3, H, W) in the style of another picture, both in [-1, 1], through every model in turn: give the one
    that inverts the deepest stage first. `strength` from 0, codes as they are, to 1, codes aligned."""
    align = ALIGNMENTS[alignment]
    for model in models:
        code = model.encoder(content)
        content = model.decoder(torch.lerp(code, align(code, model.encoder(style)), strength))
    return content


def style_distance(maps: Callable[[Tensor], Sequence[Tensor]], found: Tensor, style: Tensor) -> Tensor:
    """How far two pictures' (B, 3, H, W) Gram matrices are apart (B,), over the squared norm of the style's, averaged over the
    maps (B, C, h, w) that a network makes of a picture: Gatys et al. 2016."""
    pairs = [(_gram(a), _gram(b)) for a, b in zip(maps(found), maps(style), strict=True)]
    return torch.stack([(a - b).square().sum((1, 2)) / b.square().sum((1, 2)) for a, b in pairs]).mean(dim=0)


def _gram(code: Tensor) -> Tensor:
    cells = code.flatten(2)
    return cells @ cells.transpose(1, 2) / cells.shape[2]
