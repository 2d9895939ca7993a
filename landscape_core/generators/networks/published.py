"""Published StyleGAN2 checkpoints (`g_ema` state dicts of the common PyTorch port) into our generator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import UserError, listed, reading
from landscape_core.generators.networks.stylegan import StyleGAN2, binomial_kernel
from landscape_core.storage.foreign import StateDict, exactly, fitted, read_checkpoint, state_dict
from landscape_core.storage.tensors import check_numbers

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
_NOISE = re.compile(r"^noises\.noise_(\d+)$")
_KERNEL = re.compile(r"\.(blur|upsample)\.kernel$")  # fixed filters; ours has the same, see `_check_kernels`
_FIRST = re.compile(r"^(g_synthesis\.|synthesis\.blocks\.)")  # StyleGAN1, by its other ports
MEAN_OF = 10_000  # inputs, where a file has no mean of W


@dataclass(frozen=True)
class PublishedStyleGAN2:
    """A loaded generator, the fixed noise maps its authors drew with (none where the file has none), and what a user should
    know about how the file was read."""

    generator: StyleGAN2
    noises: list[Tensor]
    notices: tuple[str, ...] = ()


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


def load_published_stylegan2(path: Path | str, checkpoint: Mapping[str, Any] | None = None) -> PublishedStyleGAN2:
    """Build a `StyleGAN2` from a published checkpoint file, `g_ema` or a bare state dict; sizes are read from its tensors.
    `checkpoint` is what the file holds, where that is read already.

    It draws as many channels as the file has. A file without `latent_avg` gets the mean of W over MEAN_OF inputs.

    Raises:
        UserError: the file is no checkpoint, its tensors are not a StyleGAN2's, or what it draws with is not what ours does:
            another filter, noise maps that are incomplete or of other sizes, a mean of W of another width.
    """
    checkpoint = read_checkpoint(path) if checkpoint is None else checkpoint
    found = state_dict(checkpoint, path, "g_ema")
    state = _renamed(found, path)
    _check_kernels(found, path)
    average = checkpoint.get("latent_avg")
    w_mean, said = (None, ()) if average is None else _mean_of_w(average, state["mapping.layers.0.weight"].shape[-1], path)

    def build() -> StyleGAN2:
        with torch.device("meta"):  # shapes that do not fit each other could ask for any amount of memory
            tensors = exactly(_empty(state), {**state, "w_mean": torch.empty(state["mapping.layers.0.weight"].shape[1])})
        generator = _empty(state)
        generator.load_state_dict({**tensors, "w_mean": torch.zeros_like(generator.get_buffer("w_mean"))})
        generator.get_buffer("w_mean").copy_(_sampled_mean(generator) if w_mean is None else w_mean)
        return generator

    generator = fitted(path, "a StyleGAN2 generator", build)
    if w_mean is None:
        said = (f"The file has no mean of W; that of {MEAN_OF:,} random inputs is taken.",)
    return PublishedStyleGAN2(generator, _noises(found, generator, path), (*found.notices, *said))


def _renamed(found: StateDict, path: Path | str) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    with reading(str(path), "does not have the tensors of a StyleGAN2 generator"):
        for key, value in found.tensors.items():
            if not _NOISE.match(key) and not _KERNEL.search(key):
                ours = _rename(key)
                state[ours] = _our_tensor(ours, value)
    needed = ("mapping.layers.0.weight", "synthesis.const", "synthesis.to_rgbs.0.bias")
    if any(_FIRST.match(key) for key in found.tensors):
        raise UserError(
            f"{path} is a StyleGAN1 in a layout that is not read; the common PyTorch port's is (generator.progression, …), and "
            "any other can be brought as a network of your own, --task mine.py."
        )
    if any(state[name].dim() == 0 if name in state else True for name in needed):
        raise UserError(
            f"{path} does not have the tensors of a StyleGAN2 generator (style.1, input, to_rgb1, …), under 'g_ema' or bare; "
            f"it has: {listed(sorted(found.tensors), 4)}."
        )
    return state


def _empty(state: Mapping[str, Tensor]) -> StyleGAN2:
    """A generator of the sizes that the tensors have."""
    n_mapping = sum(bool(re.fullmatch(r"mapping\.layers\.\d+\.weight", key)) for key in state)
    style_dim, out_channels = state["mapping.layers.0.weight"].shape[1], state["synthesis.to_rgbs.0.bias"].shape[0]
    return StyleGAN2(style_dim, n_mapping, _widths(state), out_channels)


def _check_kernels(found: StateDict, path: Path | str) -> None:
    """The filters of a file must be ours: a picture drawn with another one would be another picture."""
    ours = binomial_kernel(4.0)
    for key, kernel in found.tensors.items():
        if _KERNEL.search(key) and (kernel.shape != ours.shape or not torch.allclose(kernel.float(), ours, atol=1e-4)):
            raise UserError(f"{path} filters with another kernel ({key}) than [1, 3, 3, 1]; such a generator is not supported.")


def _mean_of_w(average: Any, width: int, path: Path | str) -> tuple[Tensor, tuple[str, ...]]:
    """`latent_avg` as one w (width,): the mean over styles where there is a row a style."""
    if not isinstance(average, Tensor) or average.numel() == 0 or average.numel() % width or average.shape[-1] != width:
        shape = tuple(average.shape) if isinstance(average, Tensor) else type(average).__name__
        raise UserError(f"'latent_avg' of {path} must be a w of {width} numbers, or one for every style; it is {shape}.")
    check_numbers({"latent_avg": average}, str(path))
    rows = average.float().reshape(-1, width)
    differ = not torch.allclose(rows, rows[:1].expand_as(rows), atol=1e-5)
    said = f"The file has a mean of W for each of {len(rows)} styles; their mean is taken."
    return rows.mean(dim=0), (said,) if differ else ()


@torch.no_grad()
def _sampled_mean(generator: StyleGAN2) -> Tensor:
    width = len(generator.get_buffer("w_mean"))
    mean: Tensor = generator.mapping(torch.randn(MEAN_OF, width, generator=torch.Generator().manual_seed(0))).mean(dim=0)
    return mean


def _noises(found: StateDict, generator: StyleGAN2, path: Path | str) -> list[Tensor]:
    """A map for every convolution, or none at all."""
    maps = {int(match[1]): value for key, value in found.tensors.items() if (match := _NOISE.match(key))}
    shapes = generator.synthesis.noise_shapes()
    wrong = [index for index, shape in enumerate(shapes) if index not in maps or tuple(maps[index].shape) != shape]
    if maps and wrong:
        raise UserError(f"{path} has noise maps, but not those of convolution {listed(wrong)}, or of other sizes there.")
    return [maps[index] for index in sorted(maps) if index < len(shapes)]
