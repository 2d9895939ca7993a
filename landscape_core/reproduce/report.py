"""The README's results, made from `results/*.json` and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from landscape_core.errors import UserError
from landscape_core.reproduce.results import Claim, table

BEGIN, END = "<!-- results -->", "<!-- /results -->"


def section(content: dict[str, Any], plot: str | None) -> str:
    """One experiment: command, sizes, plot and claims."""
    sizes = ", ".join(f"{n} {label}" for label, n in content["n"].items())
    claims = [_claim(entry) for entry in content["claims"]]
    met = sum(claim.met for claim in claims)
    lines = [
        f"### {content['experiment']}",
        "",
        f"`{content['command']}` · {sizes} · seed {content['seed']} · {met} of {len(claims)} aims met",
        "",
    ]
    if plot is not None:
        lines += [f"![{content['experiment']}]({plot})", ""]
    return "\n".join([*lines, table(claims), ""])


def _claim(entry: dict[str, Any]) -> Claim:
    interval = entry["interval"]
    ends = None if interval is None or None in interval else (interval[0], interval[1])
    return Claim(entry["claim"], entry["paper"], entry["ours"], entry["aim"], entry["better"], ends)


def report(folder: Path) -> str:
    """All experiments of a results folder, in order of their names, as Markdown."""
    parts = []
    for path in sorted(folder.glob("*.json")):
        plot = path.with_suffix(".png")
        parts.append(section(json.loads(path.read_text()), f"{folder.name}/{plot.name}" if plot.exists() else None))
    return "\n".join(parts)


def with_results(text: str, results: str) -> str:
    """A document with everything between its two markers replaced.

    Raises:
        UserError: the document lacks the markers.
    """
    if BEGIN not in text or END not in text:
        raise UserError(f"The document has no {BEGIN} … {END} markers to write between.")
    head, rest = text.split(BEGIN, 1)
    return f"{head}{BEGIN}\n{results}\n{END}{rest.split(END, 1)[1]}"
