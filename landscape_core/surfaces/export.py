"""Loss surfaces as files: a standalone page to turn them in, and a picture. One camera, one colour scale, one z-axis."""

from __future__ import annotations

import html
import io
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from landscape_core.surfaces.averages import Averages, sentence
from landscape_core.surfaces.panels import Panel, sentences

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = {"X": "#c2410c", "Z": "#0369a1"}
_SCALE = "Viridis"
_CAMERA = {"eye": {"x": 1.5, "y": -1.5, "z": 0.9}}
_STYLE = "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:80rem;padding:0 1rem}h1,h2{font-size:1.2rem}"
_LINKED = """
const plot = document.getElementById('{plot_id}');
let linking = false;
plot.on('plotly_relayout', change => {
  const moved = Object.keys(change).find(key => /^scene\\d*\\.camera/.test(key));
  if (!moved || linking) return;
  const camera = plot.layout[moved.split('.')[0]].camera, update = {};
  Object.keys(plot.layout).filter(key => /^scene\\d*$/.test(key)).forEach(key => update[key + '.camera'] = camera);
  linking = true;
  Plotly.relayout(plot, update).then(() => linking = false);
});
"""


def surface_figure(panels: Sequence[Panel], *, log: bool = False) -> go.Figure:
    """Plotly: the surfaces beside each other, below each the true loss against the plane's along its paths.

    On a surface a path is drawn at the plane's loss (solid) and at the true loss (dotted). `log` sets loss axes and
    colours to base-10 logarithms.

    Raises:
        ValueError: a surface has no complete level yet.
    """
    from plotly.subplots import make_subplots

    columns = len(panels)
    specs = [[{"type": "scene"}] * columns, [{"type": "xy"}] * columns]
    titles = [panel.view.title for panel in panels] + ["loss along the path"] * columns
    figure = make_subplots(2, columns, specs=specs, row_heights=[0.7, 0.3], subplot_titles=titles, vertical_spacing=0.08)
    for column, each in enumerate(panels, start=1):
        _draw_surface(figure, each, column, log)
        _draw_losses(figure, each, column)
    low, high = loss_range(panels)
    limits = [math.log10(low), math.log10(high)] if log else [low, high]
    axis = {"title": "loss", "type": "log" if log else "linear", "range": limits}
    figure.update_scenes(
        camera=_CAMERA, aspectmode="cube", xaxis_title="first direction", yaxis_title="second direction", zaxis=axis
    )
    figure.update_yaxes(title="loss", type=axis["type"])
    figure.update_xaxes(title="step")
    colorbar = {"title": "log₁₀ loss" if log else "loss", "len": 0.6, "y": 0.7}
    figure.update_layout(
        coloraxis={"colorscale": _SCALE, "cmin": limits[0], "cmax": limits[1], "colorbar": colorbar},
        height=900, margin={"l": 30, "r": 30, "t": 50, "b": 40}, legend={"orientation": "h", "y": -0.06},
    )  # fmt: skip
    return figure


