"""One look for surfaces on screen, in pages and in pictures: colours, which line is which, and how a path lies on a surface.

The line code is the same everywhere: solid lies on the surface, at the loss of the path's projection on the plane; dotted is
the true loss, which the run met.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from landscape_core.surfaces.panels import Panel
from landscape_core.surfaces.surface import PathOnPlane

COLOURS = {"X": "#b4480f", "Z": "#1f4fa3"}
SCALE = ["#fbf6dc", "#d3e6b5", "#8fc9a2", "#4a9f93", "#256f78"]  # from low to high; paths stand out on all of it
ON_SURFACE, TRUE = "on the surface", "true loss"
DASHES = {ON_SURFACE: "solid", TRUE: "dot"}
CODE = "Solid: the path on the surface, at the loss of its projection on the plane. Dotted: the true loss, which the run met."
_PIECES = 8  # of a path's segment, for the surface is not straight between two steps

Array = NDArray[np.float64]


def array(values: Tensor) -> Array:
    """A tensor as NumPy takes it."""
    return np.asarray(values.detach().cpu(), dtype=np.float64)


def draped(panel: Panel, path: PathOnPlane, *, log: bool) -> Array:
    """The path as it lies on the drawn surface: points (m, 3) of both axes and the loss, every eighth one a step.

    Between grid points the drawn surface is straight in the loss, or in its logarithm with `log`.
    """
    from scipy.interpolate import RegularGridInterpolator

    u, v, losses = (array(values) for values in panel.drawn)
    on = RegularGridInterpolator((u, v), np.log10(losses) if log else losses, bounds_error=False, fill_value=None)
    steps = array(path.coordinates)
    moments = np.arange(_PIECES * (len(steps) - 1) + 1) / _PIECES
    places = np.stack([np.interp(moments, np.arange(len(steps)), steps[:, axis]) for axis in (0, 1)], axis=1)
    heights = on(places)
    return np.column_stack([places, 10.0**heights if log else heights])


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


def ranges(panels: Sequence[Panel], *, shared: bool) -> list[tuple[float, float]]:
    """Of every panel the range it is drawn over: that of all of them, or its own."""
    return [loss_range(panels if shared else [each]) for each in panels]
