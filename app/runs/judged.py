"""What judges that were not optimised say of a run, for the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.runs.session import Message
from landscape_core.search.judges import LOSS, Found, Judge, disagreement, judge
from landscape_core.search.objectives import Target
from landscape_core.search.summary import figures


def judged(found: Mapping[str, Found], target: Target, judges: Sequence[Judge]) -> Message:
    """Part of the message that ends a run. `judges` is a table: heads with explanations, by lane one text a column, and of each
    column the best lane, where there is one. `disagreement` says where the lower loss is not the better result."""
    said = judge(found, target, judges)
    heads = [(LOSS, "What was optimised; lower is better."), *((each.name, each.explained) for each in judges)]
    rows = {lane: [figures(of[LOSS]), *(each.shown(of[each.name]) for each in judges)] for lane, of in said.items()}
    compared = [(LOSS, True), *((each.name, each.compares) for each in judges)]
    best = [min(said, key=lambda lane: said[lane][name]) if compares else None for name, compares in compared]
    return {"judges": {"heads": heads, "rows": rows, "best": best}, "disagreement": disagreement(judges, said)}
