"""Published StyleGAN2 checkpoints (`g_ema` state dicts of the common PyTorch port) into our generator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.networks.stylegan import StyleGAN2
from landscape_core.storage.foreign import fitted, read_checkpoint, unwrap

# (pattern, replacement): published name -> our name
_RENAMES = (
    (r"^style\.(\d+)\.", lambda m: f"mapping.layers.{int(m[1]) - 1}."),
    (r"^input\.input$", lambda m: "synthesis.const"),
    (r"^conv1\.", lambda m: "synthesis.convs.0."),
    (r"^convs\.(\d+)\.", lambda m: f"synthesis.convs.{int(m[1]) + 1}."),
    (r"^to_rgb1\.", lambda m: "synthesis.to_rgbs.0."),
    (r"^to_rgbs\.(\d+)\.", lambda m: f"synthesis.to_rgbs.{int(m[1]) + 1}."),
    (r"\.noise\.weight$", lambda m: ".noise_strength"),
    (r"\.activate\.bias$", lambda m: ".bias"),
)
# Fixed filters, and the noise maps that come back as `PublishedStyleGAN2.noises`.
_IGNORED = re.compile(r"(\.blur\.kernel|\.upsample\.kernel)$|^noises\.noise_\d+$")


@dataclass(frozen=True)
class PublishedStyleGAN2:
    """A loaded generator and the fixed noise maps its authors drew with."""

    generator: StyleGAN2
    noises: list[Tensor]


def _rename(key: str) -> str:
    for pattern, replacement in _RENAMES:
        key = re.sub(pattern, replacement, key)
    return key


def _our_tensor(key: str, value: Tensor) -> Tensor:
    if key.endswith("conv.weight"):  # (1, out, in, k, k) -> (out, in, k, k)
        return value[0]
    if key.startswith("synthesis.to_rgbs") and value.dim() == 4:  # bias (1, C, 1, 1) -> (C,)
        return value.flatten()
    return value


def _widths(state: Mapping[str, Tensor]) -> list[int]:
    n_levels = sum(bool(re.fullmatch(r"synthesis\.to_rgbs\.\d+\.bias", key)) for key in state)
    return [state[f"synthesis.convs.{2 * level}.conv.weight"].shape[0] for level in range(n_levels)]


def load_published_stylegan2(path: Path | str) -> PublishedStyleGAN2:
    """Build a `StyleGAN2` from a published checkpoint file; sizes are read from its tensors.

    Raises:
        UserError: the file is no checkpoint, has no `g_ema`, or its tensors are not a StyleGAN2's.
    """
    checkpoint = read_checkpoint(path)
    if "g_ema" not in checkpoint:
        raise UserError(f"{path} has no 'g_ema' entry; a published StyleGAN2 generator checkpoint does.")
    published = unwrap(checkpoint, "g_ema")
    state = {}
    for key, value in published.items():
        if not _IGNORED.search(key):
            ours = _rename(key)
            state[ours] = _our_tensor(ours, value)

    def build() -> StyleGAN2:
        style_dim = state["mapping.layers.0.weight"].shape[1]
        n_mapping = sum(bool(re.fullmatch(r"mapping\.layers\.\d+\.weight", key)) for key in state)
        out_channels = state["synthesis.to_rgbs.0.bias"].shape[0]
        generator = StyleGAN2(style_dim, n_mapping, _widths(state), out_channels)
        state["w_mean"] = checkpoint.get("latent_avg", torch.zeros(style_dim)).flatten()
        generator.load_state_dict(state)
        return generator

    generator = fitted(path, "a StyleGAN2 generator", build)
    noises = [published[f"noises.noise_{i}"] for i in range(len(generator.synthesis.convs)) if f"noises.noise_{i}" in published]
    return PublishedStyleGAN2(generator, noises)
