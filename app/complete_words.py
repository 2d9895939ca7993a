"""What K completions in X and K in Z show, in one sentence: was variety bought with error?"""

from __future__ import annotations

from landscape_core.completion import CompletionSet

ALIKE = 0.05  # figures this close are called the same: K random starts do not say more


def verdict(x: CompletionSet, z: CompletionSet) -> str:
    """One sentence on diversity in the hidden region against the mean loss in the visible one."""
    varied, off = _ratio(z.diversity, x.diversity), _ratio(z.fidelity, x.fidelity)
    if _same(varied) and _same(off):
        return "X and Z do not differ by more than 5 % here, neither in variety nor in how well they fit the visible part."
    if _same(varied):
        closer = "Z" if off < 1 else "X"
        return f"Both are equally varied, and {closer} fits the visible part better: its mean loss there is {_less(off)} lower."
    name, more = ("Z", varied) if varied > 1 else ("X", 1 / varied)
    cost = off if name == "Z" else 1 / off
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
