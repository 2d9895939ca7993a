"""Loss surfaces as a standalone page to turn them in: one camera, one colour scale and one z-axis unless each has its own."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from landscape_core.surfaces.averages import Averages, sentence
from landscape_core.surfaces.look import CODE, COLOURS, DASHES, ON_SURFACE, SCALE, TRUE, array, draped, ranges
from landscape_core.surfaces.panels import Panel, sentences
from landscape_core.surfaces.verdict import verdict, warnings

if TYPE_CHECKING:
    import plotly.graph_objects as go

Settings = Mapping[str, object]  # what was set, and to what, in words
_CAMERA = {"eye": {"x": 1.5, "y": -1.6, "z": 1.0}}
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


def surface_figure(panels: Sequence[Panel], *, log: bool = False, shared: bool = True) -> go.Figure:
    """Plotly: the surfaces beside each other, below each the true loss against the plane's along its paths.

    `log` sets loss axes and colours to base-10 logarithms; `shared` gives all surfaces one range of losses, else each has
    its own. Lines are as `look` says.

    Raises:
        ValueError: a surface has no complete level yet.
    """
    from plotly.subplots import make_subplots

    columns = len(panels)
    specs = [[{"type": "scene"}] * columns, [{"type": "xy"}] * columns]
    titles = [panel.view.title for panel in panels] + ["loss along the path"] * columns
    figure = make_subplots(2, columns, specs=specs, row_heights=[0.7, 0.3], subplot_titles=titles, vertical_spacing=0.08)
    for column, (each, limits) in enumerate(zip(panels, ranges(panels, shared=shared), strict=True), start=1):
        _draw_surface(figure, each, column, log)
        _draw_losses(figure, each, column)
        _scale(figure, each, column, columns, limits, log=log, shared=shared)
    figure.update_yaxes(title="loss", type="log" if log else "linear")
    figure.update_xaxes(title="step")
    figure.update_layout(height=900, margin={"l": 30, "r": 30, "t": 50, "b": 40}, legend={"orientation": "h", "y": -0.06})
    return figure


def _scale(
    figure: go.Figure, panel: Panel, column: int, columns: int, limits: tuple[float, float], *, log: bool, shared: bool
) -> None:
    """Axes with their titles, and the colours of one panel; the first panel's bar serves all that share its range."""
    low, high = (math.log10(limit) for limit in limits) if log else limits
    first, second = panel.view.axes
    loss = {"title": "loss", "type": "log" if log else "linear", "range": (low, high)}
    across, along = ({"title": title, "nticks": 5} for title in (first, second))
    figure.update_scenes(
        camera=_CAMERA, aspectmode="cube", xaxis=across, yaxis=along, zaxis=loss, row=1, col=column
    )  # fmt: skip
    place = 1.02 if shared else column / columns - 0.02
    bar = {"title": "log₁₀ loss" if log else "loss", "len": 0.6, "y": 0.7, "x": place}
    name = "coloraxis" if column == 1 or shared else f"coloraxis{column}"
    figure.update_layout({name: {"colorscale": SCALE, "cmin": low, "cmax": high, "colorbar": bar}})
    figure.update_traces(coloraxis=name, row=1, col=column, selector={"type": "surface"})


def _draw_surface(figure: go.Figure, panel: Panel, column: int, log: bool) -> None:
    import plotly.graph_objects as go

    u, v, losses = (array(t) for t in panel.drawn)
    # Plotly's z has its first index along y.
    surface = go.Surface(
        x=u, y=v, z=losses.T, surfacecolor=np.log10(losses.T) if log else losses.T, opacity=0.92,
        hovertemplate="(%{x:.3g}, %{y:.3g})<br>loss %{z:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_trace(surface, row=1, col=column)
    for name, path in panel.paths.items():
        on_surface, true = draped(panel, path, log=log), np.column_stack([array(path.coordinates), array(path.true_loss)])
        for points, words, width in ((on_surface, ON_SURFACE, 6), (true, TRUE, 4)):
            line = {"color": COLOURS[name], "width": width, "dash": DASHES[words]}
            steps = np.linspace(0, len(true) - 1, len(points))
            hover = f"{name}, {words}, step %{{customdata:.0f}}<br>loss %{{z:.4g}}<extra></extra>"
            trace = go.Scatter3d(
                x=points[:, 0], y=points[:, 1], z=points[:, 2], customdata=steps, hovertemplate=hover, mode="lines", line=line,
                showlegend=False, name=f"{name}, {words}",
            )  # fmt: skip
            figure.add_trace(trace, row=1, col=column)


def _draw_losses(figure: go.Figure, panel: Panel, column: int) -> None:
    import plotly.graph_objects as go

    for name, path in panel.paths.items():
        for words, values in ((ON_SURFACE, path.plane_loss), (TRUE, path.true_loss)):
            line = {"color": COLOURS[name], "dash": DASHES[words]}
            trace = go.Scatter(y=array(values), name=f"{name}, {words}", line=line, showlegend=column == 1 or name == "Z")
            figure.add_trace(trace, row=2, col=column)


def surface_page(
    panels: Sequence[Panel], averages: Sequence[Averages] = (), *, settings: Settings, log: bool = False, shared: bool = True,
    heading: str = "Loss surfaces",
) -> str:  # fmt: skip
    """A whole HTML page that needs no network: the verdict, the figure with linked cameras, what the pictures do not say,
    what is so on average, and the settings."""
    notes = "".join(_notes(panel.view.title, sentences(panel)) for panel in panels)
    if averages:
        notes += _notes("Averages over many examples", [sentence(each) for each in averages])
    figure = surface_figure(panels, log=log, shared=shared)
    return page(heading, [verdict(panels), *warnings(panels), CODE], figure, notes, settings, script=_LINKED)


def page(heading: str, said: Sequence[str], figure: Any, notes: str, settings: Settings, *, script: str | None = None) -> str:
    """A whole HTML page around a Plotly figure."""
    plot = figure.to_html(full_html=False, include_plotlyjs=True, post_script=script)
    title, told = html.escape(heading), "".join(f"<p>{html.escape(each)}</p>" for each in said if each)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    notes += _notes("Settings", [f"{what}: {value}" for what, value in settings.items()])
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{title}</h1>{told}{plot}{notes}</body></html>'


def _notes(title: str, said: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(each)}</li>" for each in said)
    return f"<h2>{html.escape(title)}</h2><ul>{items}</ul>"
