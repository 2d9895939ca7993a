"""Claims on how near two ways come to the same pictures: by PSNR and SSIM the difference, by LPIPS the change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from landscape_core.autoencoders.experiments.inversion import mean_difference
from landscape_core.autoencoders.metrics import Quality
from landscape_core.experiments.results import Claim, Result, relative_change

UNITS = {"psnr": "PSNR in dB", "ssim": "SSIM", "lpips": "LPIPS"}


def quality_claims(about: str, ours: Quality, theirs: Quality, paper: str | None) -> list[Claim]:
    """Ours against theirs on the same pictures, (n,) each; `about` is what is compared, `paper` what the paper reports."""
    claims = []
    for name in ("psnr", "ssim"):
        gain, interval = mean_difference(ours[name], theirs[name])
        claims.append(Claim(f"{about}: {UNITS[name]}, difference", paper and "higher", gain, 0.0, "higher", interval))
    change, bounds = relative_change(ours["lpips"], theirs["lpips"])
    claims.append(Claim(f"{about}: LPIPS, change", paper and "lower", change, 0.0, "lower", bounds))
    return claims


def record(result: Result, label: str, measured: Quality) -> None:
    """Keep every picture's measures under a label."""
    for name, values in measured.items():
        result.series[f"{name} | {label}"] = values.tolist()


def bars(result: Result, path: Path) -> None:
    """A bar for the mean of every label, one panel a measure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6 * len(UNITS), 3.2), layout="constrained")
    axes = figure.subplots(1, len(UNITS))
    for axis, (name, words) in zip(axes, UNITS.items(), strict=True):
        means = {label: sum(v) / len(v) for label, v in _of(result, name).items()}
        axis.barh(list(means), list(means.values()), color="tab:blue")
        axis.invert_yaxis()
        axis.set_title(words, fontsize=10)
        axis.tick_params(labelsize=7, labelleft=axis is axes[0])
    figure.savefig(path, dpi=110)


def _of(result: Result, name: str) -> Mapping[str, list[float]]:
    """A measure's series by label."""
    prefix = f"{name} | "
    return {key.removeprefix(prefix): values for key, values in result.series.items() if key.startswith(prefix)}
