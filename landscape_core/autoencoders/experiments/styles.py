"""Style transfer measured: is a picture nearer to another's style afterwards, and still itself?

The judge is none of the networks whose features are changed: Gram matrices and distance on SqueezeNet's maps, as in LPIPS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.autoencoders.models import Inverter
from landscape_core.autoencoders.style import ALIGNMENTS, style_distance, stylised
from landscape_core.experiments.results import Claim, Result, relative_change
from landscape_core.features.perceptual import FeatureDistance
from landscape_core.images.sheets import labelled_rows
from landscape_core.progress import Tick

PAPER = "improved over standard autoencoders"
Stages = Mapping[str, Sequence[Inverter]]  # "robust", "standard" -> decoders, the deepest stage first


def run_style(
    stages: Stages, contents: Tensor, styles: Tensor, judge: FeatureDistance, result: Result, tick: Tick
) -> tuple[Result, dict[str, Tensor]]:
    """`features-style`: every content (n, 3, H, W) in every style (m, 3, H, W); the result, and the pictures (n m, 3, H, W)."""
    pairs = [(content[None], style[None]) for style in styles for content in contents]
    wanted = torch.cat([style for _, style in pairs])
    found = {"content": torch.cat([content for content, _ in pairs]), "style": wanted}
    for who, inverters in stages.items():
        models = [each.model for each in inverters]
        found[f"{who}, given back"] = torch.cat([stylised(models, *pair, 0.0) for pair in pairs])
        for name in ALIGNMENTS:
            found[f"{who}, {name}"] = torch.cat([stylised(models, *pair, 1.0, name) for pair in pairs])
            tick("styles", len(found) - 2, len(stages) * (1 + len(ALIGNMENTS)))
    found = {label: pictures.clamp(-1.0, 1.0) for label, pictures in found.items()}
    with torch.no_grad():
        for label, pictures in found.items():
            result.series[f"distance to the style | {label}"] = style_distance(judge.maps, pictures, wanted).tolist()
            result.series[f"LPIPS to the content | {label}"] = judge(pictures, found["content"]).tolist()
    result.claims += _claims(result, stages)
    return result, found


def _claims(result: Result, stages: Stages) -> list[Claim]:
    def of(measure: str, label: str) -> Tensor:
        return torch.tensor(result.series[f"{measure} | {label}"])

    claims = []
    for name in ALIGNMENTS:
        for who in stages:
            nearer = relative_change(
                of("distance to the style", f"{who}, {name}"), of("distance to the style", f"{who}, given back")
            )
            claims.append(
                Claim(f"{who}, {name}: distance to the style, change by aligning", None, nearer[0], 0.0, "lower", nearer[1])
            )
        for measure in ("distance to the style", "LPIPS to the content"):
            ours, theirs = (of(measure, f"{who}, {name}") for who in stages)
            change, interval = relative_change(ours, theirs)
            claims.append(Claim(f"{name}: {measure}, {' against '.join(stages)}", PAPER, change, 0.0, "lower", interval))
    return claims


def sheet(found: Mapping[str, Tensor], path: Path) -> None:
    """All pictures, a row a label, in 256 colours: it is to be looked at, and three times as small."""
    labelled_rows(found).quantize(256).save(path, optimize=True)
