"""Published robust CIFAR classifiers: PreAct ResNet and WideResNet checkpoints in RobustBench's naming (Croce et al. 2021)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.errors import UserError, listed
from landscape_core.storage.foreign import exactly, fitted, read_checkpoint, state_dict

_NORMALISATION = {
    "mean": ("mu", "mean", "normalize.mean", "normalizer.mean"),
    "std": ("sigma", "std", "normalize.std", "normalizer.std"),
}
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_ASSUMED = {
    "mean": "The file has no mean of its pictures; 0 is assumed, for pixels in [0, 1]. --mean says another.",
    "std": "The file has no standard deviation of its pictures; 1 is assumed, for pixels in [0, 1]. --std says another.",
}
_UNUSED = re.compile(r"^sub_block1\.")  # WideResNets of the TRADES family carry a group of blocks that no pass goes through


class PreActBlock(nn.Module):
    """Pre-activation residual block; `activated` feeds the shortcut convolution from the activation, not from the input."""

    def __init__(self, n_in: int, n_out: int, stride: int, *, activated: bool, shortcut: str) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(n_in), nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(n_out), nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.activated, self.name = activated, shortcut if stride != 1 or n_in != n_out else ""
        if self.name:
            conv = nn.Conv2d(n_in, n_out, 1, stride, bias=False)
            self.add_module(shortcut, nn.Sequential(conv) if shortcut == "shortcut" else conv)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        skip = self.get_submodule(self.name)(active if self.activated else x) if self.name else x
        return self.conv2(F.relu(self.bn2(self.conv1(active)))) + skip


class PreActResNet(nn.Module):
    """PreAct ResNet with `blocks` blocks in each of four groups; `final_norm` has a batch normalisation before the mean."""

    def __init__(self, blocks: tuple[int, ...], width: int, n_classes: int, *, final_norm: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        n_in = width
        for group, count in enumerate(blocks):
            n_out, layer = width * 2**group, nn.Sequential()
            for i in range(count):
                stride = 2 if group and i == 0 else 1
                layer.append(PreActBlock(n_in, n_out, stride, activated=final_norm, shortcut="shortcut"))
                n_in = n_out
            self.add_module(f"layer{group + 1}", layer)
        self.groups = len(blocks)
        if final_norm:
            self.bn = nn.BatchNorm2d(n_in)
        self.final_norm = final_norm
        self.linear = nn.Linear(n_in, n_classes)

    def features(self, x: Tensor) -> list[Tensor]:
        """Normalised picture -> the maps (B, C, h, w) of every group, early to late."""
        maps = [self.conv1(x)]
        for group in range(self.groups):
            maps.append(self.get_submodule(f"layer{group + 1}")(maps[-1]))
        if self.final_norm:
            maps[-1] = F.relu(self.bn(maps[-1]))
        return maps

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.features(x)[-1].mean(dim=(2, 3)))


class WideResNet(nn.Module):
    """WideResNet (Zagoruyko & Komodakis 2016) with `blocks` blocks in each of three groups."""

    def __init__(self, blocks: int, stem: int, widen: int, n_classes: int, *, bias: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 3, 1, 1, bias=False)
        n_in = stem
        for group in range(3):
            n_out, layer = 16 * widen * 2**group, nn.Sequential()
            for i in range(blocks):
                stride = 2 if group and i == 0 else 1
                layer.append(PreActBlock(n_in, n_out, stride, activated=True, shortcut="convShortcut"))
                n_in = n_out
            holder = nn.Module()
            holder.add_module("layer", layer)
            self.add_module(f"block{group + 1}", holder)
        self.bn1 = nn.BatchNorm2d(n_in)
        self.fc = nn.Linear(n_in, n_classes, bias=bias)

    def features(self, x: Tensor) -> list[Tensor]:
        """Normalised picture -> the maps (B, C, h, w) of every group, early to late."""
        maps = [self.conv1(x)]
        for group in (1, 2, 3):
            maps.append(self.get_submodule(f"block{group}.layer")(maps[-1]))
        maps[-1] = F.relu(self.bn1(maps[-1]))
        return maps

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x)[-1].mean(dim=(2, 3)))


class PublishedClassifier(nn.Module):
    """A published network behind this project's interface: pictures (B, 3, 32, 32) in [-1, 1], `features` and logits."""

    def __init__(self, network: PreActResNet | WideResNet, mean: Tensor, std: Tensor, *, notices: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.notices = notices  # what a user should know about how the file was read
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def _normalised(self, x: Tensor) -> Tensor:
        return ((x + 1.0) / 2.0 - self.get_buffer("mean")) / self.get_buffer("std")

    def features(self, x: Tensor) -> list[Tensor]:
        """Feature maps of the stem and of every group."""
        return self.network.features(self._normalised(x))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, n_classes)."""
        return self.network(self._normalised(x))


def load_robustbench(
    path: Path | str, *, mean: Sequence[float] | None = None, std: Sequence[float] | None = None
) -> PublishedClassifier:
    """A frozen classifier from a checkpoint file; depth and width are read from its tensors.

    A state dict may be wrapped and prefixed as `storage.foreign.state_dict` says, and it may carry the mean and standard
    deviation of its inputs, three numbers each for pixels in [0, 1]; `mean` and `std` say them for a file that does not, or
    overrule it. What was assumed is said in `notices`.

    Raises:
        UserError: no such file, one that cannot be loaded safely, names and shapes of neither architecture, weights that are
            not finite, or a mean or deviation that is none.
    """
    found = state_dict(read_checkpoint(path), path, *_WRAPPERS)
    state = {key: value for key, value in found.tensors.items() if not _UNUSED.match(key)}
    carried = {what: _taken(state, names) for what, names in _NORMALISATION.items()}
    given = {"mean": mean, "std": std}
    chosen = {
        what: _colours(carried[what] if given[what] is None else torch.tensor(given[what]), what, path) for what in carried
    }
    assumed = [_ASSUMED[what] for what, value in chosen.items() if value is None]
    neutral = {"mean": torch.zeros(3, 1, 1), "std": torch.ones(3, 1, 1)}

    def build() -> PublishedClassifier:
        with torch.device("meta"):  # shapes that do not fit each other could ask for any amount of memory
            tensors = exactly(_network(state, path), state)
        network = _network(state, path)
        network.load_state_dict(tensors)
        values = (neutral[what] if value is None else value for what, value in chosen.items())
        return PublishedClassifier(network, *values, notices=(*found.notices, *assumed))

    return fitted(path, "a PreAct ResNet or WideResNet", build)


def _taken(state: dict[str, Tensor], names: tuple[str, ...]) -> Tensor | None:
    """Take the first of these tensors out of the state dict."""
    present = [name for name in names if name in state]
    return state.pop(present[0]) if present else None


def _colours(value: Tensor | None, what: str, path: Path | str) -> Tensor | None:
    """A mean or deviation (3, 1, 1) of pixels in [0, 1].

    Raises:
        UserError: not three numbers, or numbers of another scale.
    """
    if value is None:
        return None
    if value.numel() != 3:
        raise UserError(f"The {what} of the pictures for {path} has {value.numel()} values; 3 are needed, one a colour.")
    numbers = value.reshape(3, 1, 1).float()
    low = 0.0 if what == "mean" else 1e-3
    if not bool(((numbers >= low) & (numbers <= 1.0)).all()):
        said = ", ".join(f"{number:g}" for number in numbers.flatten().tolist())
        raise UserError(
            f"The {what} of the pictures for {path} is {said}; for pixels in [0, 1] it lies from {low:g} to 1. Divide by 255 "
            "what is meant for pixels in 0..255, and give it with --mean and --std."
        )
    return numbers


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    return sum(bool(re.fullmatch(pattern, key)) for key in state)


def _network(state: Mapping[str, Tensor], path: Path | str) -> PreActResNet | WideResNet:
    """An empty network of the architecture that the names belong to."""
    stem = state.get("conv1.weight")
    if stem is not None and "linear.weight" in state and "layer1.0.bn1.weight" in state:
        blocks = tuple(_count(state, rf"layer{group}\.\d+\.conv1\.weight") for group in (1, 2, 3, 4))
        return PreActResNet(blocks, stem.shape[0], state["linear.weight"].shape[0], final_norm="bn.weight" in state)
    if stem is not None and "fc.weight" in state and "block1.layer.0.conv1.weight" in state:
        blocks_each = _count(state, r"block1\.layer\.\d+\.conv1\.weight")
        widen = state["block1.layer.0.conv1.weight"].shape[0] // 16
        return WideResNet(blocks_each, stem.shape[0], widen, state["fc.weight"].shape[0], bias="fc.bias" in state)
    raise UserError(
        f"{path} is neither a PreAct ResNet (conv1, layer1.0.bn1, …, linear) nor a WideResNet (conv1, block1.layer.0, …, fc); "
        f"it has: {listed(sorted(state), 4)}."
    )
