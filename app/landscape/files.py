"""The drawing that stands as a file: a page, a picture, or data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.landscape.drawing import Drawing
from app.scratch import export_path
from landscape_core.errors import UserError
from landscape_core.storage.files import write_bytes
from landscape_core.surfaces.cut_export import cut_page, cut_png
from landscape_core.surfaces.data import cut_csv, cut_npz, surfaces_csv, surfaces_npz
from landscape_core.surfaces.export import surface_page
from landscape_core.surfaces.png import surface_png

FORMATS = ("html", "png", "npz", "csv")


def export(drawing: Drawing | None, asked: Mapping[str, Any]) -> Path:
    """What stands, as {"what": one of `FORMATS`, "log", "shared"} says, in a new temporary folder.

    Raises:
        UserError: there is nothing yet, or no such format.
    """
    what = asked.get("what")
    if what not in FORMATS:
        raise UserError(f"Surfaces are exported as {', '.join(FORMATS)}.")
    if drawing is None or drawing.standing is None or not _there(drawing):
        raise UserError("There is no surface to export yet; press Run first.")
    path = export_path(f"surfaces-{drawing.number}.{what}")
    content = _content(drawing, what, log=bool(asked.get("log")), shared=asked.get("shared") is not False)
    write_bytes(path, content.encode() if isinstance(content, str) else content)
    return path


def _there(drawing: Drawing) -> bool:
    if drawing.cut is not None:
        return drawing.cut.whole
    return bool(drawing.panels) and all(panel.surface.level for panel in drawing.panels)


def _content(drawing: Drawing, what: str, *, log: bool, shared: bool) -> str | bytes:
    assert drawing.standing is not None
    said, label = {**drawing.settings, "loss axis": "logarithmic" if log else "linear"}, drawing.standing.label
    if drawing.cut is not None:
        match what:
            case "html":
                return cut_page(drawing.cut, settings=said, log=log, heading=f"Loss between both ends: {label}")
            case "png":
                return cut_png(drawing.cut, settings=said, log=log)
            case "npz":
                return cut_npz(drawing.cut, drawing.settings)
        return cut_csv(drawing.cut, drawing.settings)
    panels, known = drawing.panels, [*drawing.averages, *([drawing.live] if drawing.live else [])]
    match what:
        case "html":
            return surface_page(panels, known, settings=said, log=log, shared=shared, heading=f"Loss surfaces: {label}")
        case "png":
            return surface_png(panels, known, settings=said, log=log, shared=shared)
        case "npz":
            return surfaces_npz(panels, drawing.steps, drawing.settings)
    return surfaces_csv(panels, drawing.steps, drawing.settings)
