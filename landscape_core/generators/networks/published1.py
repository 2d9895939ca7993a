"""Published StyleGAN1 checkpoints (`g_running` of the common PyTorch port) into our generator.

| tensors of the file                                        | what they are                                              |
|------------------------------------------------------------|------------------------------------------------------------|
| style.N.linear.weight_orig, .bias                          | layers of the mapping network, N odd                       |
| generator.progression.0.conv1.input                        | the learned constant                                       |
| generator.progression.I.conv1.1.conv.weight_orig, .bias    | nearest neighbours, then a convolution; .conv1.2 the filter |
| generator.progression.I.conv1.0.weight, .bias              | the two as one transposed convolution; .conv1.1 the filter |
| generator.progression.I.conv2.conv.weight_orig, .bias      | the level's second convolution                             |
| generator.progression.I.adainK.style.linear.weight_orig    | a style's scale and shift                                  |
| generator.progression.I.noiseK.weight_orig                 | strength of the noise                                      |
| generator.to_rgb.I.conv.weight_orig, .bias                 | a level's picture                                          |

Every weight is multiplied by √(2 / fan-in) when it is used. A file has all levels up to 1024 pixels, however far it was grown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.errors import UserError, listed, reading
from landscape_core.generators.networks.stylegan1 import StyleGAN1, triangle_kernel
from landscape_core.storage.foreign import exactly, fitted, state_dict

_WRAPPERS, _GENERATOR = ("g_running", "generator"), "generator.progression."
_LEVEL = re.compile(r"generator\.(?:progression|to_rgb)\.(\d+)\.")
_LAYER = re.compile(r"style\.(\d+)\.linear\.weight_orig")
_BLUR = re.compile(r"\.conv1\.[12]\.weight(_flip)?$")
_EPSILON = 1e-8
MEAN_OF = 10_000  # inputs, of which the mean of W is taken: files have none


@dataclass(frozen=True)
class PublishedStyleGAN1:
    """A loaded generator, its levels' widths, w (MEAN_OF, D) of random inputs of its mapping network, and what a user should
    know about how the file was read."""

    generator: StyleGAN1
    channels: list[int]
    w: Tensor
    notices: tuple[str, ...] = ()


def is_stylegan1(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a checkpoint has such a generator's tensors."""
    inner = [checkpoint, *(checkpoint[key] for key in _WRAPPERS if isinstance(checkpoint.get(key), Mapping))]
    return any(_GENERATOR in str(key) for each in inner for key in each)


def load_published_stylegan1(checkpoint: Mapping[str, Any], path: Path) -> PublishedStyleGAN1:
    """Build a `StyleGAN1` from what a published file holds, up to the last level that was trained.

    Raises:
        UserError: tensors that are not such a generator's, of another filter, or of an earlier layout of that port.
    """
    found = state_dict(checkpoint, path, *_WRAPPERS)
    state, levels = found.tensors, _trained(found.tensors, path)
    with reading(str(path), "does not have the tensors of a StyleGAN1 generator"):
        w = _mapped(state, torch.randn(MEAN_OF, _width(state), generator=torch.Generator().manual_seed(0)))

        channels = [len(state[f"generator.progression.{i}.conv2.conv.bias"]) for i in range(levels)]

    def build() -> StyleGAN1:
        converted = {**_converted(state, levels, path), "w_mean": w.mean(dim=0)}
        with torch.device("meta"):  # shapes that do not fit each other could ask for any amount of memory
            tensors = exactly(StyleGAN1(w.shape[1], channels), converted)
        generator = StyleGAN1(w.shape[1], channels)
        generator.load_state_dict(tensors)
        return generator

    generator = fitted(path, "a StyleGAN1 generator", build)
    grown = 1 + max(int(match[1]) for key in state if (match := _LEVEL.match(key)))
    side = generator.synthesis.resolution
    left = () if levels == grown else (f"It was grown to {side} pixels; the levels above, never trained, are left out.",)
    return PublishedStyleGAN1(generator, channels, w, (*found.notices, *left))


def _trained(state: Mapping[str, Tensor], path: Path) -> int:
    """How many levels were trained: what never drew a picture has kept its biases, which began as zeros."""
    drawn = [i for i in range(32) if (bias := state.get(f"generator.to_rgb.{i}.conv.bias")) is not None and bool(bias.any())]
    if not drawn:
        raise UserError(f"{path} has no level that was trained to draw pictures: every bias of 'generator.to_rgb' is zero.")
    if "generator.progression.1.conv1.conv.weight_orig" in state:
        raise UserError(
            f"{path} is a StyleGAN1 of an earlier layout, which does not say in what order it filters, adds noise and "
            "normalises; bring it as a network of your own, --task mine.py."
        )
    return drawn[-1] + 1


