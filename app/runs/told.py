"""What a run's messages say of it, for its export."""

from __future__ import annotations

from typing import Any

from app.runs.session import Message, R, Run
from landscape_core.errors import UserError
from landscape_core.records.run_zip import Told

MEASURED = {  # columns of a run that are numbers, and what a table calls them
    "psnr": "psnr_db", "error": "seen_joints_off_cm", "spread": "hidden_joints_apart_cm", "margin": "margin",
    "l2": "added_l2_255", "linf": "added_linf_255",
}  # fmt: skip


def to_export(run: R | None) -> R:
    """The run that stands.

    Raises:
        UserError: there is none.
    """
    if run is None or run.trajectory.last is None:
        raise UserError("There is no run to export; press Run first.")
    return run


def told_of(run: Run[Any]) -> Told:
    """Verdict, settings, measures and judges as the page was told them."""
    measures = {
        lane: {MEASURED[name]: values for name, values in columns.items() if name in MEASURED}
        for lane, columns in run.columns.items()
    }
    begin, end = _last(run, "begin"), _last(run, "end")
    verdict = " ".join(filter(None, [end.get("summary") or end.get("verdict"), end.get("disagreement"), end.get("replay")]))
    settings = [["target", begin["label"]], *begin["settings"]] if begin.get("settings") else ()
    return Told(verdict, settings, measures, end.get("judges") or {})


def _last(run: Run[Any], kind: str) -> Message:
    return next((message for message in reversed(run.messages) if message["kind"] == kind), {})
