"""The losses of a run, or what else its lanes measure, as a chart in SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Literal

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from landscape_core.search.trajectory import Trajectory

COLOURS = {"X": "#b4552d", "Z": "#1f6199"}
STYLES = ("-", "--", ":", "-.")
_SETTING = Lock()  # Matplotlib's settings are the process's, and several runs may be exported at once


def chart_svg(trajectory: Trajectory) -> str:
    """The loss of every lane by step, the mean where there are several samples, on a logarithmic axis."""
    losses = {lane.name: lane.loss_table().mean(dim=1).tolist() for lane in trajectory.lanes}
    return lines_svg(trajectory.steps, losses, across="step", up="loss", scale="log")


def lines_svg(
    places: Sequence[float], lanes: Mapping[str, Sequence[float]], *, across: str, up: str, scale: Literal["log", "linear"]
) -> str:
    """A line for every lane, over the same places; a row's lanes share its colour."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.add_subplot()
    rows: dict[str, int] = {}
    for name, values in lanes.items():
        row = name[:1]
        style = STYLES[rows.get(row, 0) % len(STYLES)]
        rows[row] = rows.get(row, 0) + 1
        axis.plot(places, values, color=COLOURS.get(row), linestyle=style, label=name)
    axis.set(xlabel=across, ylabel=up, yscale=scale)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(frameon=False)
    axis.grid(visible=True, color="#e2dfd8", linewidth=0.6)
    text = io.StringIO()
    with _SETTING, rc_context({"svg.hashsalt": "run", "svg.fonttype": "none"}):  # the same run, the same file; text stays text
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
