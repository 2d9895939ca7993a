"""Completions as messages for the gallery: losses of every step, and one sheet of all K pictures for the steps shown.

Sheets sent on the way are WebP (quality 90: 40 pictures a step would
be heavy otherwise); those of the end are lossless PNG, and so is whatever is sent on to another tab.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import torch
from torch import Tensor

from app.runs.lanes import table_of
from app.runs.legs import finite
from app.runs.sentences import start_sentence
from app.runs.session import Message, Picked, Run
from app.runs.settings import words
from landscape_core.generators.completion import CompletionSet, completion_sets
from landscape_core.images.pixels import png_base64, to_bytes, webp
from landscape_core.search.race import SEPARATOR
from landscape_core.search.solver import LaneState
from landscape_core.search.summary import columns

EVERY_STEP_TO, SHEETS = 10, 40


def shown(step: int, limit: int) -> bool:
    """Whether the browser gets the pictures of this step: the first ten, then about forty in all."""
    return step <= EVERY_STEP_TO or step % max(1, limit // SHEETS) == 0


def sheet(output: Tensor) -> Tensor:
    """K pictures (K, 3, H, W) in [-1, 1] as one row, uint8 (3, H, K·W)."""
    return torch.cat(list(to_bytes(output)), dim=2)


def mask_text(mask: Tensor) -> str:
    """(1, 1, H, W) -> a character per pixel, row by row: 1 visible, 0 hidden."""
    return "".join("1" if value else "0" for value in mask[0, 0].flatten().tolist())


def mask_at(text: str, side: int) -> str:
    """A mask's text for a picture of another side: each pixel is what lies under its middle. Empty stays empty."""
    had = isqrt(len(text))
    if had in (0, side):
        return text
    at = [(2 * i + 1) * had // (2 * side) for i in range(side)]
    return "".join(text[row * had + column] for row in at for column in at)


def begin(run: Run[Picked]) -> Message:
    """The first message: what is completed, behind which mask, how many times, with which settings."""
    mask = run.solver.target.mask
    assert mask is not None  # completion_solver refuses a target without one
    return {
        "kind": "begin",
        "number": run.number,
        "target": png_base64(run.target.picture),
        "label": run.target.label,
        "side": run.task.side,
        "mask": mask_text(mask[:1]),
        "k": len(run.solver.target),
        "lanes": [lane.name for lane in run.solver.lanes],
        "table": table_of(run.settings),
        "columns": columns(run.settings.names()),
        "start": start_sentence(run),
        "settings": [*words(run.settings), ["observed", f"{float(mask[:1].mean()):.0%} of the picture"]],
        "limit": run.solver.max_steps,
    }


def column(run: Run[Picked], step: int, lane: LaneState) -> Message:
    """What a lane's K completions measure at a step, and their pictures where these are shown."""
    return {
        "loss": [finite(value) for value in lane.loss.tolist()],
        "sheet": webp(sheet(lane.output)) if shown(step, run.solver.max_steps) else None,
    }


def end(run: Run[Picked], reason: str) -> Message:
    """The last message: every lane's completions with fidelity and diversity, and what the two lanes say together."""
    state = run.trajectory.last
    assert state is not None
    sets = completion_sets(run.task, run.solver.lanes, state, run.solver.target)
    lanes = {
        each.name: {"sheet": png_base64(sheet(each.pictures)), "fidelity": finite(each.fidelity), "diversity": each.diversity}
        for each in sets
    }
    return {"kind": "end", "reason": reason, "step": state.step, "lanes": lanes, "verdict": verdicts(sets)}


ALIKE = 0.05  # figures this close are called the same: K random starts do not say more


def verdicts(sets: Sequence[CompletionSet]) -> str:
    """What each column says, a line each."""
    by = {each.name: each for each in sets}
    pairs = columns(list(by))
    return "\n".join(verdict(by[x], by[z]) for x, z in pairs) or "No optimiser searched both X and Z, so none is compared."


def verdict(x: CompletionSet, z: CompletionSet) -> str:
    """One sentence on diversity in the hidden region against the mean loss in the visible one."""
    varied, off = _ratio(z.diversity, x.diversity), _ratio(z.fidelity, x.fidelity)
    if _same(varied) and _same(off):
        alike = f"{x.name} and {z.name} do not differ by more than 5 % here"
        return f"{alike}, neither in variety nor in how well they fit the visible part."
    if _same(varied):
        closer = z.name if off < 1 else x.name
        both = f"{x.name} and {z.name}" if SEPARATOR in x.name else "Both"
        return (
            f"{both} are equally varied, and {closer} fits the visible part better: its mean loss there is {_less(off)} lower."
        )
    name, more = (z.name, varied) if varied > 1 else (x.name, 1 / varied)
    cost = off if name == z.name else 1 / off
    head = f"{name} is {_more(more)} more varied"
    if _same(cost):
        return f"{head} at the same visible loss: its variety was not bought with error."
    if cost < 1:
        closer = f"fits the visible part better (mean loss {_less(cost)} lower)"
        return f"{head} and {closer}: its variety was not bought with error."
    return f"{head}, but its mean visible loss is {_more(cost)} higher: that variety was bought with error."


def _ratio(a: float, b: float) -> float:
    return max(a, 1e-12) / max(b, 1e-12)


def _same(ratio: float) -> bool:
    return max(ratio, 1 / ratio) < 1 + ALIKE


def _more(ratio: float) -> str:
    """1.3 -> "30 %", 4 -> "4×"."""
    return f"{100 * (ratio - 1):.0f}\u00a0%" if ratio < 2 else f"{ratio:.3g}×"


def _less(ratio: float) -> str:
    """0.7 or 1 / 0.7 -> "30 %"."""
    return f"{100 * (1 - min(ratio, 1 / ratio)):.0f}\u00a0%"
