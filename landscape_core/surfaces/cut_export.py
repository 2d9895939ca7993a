"""A cut between two ends as a page and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landscape_core.surfaces.cut import Cut, cut_sentence
from landscape_core.surfaces.export import Settings, page
from landscape_core.surfaces.look import COLOURS, array
from landscape_core.surfaces.png import as_png

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLACES = "share of the way from X's end (0) to Z's end (1), in X"
_INK = "#3f4a4d"


def cut_figure(cut: Cut, *, log: bool = False) -> go.Figure:
    """Plotly: the loss along the line, both ends marked."""
    import plotly.graph_objects as go

    figure = go.Figure(go.Scatter(x=array(cut.places), y=array(cut.losses), mode="lines", line={"color": _INK}, name="loss"))
    for place, (lane, loss) in enumerate(cut.ends.items()):
        marker = {"size": 13, "color": COLOURS[lane], "line": {"width": 2, "color": "white"}}
        figure.add_trace(go.Scatter(x=[place], y=[loss], mode="markers", marker=marker, name=f"{lane}'s end"))
    figure.update_layout(height=480, xaxis_title=PLACES, yaxis={"title": "loss", "type": "log" if log else "linear"})
    return figure


def cut_page(cut: Cut, *, settings: Settings, log: bool = False, heading: str = "Loss between both ends") -> str:
    """A whole HTML page that needs no network."""
    return page(heading, [cut_sentence(cut)], cut_figure(cut, log=log), "", settings)


def cut_png(cut: Cut, *, settings: Settings, log: bool = False) -> bytes:
    """The same as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(array(cut.places), array(cut.losses), color=_INK)
    for place, (lane, loss) in enumerate(cut.ends.items()):
        axes.plot([place], [loss], marker="o", markersize=9, color=COLOURS[lane], linestyle="", label=f"{lane}'s end")
    axes.legend()
    axes.set(xlabel=PLACES, ylabel="loss", yscale="log" if log else "linear")
    return as_png(figure, [cut_sentence(cut)], settings, 140)
