"""Inverting features by descent from noise: adversarially robust ones give the picture back, plain ones less so.

The claim of "Inverting Adversarially Robust Networks for Image Synthesis", on our perceptual network and its twin, which
is the same network trained on the same pictures without attacks. Nothing but the distance between features is descended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from landscape_core.experiments.results import Claim, Result, relative_change
from landscape_core.features.classifier import RobustClassifier
from landscape_core.features.perceptual import FeatureDistance, RobustDistance
from landscape_core.images.sheets import labelled_rows
from landscape_core.progress import Tick
from landscape_core.search.judges import psnr

ROBUST, PLAIN = "robust", "plain"
DEEP, WHOLE = "deepest map", "whole distance"


@dataclass(frozen=True)
class FeatureSettings:
    """Adam on pixels from noise of `noise` standard deviation, the rate falling linearly to zero over `steps`.

    The rate is chosen for every network and distance on `tune_targets` training pictures, by the distance descended.
    """

    targets: int = 20
    steps: int = 300
    rates: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2)
    tune_targets: int = 4
    noise: float = 0.3
    seed: int = 0


class MapDistance(FeatureDistance):
    """The distance between one map of a network alone, all channels weighing the same."""

    def __init__(self, network: RobustClassifier, index: int = -1) -> None:
        super().__init__()
        self.network, self.index = network, index
        self.register_buffer("weight", torch.ones(network.head.weight.shape[1]))

    def maps(self, image: Tensor) -> Sequence[Tensor]:
        return [self.network.features(image)[self.index]]

    def weights(self) -> Sequence[Tensor]:
        return [self.get_buffer("weight")]


def reconstruct(distance: FeatureDistance, pictures: Tensor, settings: FeatureSettings, lr: float) -> tuple[Tensor, Tensor]:
    """Pictures (n, 3, H, W) from their features alone, and the distances (n,) they end at."""
    wanted = distance.features(pictures)
    random = torch.Generator().manual_seed(settings.seed)
    found = (settings.noise * torch.randn(pictures.shape, generator=random)).to(pictures.device).requires_grad_()
    optimizer = torch.optim.Adam([found], lr)
    for step in range(settings.steps):
        optimizer.param_groups[0]["lr"] = lr * (1.0 - step / settings.steps)
        optimizer.zero_grad()
        distance.distance(distance.features(found), wanted).sum().backward()
        optimizer.step()
        with torch.no_grad():
            found.clamp_(-1.0, 1.0)
    with torch.no_grad():
        return found.detach(), distance.distance(distance.features(found), wanted)


def recognised(reference: FeatureDistance, reconstructions: Tensor, pictures: Tensor) -> Tensor:
    """(n,) 1 where a reconstruction is nearer to its own picture than to any other of the set, by the reference."""
    with torch.no_grad():
        wanted, found = ([reference.features(one[None]) for one in each] for each in (pictures, reconstructions))
        rows = [torch.cat([reference.distance(mine, other) for other in wanted]) for mine in found]
    return (torch.stack(rows).argmin(dim=1) == torch.arange(len(pictures))).float()


Distances = Mapping[str, Mapping[str, FeatureDistance]]  # what is compared -> network -> distance


def distances_of(networks: Mapping[str, RobustDistance]) -> Distances:
    """The deepest map alone, and the whole calibrated distance, of the robust network and of the plain one."""
    return {DEEP: {name: MapDistance(each.network) for name, each in networks.items()}, WHOLE: dict(networks)}


def run_features(
    networks: Mapping[str, RobustDistance],
    hashes: Mapping[str, str],
    reference: FeatureDistance,
    train: Tensor,
    sets: Mapping[str, Tensor],
    agreements: Mapping[str, float],
    settings: FeatureSettings,
    command: str,
    tick: Tick,
) -> Result:
    """`networks` are the robust and the plain one; `reference` (LPIPS) judges; `agreements` are rank correlations with it."""
    rates = choose_rates(networks, train, settings, tick)
    result = Result(
        "features", command, settings.seed, hashes, {label: len(pictures) for label, pictures in sets.items()},
        {**asdict(settings), "rates_chosen": {" | ".join(key): lr for key, lr in rates.items()}},
    )  # fmt: skip
    for kind, pair in distances_of(networks).items():
        for label, pictures in sets.items():
            for name, distance in pair.items():
                found, _ = reconstruct(distance, pictures, settings, rates[kind, name])
                key = f"{kind} | {name} | {label}"
                with torch.no_grad():
                    result.series[f"psnr | {key}"] = psnr(found, pictures).tolist()
                    result.series[f"lpips | {key}"] = reference(found, pictures).tolist()
                    result.series[f"recognised | {key}"] = recognised(reference, found, pictures).tolist()
                tick("reconstructing", 1, 1)
            result.claims += _claims(result, kind, label)
    result.claims.append(
        Claim("rank correlation with LPIPS, held-out distortions, robust", None, agreements[ROBUST], 0.9, "higher")
    )
    result.series["rank correlation with LPIPS"] = [agreements[ROBUST], agreements[PLAIN]]
    return result


def choose_rates(
    networks: Mapping[str, RobustDistance], train: Tensor, settings: FeatureSettings, tick: Tick
) -> dict[tuple[str, str], float]:
    """For every distance and network the rate that ends lowest on training pictures (n, 3, H, W)."""
    chosen = {}
    pictures = train[: settings.tune_targets]
    for kind, pair in distances_of(networks).items():
        for name, distance in pair.items():
            ends = {lr: float(reconstruct(distance, pictures, settings, lr)[1].mean()) for lr in settings.rates}
            chosen[kind, name] = min(ends, key=lambda lr: ends[lr])
            tick("choosing rates", len(chosen), 4)
    return chosen


def _claims(result: Result, kind: str, label: str) -> list[Claim]:
    """PSNR, LPIPS and recognition of the robust network's reconstructions against the plain one's."""

    def of(measure: str, name: str) -> Tensor:
        return torch.tensor(result.series[f"{measure} | {kind} | {name} | {label}"])

    gain, interval = mean_difference(of("psnr", ROBUST), of("psnr", PLAIN))
    change, bounds = relative_change(of("lpips", ROBUST), of("lpips", PLAIN))
    share = of("recognised", ROBUST)
    more, range_ = mean_difference(share, of("recognised", PLAIN))
    return [
        Claim(f"{label}, {kind}: PSNR in dB, robust minus plain", "higher", gain, 0.0, "higher", interval),
        Claim(f"{label}, {kind}: LPIPS, robust against plain", "lower", change, 0.0, "lower", bounds),
        Claim(f"{label}, {kind}: share recognised among all by LPIPS, robust", None, float(share.mean()), 0.95, "higher"),
        Claim(f"{label}, {kind}: that share, robust minus plain", None, more, 0.0, "higher", range_),
    ]


def mean_difference(a: Tensor, b: Tensor) -> tuple[float, tuple[float, float]]:
    """Mean of a - b over the same pictures (n,), with a 95 % bootstrap interval."""
    difference = (a - b).double().numpy()
    found = stats.bootstrap((difference,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(0))
    return float(difference.mean()), (float(found.confidence_interval.low), float(found.confidence_interval.high))


def sheet(
    networks: Mapping[str, RobustDistance], pictures: Tensor, result: Result, settings: FeatureSettings, path: Path
) -> None:
    """What came back of some pictures (n, 3, H, W), with the rates the result chose; show only what may be shown."""
    rows = {"the picture": pictures}
    for kind, pair in distances_of(networks).items():
        for name, distance in pair.items():
            lr = result.settings["rates_chosen"][f"{kind} | {name}"]
            rows[f"from {kind}, {name}"] = reconstruct(distance, pictures, settings, lr)[0]
    labelled_rows(rows, scale=2).save(path, optimize=True)
