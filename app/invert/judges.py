"""Judges of a reconstruction that were not optimised, at each lane's best step: is the lower loss the better picture?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.runs.session import Message, Picked, Run
from app.target.targets import drawn_input
from landscape_core.images.pixels import to_unit
from landscape_core.search.objectives import FeatureDistance
from landscape_core.search.spaces import Prior
from landscape_core.search.summary import columns, psnr

DRAWS = 10_000
ALIKE = 0.02  # figures this close are called the same


@dataclass(frozen=True)
class Judged:
    """What is found of one lane: its best loss; PSNR in dB (higher is better); the robust-feature distance, where it was not
    what was optimised; the share of inputs drawn from the prior that lie as far out as x̂; ‖x̂ - x*‖ of a drawn target."""

    loss: float
    psnr: float
    features: float | None
    beyond: float
    off: float | None


@torch.no_grad()
def judge(run: Run[Picked], distance: FeatureDistance | None) -> dict[str, Judged]:
    """Every lane of a run by its name; `distance` judges pictures by robust features."""
    state, target = run.trajectory.last, to_unit(run.target.picture)[None]
    assert state is not None
    true, found = drawn_input(run.task, run.target), {}
    for lane, now in zip(run.solver.lanes, state.lanes, strict=True):
        x = lane.space.to_x(now.best_variable)
        picture = run.task.forward(x)
        features = None
        if distance is not None:
            features = float(distance.distance(distance.features(picture), distance.features(target.to(picture)))[0])
        quality, off = float(psnr(picture, target.to(picture))[0]), None if true is None else float((x - true).norm())
        found[lane.name] = Judged(float(now.best_loss[0]), quality, features, share_beyond(run.task.prior, x), off)
    return found


def share_beyond(prior: Prior, x: Tensor) -> float:
    """The share of `DRAWS` inputs drawn from the prior that lie at least as far from its mean as x (1, d), in its own
    deviations (Mahalanobis): 0 says that the prior hardly makes such inputs."""
    noise = torch.linalg.lstsq(prior.factor, (x - prior.mean).T).solution
    draws = torch.randn(DRAWS, prior.factor.shape[1], generator=torch.Generator().manual_seed(0)).norm(dim=1)
    return float((draws >= noise.norm().cpu()).double().mean())


def table(found: dict[str, Judged]) -> Message:
    """The judges as a table: heads with explanations, and by lane one text a column; `best` names the best lane of each."""
    heads = [("loss", "What was optimised; lower is better."), ("PSNR", "Peak signal-to-noise ratio in dB; higher is better.")]
    keys = [("loss", 1.0), ("psnr", -1.0)]
    if all(each.features is not None for each in found.values()):
        heads.append(("robust features", "Distance on features of a classifier trained against attacks; lower is better."))
        keys.append(("features", 1.0))
    if all(each.off is not None for each in found.values()):
        heads.append(("‖x̂ − x*‖", "How far the found input is from the one that the picture was drawn from."))
        keys.append(("off", 1.0))
    best = [min(found, key=lambda lane: sign * getattr(found[lane], key)) for key, sign in keys]
    heads.append(("as far out", f"Share of {DRAWS:,} inputs drawn from the prior that lie as far out as the found one."))
    rows = {
        lane: [*(_text(key, getattr(each, key)) for key, _ in keys), f"{100 * each.beyond:.3g} %"]
        for lane, each in found.items()
    }
    return {"heads": heads, "rows": rows, "best": best}


def disagreement(found: dict[str, Judged]) -> str:
    """Where the lane with the lower loss of a column does not have the better picture by a judge, that in a sentence."""
    sentences = [sentence for x, z in columns(list(found)) if (sentence := _disagree(found, x, z))]
    return " ".join(sentences)


def _disagree(found: dict[str, Judged], x: str, z: str) -> str:
    low, high = (x, z) if found[x].loss <= found[z].loss else (z, x)
    ours, theirs = found[low], found[high]
    said = []
    if theirs.psnr > ours.psnr * (1 + ALIKE):
        said.append(f"PSNR ({theirs.psnr:.1f} against {ours.psnr:.1f} dB)")
    if ours.features is not None and theirs.features is not None and theirs.features < ours.features * (1 - ALIKE):
        said.append(f"robust features ({theirs.features:.3g} against {ours.features:.3g})")
    return f"{low} has the lower loss and not the better picture: by {' and by '.join(said)} {high}'s is." if said else ""


def _text(key: str, value: float) -> str:
    return f"{value:.1f}\u00a0dB" if key == "psnr" else f"{value:.3g}"
