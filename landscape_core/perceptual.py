"""Perceptual distances between pictures."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from landscape_core.errors import UserError

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


def load_lpips(net: str = "squeeze") -> nn.Module:
    """Real LPIPS (Zhang et al. 2018) on pictures (B, 3, H, W) in [-1, 1], frozen; returns (B, 1, 1, 1).

    Raises:
        UserError: torchvision or lpips does not import here, or the backbone's weights are neither in the
            torch hub folder nor can be downloaded.
    """
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        _declare_torchvision_operators()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import lpips

            distance = lpips.LPIPS(net=net, verbose=False)
    except (ImportError, RuntimeError, OSError) as error:
        raise UserError(
            f"Real LPIPS is not available here ({error}). It needs the lpips and torchvision packages and the {net} weights "
            "in torch's hub folder ($TORCH_HOME/hub/checkpoints); use --perceptual embedded instead, which needs nothing."
        ) from error
    return distance.eval().requires_grad_(False)
