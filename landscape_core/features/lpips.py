"""LPIPS (Zhang et al. 2018) with SqueezeNet's maps, from embedded weights: nothing is ever downloaded."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.features.perceptual import FeatureDistance
from landscape_core.storage import zoo

NAME = "lpips"
LEAST_SIDE = 32  # of a picture, in pixels: of a smaller one the last maps have none
_MISSING_OPERATORS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_library: list[torch.library.Library] = []


def _declare_torchvision_operators() -> None:
    """Let torchvision import beside a torch built for other hardware.

    Its import only *names* two detection operators that such a pair lacks; no model here calls them, so
    declaring their schemas is enough.
    """
    if _library or hasattr(torch.ops.torchvision, "nms"):
        return
    library = torch.library.Library("torchvision", "DEF")
    for schema in _MISSING_OPERATORS.values():
        library.define(schema)
    _library.append(library)  # the definitions live as long as this object


def _package() -> Any:
    """The `lpips` package.

    Raises:
        UserError: it or torchvision does not import here.
    """
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        _declare_torchvision_operators()
    try:
        import lpips
    except (ImportError, RuntimeError, OSError) as error:
        raise UserError(f"LPIPS needs the packages lpips and torchvision, which do not import here: {error}.") from error
    return lpips


def untrained_lpips() -> Any:
    """The package's LPIPS on SqueezeNet with its own linear heads and a random backbone: built without a download."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package calls torchvision by an older signature
        return _package().LPIPS(net="squeeze", pnet_rand=True, verbose=False)


class LpipsDistance(FeatureDistance):
    """LPIPS v0.1 on pictures of any side from `LEAST_SIDE`. Differs from the package's own forward pass only where a map is
    zero, where this one is smooth."""

    def __init__(self) -> None:
        super().__init__()
        package = untrained_lpips()
        self.scaling: nn.Module = package.scaling_layer
        self.network: nn.Module = package.net
        heads = [head.model[-1].weight.detach().flatten() for head in package.lins]
        self.n_maps = len(heads)
        for index, head in enumerate(heads):
            self.register_buffer(f"weight{index}", head.clone())
        self.eval().requires_grad_(False)

    @staticmethod
    def from_state(tensors: Mapping[str, Tensor]) -> LpipsDistance:
        """Build from the embedded weights: backbone and linear heads.

        Raises:
            UserError: the tensors do not belong to such a network, or the packages are missing.
        """
        distance = LpipsDistance()
        try:
            distance.load_state_dict(dict(tensors))
        except RuntimeError as error:
            raise UserError(f"These are not the weights of LPIPS on SqueezeNet: {error}") from error
        return distance.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def maps(self, image: Tensor) -> Sequence[Tensor]:
        maps: Sequence[Tensor] = self.network(self.scaling(image))
        return maps

    def weights(self) -> Sequence[Tensor]:
        return [self.get_buffer(f"weight{index}") for index in range(self.n_maps)]

    def train(self, mode: bool = True) -> LpipsDistance:
        """Stays in eval mode: its network is frozen."""
        return super().train(False)


def load_lpips(assets: Path = zoo.ASSETS) -> LpipsDistance:
    """LPIPS with the embedded weights, frozen.

    Raises:
        UserError: the weights are missing or altered, or the packages are.
    """
    return LpipsDistance.from_state(zoo.load(NAME, assets)[1])
