"""What instruments make of pictures (B, 3, H, W): linear operators, each with a sentence on its adjoint where it is used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

LUMINANCE = (0.299, 0.587, 0.114)  # Rec. 601


@dataclass(frozen=True)
class Shrink:
    """1 / `factor` of the side: by averaging areas, or by bicubic weights that are widened against aliasing."""

    factor: int
    how: Literal["area", "bicubic"] = "area"

    def __call__(self, pictures: Tensor) -> Tensor:
        if self.how == "area":
            return F.avg_pool2d(pictures, self.factor)
        side = pictures.shape[-1] // self.factor
        return F.interpolate(pictures, size=(side, side), mode="bicubic", antialias=True, align_corners=False)


@dataclass(frozen=True, eq=False)
class Blur:
    """Correlation with a kernel (k, k), k odd, that sums to 1; beyond the edge the outermost pixels go on."""

    kernel: Tensor

    def __call__(self, pictures: Tensor) -> Tensor:
        reach, channels = len(self.kernel) // 2, pictures.shape[1]
        weight = self.kernel.to(pictures).expand(channels, 1, -1, -1)
        return F.conv2d(F.pad(pictures, [reach] * 4, mode="replicate"), weight, groups=channels)


@dataclass(frozen=True, eq=False)
class SeparableBlur:
    """Correlation with weights (k,), k odd, that sum to 1, along the rows and along the columns; beyond the edge the outermost
    pixels go on. A product with a matrix from either side: nine times as quick as a convolution with a kernel of 19 pixels."""

    weights: Tensor

    def __call__(self, pictures: Tensor) -> Tensor:
        height, width = (self._matrix(pictures, side) for side in pictures.shape[-2:])
        return height @ pictures @ width.T

    def _matrix(self, like: Tensor, side: int) -> Tensor:
        """What the blur makes of a line of that many pixels: (side, side)."""
        reach = len(self.weights) // 2
        every = torch.eye(side, dtype=like.dtype, device=like.device)[:, None]
        return F.conv1d(F.pad(every, [reach] * 2, mode="replicate"), self.weights.to(like)[None, None])[:, 0].T


def gaussian(sigma: float) -> SeparableBlur:
    """A blur of standard deviation `sigma` pixels, cut off at three of them."""
    reach = math.ceil(3 * sigma)
    along = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).double() / sigma).square())
    return SeparableBlur((along / along.sum()).float())


def motion(length: float, angle: float = 0.0) -> Blur:
    """A straight shake of `length` pixels at `angle` degrees from the horizontal, anticlockwise: a line, each of its points
    shared among the four pixels around it."""
    reach = math.ceil(length / 2)
    kernel = torch.zeros(2 * reach + 3, 2 * reach + 3, dtype=torch.float64)
    turn, middle = math.radians(angle), reach + 1
    for at in torch.linspace(-length / 2, length / 2, 16 * reach + 1).tolist():
        x, y = middle + at * math.cos(turn), middle - at * math.sin(turn)
        column, row = math.floor(x), math.floor(y)
        right, down = x - column, y - row
        kernel[row, column] += (1 - down) * (1 - right)
        kernel[row, column + 1] += (1 - down) * right
        kernel[row + 1, column] += down * (1 - right)
        kernel[row + 1, column + 1] += down * right
    return Blur((kernel / kernel.sum()).float())


@dataclass(frozen=True)
class Grey:
    """Luminance in all three channels, so that it stays a picture."""

    def __call__(self, pictures: Tensor) -> Tensor:
        weights = torch.tensor(LUMINANCE).to(pictures)[:, None, None]
        return (pictures * weights).sum(dim=1, keepdim=True).expand_as(pictures)


@dataclass(frozen=True, eq=False)
class Measure:
    """Few random linear measurements: (B, C, H, W) -> (B, C, m). Pixels get random signs (H, W), the orthonormal Hartley
    transform mixes them all, and m of its coefficients, at `index` (m,), are kept: a subsampled randomised Fourier
    transform. Its rows are orthonormal, so that a measurement is as large as a pixel."""

    signs: Tensor
    index: Tensor

    @staticmethod
    def drawn(m: int, side: int, generator: torch.Generator) -> Measure:
        """m measurements of each channel of pictures of that side."""
        signs = torch.randint(0, 2, (side, side), generator=generator).float() * 2 - 1
        return Measure(signs, torch.randperm(side * side, generator=generator)[:m])

    def __call__(self, pictures: Tensor) -> Tensor:
        mixed = hartley(pictures * self.signs.to(pictures)).flatten(2)
        return mixed[..., self.index.to(pictures.device)]

    def adjoint(self, measured: Tensor) -> Tensor:
        """Mᵀ y (B, C, H, W), which is M's pseudo-inverse too."""
        side = len(self.signs)
        spread = measured.new_zeros(*measured.shape[:2], side * side)
        spread[..., self.index.to(measured.device)] = measured
        return hartley(spread.unflatten(2, (side, side))) * self.signs.to(measured)


def hartley(pictures: Tensor) -> Tensor:
    """The two-dimensional Hartley transform, real, orthonormal and its own inverse."""
    found = torch.fft.fft2(pictures.contiguous(), norm="ortho")  # or its strides decide the last bits
    return found.real - found.imag