def _draw_surface(figure: go.Figure, panel: Panel, column: int, log: bool) -> None:
    import plotly.graph_objects as go

    u, v, losses = (array(t) for t in panel.drawn)
    # Plotly's z has its first index along y.
    colour = np.log10(losses.T) if log else losses.T
    surface = go.Surface(
        x=u, y=v, z=losses.T, surfacecolor=colour, coloraxis="coloraxis", opacity=0.9,
        hovertemplate="(%{x:.3g}, %{y:.3g})<br>loss %{z:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_trace(surface, row=1, col=column)
    for name, path in panel.paths.items():
        place = {"x": array(path.coordinates[:, 0]), "y": array(path.coordinates[:, 1])}
        line = {"color": COLOURS[name], "width": 6}
        steps = np.arange(len(path.true_loss))
        hover = f"{name}, step %{{customdata}}<br>loss %{{z:.4g}}<extra></extra>"
        shared = {**place, "customdata": steps, "hovertemplate": hover, "showlegend": False}
        figure.add_trace(
            go.Scatter3d(**shared, z=array(path.plane_loss), mode="lines+markers", line=line, marker={"size": 3}),
            row=1, col=column,
        )  # fmt: skip
        dotted = {"color": COLOURS[name], "width": 3, "dash": "dot"}
        figure.add_trace(go.Scatter3d(**shared, z=array(path.true_loss), mode="lines", line=dotted), row=1, col=column)


def _draw_losses(figure: go.Figure, panel: Panel, column: int) -> None:
    import plotly.graph_objects as go

    for name, path in panel.paths.items():
        for label, values, dash in (("true", path.true_loss, "dot"), ("on the plane", path.plane_loss, "solid")):
            line = {"color": COLOURS[name], "dash": dash}
            trace = go.Scatter(y=array(values), name=f"{name}, {label}", line=line, showlegend=column == 1 or name == "Z")
            figure.add_trace(trace, row=2, col=column)


def surface_page(
    panels: Sequence[Panel], averages: Sequence[Averages] = (), *, log: bool = False, heading: str = "Loss surfaces"
) -> str:
    """A whole HTML page that needs no network: the figure with linked cameras, what the pictures do not say, and what is
    so on average."""
    plot = surface_figure(panels, log=log).to_html(full_html=False, include_plotlyjs=True, post_script=_LINKED)
    notes = "".join(_notes(panel.view.title, sentences(panel)) for panel in panels)
    if averages:
        notes += _notes("Averages over many examples", [sentence(each) for each in averages])
    title = html.escape(heading)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{title}</h1>{plot}{notes}</body></html>'


def _notes(title: str, said: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(each)}</li>" for each in said)
    return f"<h2>{html.escape(title)}</h2><ul>{items}</ul>"


def surface_png(panels: Sequence[Panel], averages: Sequence[Averages] = (), *, log: bool = False) -> bytes:
    """The same as a PNG by Matplotlib: surfaces above, contours with the paths in the middle, losses and averages below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6 * len(panels), 13), layout="constrained")
    low, high = loss_range(panels)
    for column, each in enumerate(panels):
        u, v, losses = (array(t) for t in each.drawn)
        height = np.log10(losses.T) if log else losses.T
        limits = (math.log10(low), math.log10(high)) if log else (low, high)
        across, along = np.meshgrid(u, v)
        solid = figure.add_subplot(3, len(panels), column + 1, projection="3d")
        solid.plot_surface(across, along, height, cmap="viridis", vmin=limits[0], vmax=limits[1], rcount=41, ccount=41)
        solid.set(title=each.view.title, zlim=limits, zlabel="log₁₀ loss" if log else "loss")
        flat = figure.add_subplot(3, len(panels), len(panels) + column + 1)
        drawn = flat.contourf(across, along, height, levels=np.linspace(*limits, 25), cmap="viridis")
        figure.colorbar(drawn, ax=flat, label="log₁₀ loss" if log else "loss")
        curves = figure.add_subplot(3, len(panels), 2 * len(panels) + column + 1)
        _draw_paths(each, flat, curves)
    said = [f"{each.view.title}: {' '.join(sentences(each))}" for each in panels] + [sentence(each) for each in averages]
    figure.supxlabel("\n".join(textwrap.fill(each, 95 * len(panels)) for each in said), fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _draw_paths(panel: Panel, flat: Any, curves: Any) -> None:
    for name, path in panel.paths.items():
        flat.plot(*array(path.coordinates).T, color=COLOURS[name], marker=".", label=name)
        curves.plot(array(path.true_loss), color=COLOURS[name], linestyle=":", label=f"{name}, true")
        curves.plot(array(path.plane_loss), color=COLOURS[name], label=f"{name}, on the plane")
    flat.legend()
    flat.set(xlabel="first direction", ylabel="second direction")
    curves.legend()
    curves.set(xlabel="step", ylabel="loss", yscale="log")


def loss_range(panels: Sequence[Panel]) -> tuple[float, float]:
    """The range all surfaces and paths share; losses that are not finite are left out.

    Raises:
        ValueError: no finite loss at all.
    """
    values = [array(panel.drawn[2]).ravel() for panel in panels]
    values += [array(loss) for panel in panels for path in panel.paths.values() for loss in (path.true_loss, path.plane_loss)]
    finite = np.concatenate(values)
    finite = finite[np.isfinite(finite)]
    if len(finite) == 0:
        raise ValueError("no loss on these surfaces is finite")
    return float(finite.min()), float(finite.max())


def array(values: Tensor) -> NDArray[np.float32]:
    return np.asarray(values.detach().cpu(), dtype=np.float32)
