"""A followed clip in one zip that explains itself: what was run, what every frame measures, the chart over time, the film."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors.torch import save
from torch import Tensor

from landscape_core.images.moving import gif, mp4
from landscape_core.records.chart import lines_svg
from landscape_core.records.export import ANIMATION, CARD, FILM, LATENTS, MEASURES, README
from landscape_core.records.film import Row, drawn
from landscape_core.records.run_card import environment
from landscape_core.search.follow import Following, Track
from landscape_core.search.race import RunSettings
from landscape_core.storage.csv_text import csv_text
from landscape_core.storage.files import whole

OVER_TIME = "over-time.svg"
FILM_FRAMES = 600  # at most: of a longer clip every nth, at its own speed


@dataclass(frozen=True)
class Followed:
    """A clip as far as it was followed. `frames` are the numbers that the frames done have in their source, `fps` of them a
    second; `measured` has by lane a number for every frame and column (T, m), such as an error in cm a joint, and `unit` says
    what they are."""

    source: str
    settings: RunSettings
    how: Following
    models: Mapping[str, str]
    frames: Sequence[int]
    fps: float
    tracks: Sequence[Track]
    columns: Sequence[str]
    measured: Mapping[str, Tensor]
    unit: str

    @property
    def over_time(self) -> dict[str, list[float]]:
        """By lane the mean of its columns for every frame."""
        return {name: values.mean(dim=1).tolist() for name, values in self.measured.items()}


def summary(followed: Followed) -> str:
    """What every lane came to, in a sentence."""
    said = [
        f"{track.name}: {followed.measured[track.name].mean():.3g} {followed.unit}, {track.rate:.3g} frames a second"
        for track in followed.tracks
    ]
    count = len(followed.frames)
    return (
        f"{count} {'frame' if count == 1 else 'frames'}, {followed.how.order}, {followed.settings.steps} steps each. "
        + "; ".join(said)
    )


def export_followed(
    path: Path, followed: Followed, target: Tensor, shown: Mapping[str, Tensor], extra: Mapping[str, bytes] = {}
) -> None:
    """Write the zip: `target` and, by lane, what was found of it as pictures uint8 (T, 3, H, W), and the domain's own files."""
    step = -(-len(target) // FILM_FRAMES)
    film, rate = film_of(followed, target, shown, step), followed.fps / step
    files = {
        README: readme(followed, list(extra)).encode(),
        CARD: json.dumps(record(followed), indent=1).encode(),
        MEASURES: frames_csv(followed).encode(),
        OVER_TIME: chart(followed).encode(),
        LATENTS: save({f"{track.name}.variable": track.variable.contiguous() for track in followed.tracks}),
        ANIMATION: gif(film, rate=rate, rest=0),
        FILM: mp4(film, rate=rate, rest=0),
        **extra,
    }
    with whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def readme(followed: Followed, extra: Sequence[str] = ()) -> str:
    """What is in the zip, in words; `extra` are the names of the domain's own files."""
    about = {
        CARD: "every setting, the models' hashes, and what each lane came to",
        MEASURES: "a line for every frame and lane",
        OVER_TIME: f"{followed.unit} by frame, the mean of its columns",
        ANIMATION: "the target with what was found of it beside, at the clip's own speed",
        FILM: "the same as a film",
        LATENTS: "the variables of every frame (safetensors)",
        **dict.fromkeys(extra, "the motion"),
    }
    parts = [
        f"# {followed.source}, followed",
        f"{summary(followed)}.",
        "## Settings",
        "\n".join(f"- {what}: {value}" for what, value in _settings(followed).items()),
        "## Files",
        "\n".join(f"- `{name}`: {what}" for name, what in about.items()),
        "## Follow it again",
        "With the project's Python, given the clip, which is not in here. Joints that were hidden are told by `--seen`; rates "
        "that were changed are in the settings alone.",
        f"```\n{_command(followed)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _every(followed: Followed) -> int:
    frames = followed.frames
    return frames[1] - frames[0] if len(frames) > 1 else 1


def _settings(followed: Followed) -> dict[str, object]:
    settings, how, frames = followed.settings, followed.how, followed.frames
    lanes = dict(zip(settings.names(), settings.lanes, strict=True))
    return {
        "model": settings.task,
        "frames": f"{frames[0]} to {frames[-1]}, every {_every(followed)}, {followed.fps:g} a second",
        "order": how.order,
        "smoothness": f"{how.smoothness:g}",
        "steps a frame": settings.steps,
        "seed": settings.seed,
        "perceptual distance": settings.perceptual,
        "weight of the prior": f"{settings.prior_weight:g}",
        **{name: f"{lane.optimizer.name} at rate {lane.optimizer.lr:g} in {lane.space}" for name, lane in lanes.items()},
    }


def _command(followed: Followed) -> str:
    """The line that follows the clip by the same settings."""
    settings, how, frames = followed.settings, followed.how, followed.frames
    words = [
        "python -m landscape_core follow CLIP", f"--task {settings.task}",
        f"--first {frames[0]} --last {frames[-1]} --every {_every(followed)}",
        f"--order {how.order} --smoothness {how.smoothness:g} --batch {how.batch} --steps {settings.steps}",
        *(f"--space {space}" for space in settings.learned[:1]),
        *(f"--optimizer {name}" for name in settings.optimizers),
        f"--perceptual {settings.perceptual} --prior-weight {settings.prior_weight:g} --seed {settings.seed}",
        f"--threads {environment()['threads']}",
    ]  # fmt: skip
    return " ".join(words)


def record(followed: Followed) -> dict[str, Any]:
    """Everything that was set, and what each lane came to."""
    result = {
        track.name: {
            "frames_per_second": track.rate,
            followed.unit: float(followed.measured[track.name].mean()),
            "loss": float(track.loss.mean()),
        }
        for track in followed.tracks
    }
    return {
        "kind": "follow",
        "source": followed.source,
        "frames": list(followed.frames),
        "fps": followed.fps,
        "settings": followed.settings.model_dump(),
        "following": followed.how.model_dump(),
        "models": dict(followed.models),
        "environment": environment(),
        "result": result,
    }


def frames_csv(followed: Followed) -> str:
    """A line for every frame and lane: its number in the source, when it is, the loss of what was seen, and every column."""
    rows: list[list[object]] = []
    for index, frame in enumerate(followed.frames):
        for track in followed.tracks:
            values = [f"{value:.6g}" for value in followed.measured[track.name][index].tolist()]
            rows.append([frame, f"{index / followed.fps:.4f}", track.name, repr(float(track.loss[index])), *values])
    return csv_text(["frame", "second", "lane", "loss", *(f"{name} ({followed.unit})" for name in followed.columns)], rows)


def chart(followed: Followed) -> str:
    """Every lane's mean over its columns, by frame, as SVG."""
    return lines_svg(followed.frames, followed.over_time, across="frame", up=followed.unit, scale="linear")


def film_of(followed: Followed, target: Tensor, shown: Mapping[str, Tensor], step: int = 1) -> list[Image.Image]:
    """Every `step`th frame of the target with what each lane found of it beside, under what that measures."""
    means = followed.over_time
    return [
        drawn([Row(f"frame {followed.frames[at]}", [
            ("target", target[at]),
            *((f"{name}, {means[name][at]:.3g} {followed.unit}", pictures[at]) for name, pictures in shown.items()),
        ])])
        for at in range(0, len(target), step)
    ]  # fmt: skip