def _layers(state: Mapping[str, Tensor]) -> list[int]:
    return sorted(int(match[1]) for key in state if (match := _LAYER.fullmatch(key)))


def _width(state: Mapping[str, Tensor]) -> int:
    """Of w. Raises ValueError where the layers of the mapping network are not all of it, which would ask for any memory."""
    shapes = [tuple(state[f"style.{layer}.linear.weight_orig"].shape) for layer in _layers(state)]
    width = shapes[0][0] if shapes and shapes[0] else 0
    if not width or shapes != [(width, width)] * len(shapes):
        raise ValueError(f"layers of the mapping network of sizes {listed(sorted({str(shape) for shape in shapes}), 4)}")
    return width


@torch.no_grad()
def _mapped(state: Mapping[str, Tensor], z: Tensor) -> Tensor:
    """z (B, D) -> w (B, D) by the file's mapping network."""
    w = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + _EPSILON)
    for layer in _layers(state):
        w = F.leaky_relu(F.linear(w, *_scaled(state, f"style.{layer}.linear")), 0.2)
    return w


def _scaled(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of a layer, as it uses them."""
    weight = state[f"{name}.weight_orig"].float()
    return weight * math.sqrt(2.0 / weight[0].numel()), state[f"{name}.bias"].float()


def _converted(state: Mapping[str, Tensor], levels: int, path: Path) -> dict[str, Tensor]:
    """The tensors of the first levels by our names; what else the file has of them is noise, and the filter, which is checked.

    Raises:
        KeyError: one is missing. ValueError: one is left over.
    """
    converted: dict[str, Tensor] = {}
    used = {f"style.{layer}.linear.{part}" for layer in _layers(state) for part in ("weight_orig", "bias")}
    for i in range(levels):
        theirs, ours = f"generator.progression.{i}", f"synthesis.levels.{i}"
        pairs = {f"{theirs}.conv2.conv": f"{ours}.conv"}
        pairs |= {f"{theirs}.adain{k}.style.linear": f"{ours}.adain{k}.style" for k in (1, 2)}
        pairs |= {f"generator.to_rgb.{i}.conv": "synthesis.to_rgb"} if i == levels - 1 else {}
        for source, name in pairs.items():
            converted[f"{name}.weight"], converted[f"{name}.bias"] = _scaled(state, source)
            used |= {f"{source}.weight_orig", f"{source}.bias"}
        if i == 0:
            converted[f"{ours}.const"] = state[f"{theirs}.conv1.input"]
            used.add(f"{theirs}.conv1.input")
        else:
            converted[f"{ours}.up.weight"], converted[f"{ours}.up.bias"], names = _upsampling(state, f"{theirs}.conv1")
            used |= names
    _check_rest({key: value for key, value in state.items() if key not in used}, levels, path)
    return converted


def _upsampling(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor, set[str]]:
    """Kernel (in, out, 4, 4) and bias of the transposed convolution of stride 2 that a level begins with, and their names.

    A convolution by w after nearest neighbours is one by the four shifted copies of the turned w, summed; the file's own
    transposed convolutions take their mean."""
    if f"{name}.0.weight" in state:
        weight, bias = state[f"{name}.0.weight"].float(), state[f"{name}.0.bias"]
        weight = weight * math.sqrt(2.0 / weight[:, 0].numel()) / 4.0
        names = {f"{name}.0.weight", f"{name}.0.bias"}
    else:
        weight, bias = _scaled(state, f"{name}.1.conv")
        weight = weight.flip(2, 3).transpose(0, 1)
        names = {f"{name}.1.conv.weight_orig", f"{name}.1.conv.bias"}
    padded = F.pad(weight, (1, 1, 1, 1))
    return padded[:, :, 1:, 1:] + padded[:, :, :-1, 1:] + padded[:, :, 1:, :-1] + padded[:, :, :-1, :-1], bias, names


def _check_rest(rest: Mapping[str, Tensor], levels: int, path: Path) -> None:
    for key, value in rest.items():
        level = _LEVEL.match(key)
        if level is not None and (int(level[1]) >= levels or ".noise" in key or key.startswith("generator.to_rgb.")):
            continue
        if level is None or not _BLUR.search(key):
            raise ValueError(f"unknown {listed(sorted(rest), 4)}")
        if value.shape[1:] != (1, 3, 3) or not torch.allclose(value, triangle_kernel().expand_as(value), atol=1e-4):
            raise UserError(f"{path} filters with another kernel ({key}) than [1, 2, 1]; such a generator is not supported.")
