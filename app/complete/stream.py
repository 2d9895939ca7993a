"""Completions as messages for the gallery: losses of every step, and one sheet of all K pictures for the steps shown.

Sheets sent on the way are WebP (quality 90: 40 pictures a step would
be heavy otherwise); those of the end are lossless PNG, and so is whatever is sent on to another tab.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import torch
from torch import Tensor

from app.complete.session import CompletionRun
from app.runs.lanes import table_of
from app.runs.legs import finite, png
from app.runs.sentences import start_sentence
from app.runs.session import Message
from app.runs.settings import words
from landscape_core.generators.completion import CompletionSet, completion_sets, whole_mask
from landscape_core.generators.observing import as_picture
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


def begin(run: CompletionRun) -> Message:
    """The first message: what is observed of what, how many times, with which settings. `mask` is that behind which pixels can
    be put back, `truth` the whole picture where it is known."""
    target, side = run.solver.target.select(slice(1)), run.task.side
    mask, instrument = whole_mask(target), run.observed.instrument
    seen = "all" if target.mask is None else f"{float(target.mask.mean()):.0%}"
    return {
        "kind": "begin",
        "number": run.number,
        "target": png_base64(run.target.picture),
        "label": run.target.label,
        "side": side,
        "mask": None if mask is None else mask_text(mask),
        "observed": png(as_picture(target, side)[0]),
        "truth": None if target.truth is None else png(target.truth[0]),
        "loss": instrument.loss_words(side) + prior_words(run.settings.prior_weight),
        "k": len(run.solver.target),
        "lanes": [lane.name for lane in run.solver.lanes],
        "table": table_of(run.settings),
        "columns": columns(run.settings.names()),
        "start": start_sentence(run),
        "settings": [*words(run.settings), *observed_words(run), ["visible", f"{seen} of the observation"]],
        "limit": run.solver.max_steps,
    }


def prior_words(weight: float) -> str:
    """What the prior's term adds to the sentence on the loss."""
    return f" To it is added {weight:g} times the squared distance to what the model knows." if weight else ""


def observed_words(run: CompletionRun) -> list[list[str]]:
    """What is observed, and where that comes from."""
    source = "the picture itself" if run.observed.taken else "simulated"
    return [["observed", f"{run.observed.instrument}, {source}"]]


def column(run: CompletionRun, step: int, lane: LaneState) -> Message:
    """What a lane's K completions measure at a step, and their pictures where these are shown."""
    return {
        "loss": [finite(value) for value in lane.loss.tolist()],
        "sheet": webp(sheet(lane.output)) if shown(step, run.solver.max_steps) else None,
    }


def end(run: CompletionRun, reason: str) -> Message:
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
    """One sentence on diversity against the mean loss of what is seen."""
    varied, off = _ratio(z.diversity, x.diversity), _ratio(z.fidelity, x.fidelity)
    if _same(varied) and _same(off):
        alike = f"{x.name} and {z.name} do not differ by more than 5 % here"
        return f"{alike}, neither in variety nor in how well they fit what is seen."
    if _same(varied):
        closer = z.name if off < 1 else x.name
        both = f"{x.name} and {z.name}" if SEPARATOR in x.name else "Both"
        return f"{both} are equally varied, and {closer} fits what is seen better: its mean loss is {_less(off)} lower."
    name, more = (z.name, varied) if varied > 1 else (x.name, 1 / varied)
    cost = off if name == z.name else 1 / off
    head = f"{name} is {_more(more)} more varied"
    if _same(cost):
        return f"{head} at the same loss: its variety was not bought with error."
    if cost < 1:
        closer = f"fits what is seen better (mean loss {_less(cost)} lower)"
        return f"{head} and {closer}: its variety was not bought with error."
    return f"{head}, but its mean loss is {_more(cost)} higher: that variety was bought with error."


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
