"""What the server remembers of a visitor of the Landscape tab: the surfaces that stand."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.latest import Job
from app.standing import Standing
from landscape_core.surface_averages import Averages
from landscape_core.surface_panels import Panel


@dataclass
class Drawing(Job):
    """One press of Run, in progress or at rest. `stop` is asked between steps and between batches of points; `averages`
    are what experiments found, `live` what was measured here the `measured`th time.
    """

    standing: Standing | None = None
    panels: list[Panel] = field(default_factory=list)
    averages: list[Averages] = field(default_factory=list)
    live: Averages | None = None
    measured: int = 0
