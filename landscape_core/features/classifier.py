"""Small classifiers of 32x32 pictures, residual and plain, whose feature maps, once adversarially trained, are perceptual."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from typing_extensions import Self

from landscape_core.training.norm import SharedNorm


class ConvNorm(nn.Module):
    """Convolution and batch normalisation; `fold` merges the two for inference."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel, stride, padding=(kernel - 1) // 2, bias=False)
        self.norm: nn.Module = SharedNorm(n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))

    def fold(self) -> None:
        """Replace the pair by one convolution with a bias; needs eval mode."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


class DownBlock(nn.Module):
    """Residual block that halves the resolution; returns its inner and its outer activation."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(n_in, n_out, 3, stride=2)
        self.conv2 = ConvNorm(n_out, n_out, 3)
        self.skip = ConvNorm(n_in, n_out, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        inner = F.silu(self.conv1(x))
        return inner, F.silu(self.conv2(inner) + self.skip(F.avg_pool2d(x, 2)))


class Classifier(nn.Module, ABC):
    """What the kinds share: stages that halve the resolution, of `widths` channels each, then the mean and a linear head."""

    head: nn.Linear

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)

    @abstractmethod
    def stages(self, x: Tensor) -> list[Tensor]:
        """Picture (B, 3, H, W) in [-1, 1] -> each stage's outermost map (B, C, h, w), at 1/2, 1/4, 1/8, ... of the side."""

    def forward(self, x: Tensor) -> Tensor:
        """Picture (B, 3, H, W) in [-1, 1] -> logits (B, n_classes)."""
        return self.head(self.stages(x)[-1].mean(dim=(2, 3)))

    def fold(self) -> Self:
        """Merge every batch normalisation into its convolution, in place; returns itself, in eval mode."""
        self.eval()
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()
        return self


class RobustClassifier(Classifier):
    """ResNet-like classifier with smooth activations (SiLU), fully convolutional up to its global mean.

    `widths` are the channels at 1/2, 1/4, 1/8, ... of the picture's side. With the default widths the features
    of a 64x64 picture cost 19 million multiply-adds.
    """

    def __init__(self, widths: Sequence[int] = (32, 48, 72, 112), n_classes: int = 10) -> None:
        super().__init__(widths)
        self.stem = ConvNorm(3, widths[0], 4, stride=2)
        self.blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(widths[-1], n_classes)

    def features(self, x: Tensor) -> list[Tensor]:
        """Picture (B, 3, H, W) in [-1, 1] -> maps (B, C, h, w): the stem's, then two of every block, early to late."""
        maps = [F.silu(self.stem(x))]
        for block in self.blocks:
            maps.extend(block(maps[-1]))
        return maps

    def stages(self, x: Tensor) -> list[Tensor]:
        return self.features(x)[::2]


class VggClassifier(Classifier):
    """VGG-like classifier: plain convolutions of 3x3 and pooling, no shortcut around them; SiLU as above.

    The first two stages have one convolution each and the others two, as VGG-11 has.
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 96), n_classes: int = 10) -> None:
        super().__init__(widths)
        self.blocks = nn.ModuleList(
            nn.ModuleList(ConvNorm(n_in if i == 0 else n_out, n_out, 3) for i in range(1 if stage < 2 else 2))
            for stage, (n_in, n_out) in enumerate(pairwise((3, *widths)))
        )
        self.head = nn.Linear(widths[-1], n_classes)

    def stages(self, x: Tensor) -> list[Tensor]:
        maps = []
        for block in self.blocks:
            assert isinstance(block, nn.ModuleList)
            for conv in block:
                x = F.silu(conv(x))
            x = F.max_pool2d(x, 2)
            maps.append(x)
        return maps


Network = Literal["resnet", "vgg"]
NETWORKS: Mapping[Network, type[Classifier]] = {"resnet": RobustClassifier, "vgg": VggClassifier}


def classifier_of(architecture: Mapping[str, Any]) -> Classifier:
    """An untrained classifier of a card's `network` (a residual one where it says none), `widths` and `n_classes`."""
    kind = NETWORKS[architecture.get("network", "resnet")]
    return kind(architecture["widths"], architecture.get("n_classes", 10))  # type: ignore[call-arg]
