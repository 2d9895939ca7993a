"""A training as files: run card, numbers as CSV, a picture, an animation of the landscape, and a page that needs no network."""

from __future__ import annotations

import base64
import html
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from landscape_core.images.moving import gif, mp4
from landscape_core.images.pixels import png_bytes
from landscape_core.playground.recording import Frame, frame
from landscape_core.playground.run_card import PlayCard, make_card
from landscape_core.playground.training import LiveTraining
from landscape_core.records.chart import chart_svg
from landscape_core.records.export import CARD, LOSSES, README, REPEAT, picked_steps
from landscape_core.records.repeating import how_to_repeat, script
from landscape_core.storage.csv_text import csv_text
from landscape_core.storage.files import whole
from landscape_core.surfaces.export import surface_figure
from landscape_core.surfaces.look import COLOURS, array

BUFFERS, PICTURE, ANIMATION, PAGE = "buffers.csv", "landscapes.png", "landscape.gif", "page.html"
FILM, CHART = "landscape.mp4", "loss.svg"
FILES = {
    CARD: "the run card: every setting, y, and a fingerprint of Θ",
    BUFFERS: "the mean losses along the descents of every buffer, and while θ descended",
    LOSSES: "the loss of X and of Z at every step, and where they stood",
    CHART: "the loss by step",
    PICTURE: "both landscapes with their paths, Z's grid in X, and the loss over the buffers",
    ANIMATION: "the same, buffer by buffer",
    FILM: "the same as a film",
    PAGE: "both surfaces to turn, in any browser",
    REPEAT: "repeats the training",
}
GIF_FRAMES, RATE = 30, 20 / 3  # and so many a second
_STYLE = "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:80rem;padding:0 1rem}img{max-width:100%}"


def watched(training: LiveTraining, y: Tensor, *, most: int = GIF_FRAMES) -> Iterator[Frame]:
    """The frames of every buffer up to where the training stands, or of about `most` of them, going through it again."""
    last = training.buffer
    for buffer in picked_steps(last, most):
        training.rewind(buffer)
        yield frame(training, y)


def export_files(training: LiveTraining, y: Tensor) -> dict[str, bytes]:
    """Every file of an export by name, for one y (m,)."""
    card = make_card(training, y.tolist())
    frames = list(watched(training, y))
    pictures = [picture(each, training.history) for each in frames]
    moving = gif(pictures, rate=RATE)
    return {
        README: readme(frames[-1], training, card).encode(),
        REPEAT: script(card.environment).encode(),
        CARD: card.model_dump_json(indent=2).encode(),
        BUFFERS: buffers_csv(training.history).encode(),
        LOSSES: path_csv(frames[-1]).encode(),
        PICTURE: png_bytes(picture(frames[-1], training.history)),
        CHART: chart_svg(frames[-1].trajectory).encode(),
        ANIMATION: moving,
        FILM: mp4(pictures, rate=RATE),
        PAGE: page(frames[-1], training, moving).encode(),
    }


def export_zip(path: Path, training: LiveTraining, y: Tensor) -> None:
    """All of them in one zip."""
    with whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in export_files(training, y).items():
            archive.writestr(name, content)


def buffers_csv(history: Sequence[Mapping[str, float]]) -> str:
    """One line a buffer: the mean losses along its trajectories and while θ descended."""
    columns = list(history[0]) if history else []
    return csv_text(["buffer", *columns], ([number, *entry.values()] for number, entry in enumerate(history, start=1)))


def path_csv(frame: Frame) -> str:
    """One line per step and space: the loss and where the descent stood."""
    dims = max(len(variables[0][0]) for variables in (lane.variables for lane in frame.trajectory.lanes))
    rows = (
        [step, lane.name, float(loss[0]), *variable[0].tolist()]
        for lane in frame.trajectory.lanes
        for step, loss, variable in zip(frame.trajectory.steps, lane.losses, lane.variables, strict=True)
    )
    return csv_text(["step", "space", "loss", *(f"variable {number}" for number in range(1, dims + 1))], rows)


def picture(frame: Frame, history: Sequence[Mapping[str, float]]) -> Image.Image:
    """Both exact landscapes with their paths on one scale, Z's grid in X, and the loss over the buffers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 3.6), dpi=80)
    axes = figure.subplots(1, 4)
    figure.subplots_adjust(0.03, 0.13, 0.99, 0.9, 0.2)
    heights = [np.log10(array(each.drawn[2]).clip(1e-6)) for each in frame.panels]
    finite = np.concatenate([height[np.isfinite(height)] for height in heights] + [np.zeros(1)])
    levels = np.linspace(finite.min(), finite.max() + 1e-6, 20)
    for axis, each, height in zip(axes, frame.panels, heights, strict=False):
        u, v, _ = (array(values) for values in each.drawn)
        axis.contourf(u, v, height.T, levels=levels, cmap="viridis")
        for name, path in each.paths.items():
            axis.plot(*array(path.coordinates).T, color=COLOURS[name], marker=".", linewidth=1)
        axis.set(title=each.view.title, xlim=(u[0], u[-1]), ylim=(v[0], v[-1]))
    bent = array(frame.bent)
    for lines in (bent[::4], bent[:, ::4].swapaxes(0, 1)):
        axes[2].plot(lines[..., 0].T, lines[..., 1].T, color=COLOURS["Z"], linewidth=0.6)
    axes[2].set(title="Z's grid in X, by Θ")
    for key in ("start", "end", "theta"):
        known = [entry[key] for entry in history if key in entry]
        axes[3].plot(range(1, len(known) + 1), known, label=key)
    axes[3].axvline(frame.buffer, color="black", linewidth=0.8)
    axes[3].set(title=f"buffer {frame.buffer}", xlabel="buffer", ylabel="mean loss")
    if history:
        axes[3].set_yscale("log")
        axes[3].legend(loc="upper right")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])


def readme(frame: Frame, training: LiveTraining, card: PlayCard) -> str:
    """What is in the export, in words: what both descents came to, settings, files, and how the training is repeated."""
    settings = [f"- {name.replace('_', ' ')}: {value}" for name, value in card.settings.model_dump().items()]
    parts = [
        f"# {_title(frame, training)}",
        _verdict(frame, training),
        "## Settings",
        "\n".join([f"- y: {', '.join(f'{part:.4g}' for part in card.y)}", *settings]),
        "## Files",
        "\n".join(f"- `{name}`: {what}" for name, what in FILES.items()),
        *how_to_repeat(card.environment),
    ]
    return "\n\n".join(parts) + "\n"


def _title(frame: Frame, training: LiveTraining) -> str:
    return f"Playground: {training.playground.settings.model}, Θ after {frame.buffer} buffers"


def _verdict(frame: Frame, training: LiveTraining) -> str:
    ends = ", ".join(f"{lane.name} {float(lane.best_so_far()[-1, 0]):.3g}" for lane in frame.trajectory.lanes)
    return f"Lowest loss after {frame.trajectory.steps[-1]} steps of {training.playground.settings.optimizer}: {ends}."


def page(frame: Frame, training: LiveTraining, animation: bytes) -> str:
    """A whole HTML page: both surfaces to turn, with their paths, and the training as an animation."""
    plot = surface_figure(frame.panels, log=True).to_html(full_html=False, include_plotlyjs=True)
    title, said = _title(frame, training), _verdict(frame, training)
    moving = (
        f'<img alt="The landscape in Z, buffer by buffer" src="data:image/gif;base64,{base64.b64encode(animation).decode()}">'
    )
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    body = f"<h1>{html.escape(title)}</h1><p>{html.escape(said)}</p>{moving}{plot}"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
