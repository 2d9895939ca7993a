"""Loss surfaces as a picture (PNG, Matplotlib) with what is said about them and the settings they were made with."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from landscape_core.surfaces.averages import Averages, sentence
from landscape_core.surfaces.export import Settings
from landscape_core.surfaces.look import CODE, COLOURS, ON_SURFACE, SCALE, TRUE, array, draped, ranges
from landscape_core.surfaces.panels import Panel, sentences
from landscape_core.surfaces.verdict import verdict, warnings

STYLES = {ON_SURFACE: "-", TRUE: ":"}
_WIDE = 95  # letters of a line below one panel


def surface_png(
    panels: Sequence[Panel], averages: Sequence[Averages] = (), *, settings: Settings, log: bool = False, shared: bool = True
) -> bytes:
    """Surfaces with their paths above, contours in the middle, losses along the paths below, then all that is said."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6 * len(panels), 14), layout="constrained")
    for column, (each, limits) in enumerate(zip(panels, ranges(panels, shared=shared), strict=True)):
        low, high = (math.log10(limit) for limit in limits) if log else limits
        places = [len(panels) * row + column + 1 for row in range(3)]
        solid = figure.add_subplot(3, len(panels), places[0], projection="3d", computed_zorder=False)
        _draw_solid(each, solid, (low, high), log)
        _draw_contours(each, figure, figure.add_subplot(3, len(panels), places[1]), (low, high), log)
        _draw_curves(each, figure.add_subplot(3, len(panels), places[2]), log)
    said = [verdict(panels), *warnings(panels), CODE]
    said += [f"{each.view.title}: {' '.join(sentences(each))}" for each in panels] + [sentence(each) for each in averages]
    return as_png(figure, said, settings, _WIDE * len(panels))


def as_png(figure: Any, said: Sequence[str], settings: Settings, wide: int) -> bytes:
    """The figure with sentences and settings at its foot."""
    lines = [*said, "Settings: " + "; ".join(f"{what} {value}" for what, value in settings.items()) + "."]
    figure.supxlabel("\n".join(textwrap.fill(each, wide) for each in lines if each), fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _colours() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("loss", SCALE)


def _words(log: bool) -> str:
    return "log₁₀ loss" if log else "loss"


def _draw_solid(panel: Panel, axes: Any, limits: tuple[float, float], log: bool) -> None:
    u, v, losses = (array(t) for t in panel.drawn)
    across, along = np.meshgrid(u, v)
    height = np.log10(losses.T) if log else losses.T
    axes.plot_surface(
        across, along, height, cmap=_colours(), vmin=limits[0], vmax=limits[1], rcount=41, ccount=41, alpha=0.8, zorder=1
    )
    for name, path in panel.paths.items():
        on_surface, true = draped(panel, path, log=log), np.column_stack([array(path.coordinates), array(path.true_loss)])
        for points, words in ((on_surface, ON_SURFACE), (true, TRUE)):
            loss = np.log10(points[:, 2]) if log else points[:, 2]
            axes.plot(points[:, 0], points[:, 1], loss, color=COLOURS[name], linestyle=STYLES[words], linewidth=2, zorder=2)
    first, second = panel.view.axes
    axes.set(title=panel.view.title, xlabel=first, ylabel=second, zlim=limits, zlabel=_words(log))
    axes.set_box_aspect(None, zoom=0.85)  # or labels are cut off
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_major_locator(_few())


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5)


def _draw_contours(panel: Panel, figure: Any, axes: Any, limits: tuple[float, float], log: bool) -> None:
    u, v, losses = (array(t) for t in panel.drawn)
    height = np.log10(losses.T) if log else losses.T
    drawn = axes.contourf(*np.meshgrid(u, v), height, levels=np.linspace(*limits, 25), cmap=_colours(), extend="both")
    figure.colorbar(drawn, ax=axes, label=_words(log), format="%.3g")
    for name, path in panel.paths.items():
        axes.plot(*array(path.coordinates).T, color=COLOURS[name], marker=".", label=name)
    axes.legend()
    axes.set(xlabel=panel.view.axes[0], ylabel=panel.view.axes[1])


def _draw_curves(panel: Panel, axes: Any, log: bool) -> None:
    for name, path in panel.paths.items():
        for words, values in ((ON_SURFACE, path.plane_loss), (TRUE, path.true_loss)):
            axes.plot(array(values), color=COLOURS[name], linestyle=STYLES[words], label=f"{name}, {words}")
    axes.legend()
    axes.set(xlabel="step", ylabel="loss", yscale="log" if log else "linear")
