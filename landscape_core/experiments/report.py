"""`results/README.md`: plain answers, then every experiment's claims, between two markers of a page that people write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from landscape_core.errors import UserError
from landscape_core.experiments.answers import Answer, answers
from landscape_core.experiments.results import Claim, read_result, table
from landscape_core.storage import zoo

PAGE = "README.md"
BEGIN, END = "<!-- results -->", "<!-- /results -->"
EARLIER = "Measured on earlier models than are embedded now; not counted above."


def results_in(folder: Path) -> list[dict[str, Any]]:
    """The contents of all results files of a folder, in order of their names. Raises UserError where one of them is bad."""
    return [read_result(path) for path in sorted(folder.glob("*.json"))]


def embedded_hashes(assets: Path = zoo.ASSETS) -> dict[str, str]:
    """The hash of every embedded model by its name. Raises UserError where a card is bad."""
    return {name: zoo.read_card(name, assets).sha256 for name in zoo.names(assets)}


def outdated(results: Sequence[Mapping[str, Any]], embedded: Mapping[str, str]) -> list[str]:
    """The experiments that were measured on other models than are embedded now; those that train what they use never are."""

    def old(models: Mapping[str, str]) -> bool:
        known = [name for name in models if name in embedded]  # others were trained for the experiment alone
        return bool(models) and (not known or any(models[name] != embedded[name] for name in known))

    return [each["experiment"] for each in results if old(each["models"])]


def report(folder: Path, assets: Path = zoo.ASSETS) -> str:
    """Everything that a results folder says, as Markdown for a page in that folder."""
    results = results_in(folder)
    old = outdated(results, embedded_hashes(assets))
    plots = {path.stem for path in folder.glob("*.png")}
    said = answers(results, old)
    parts = ["## In short", "", _in_short(said), "", "## Plain answers", "", *map(_answered, said), "", "## Every claim", ""]
    for each in results:
        name = each["experiment"]
        parts.append(_section(each, f"{name}.png" if name in plots else None, name in old))
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


SHOWN = 2  # figures in a cell; all of them stand in the answer below


def _in_short(said: Sequence[Answer]) -> str:
    """The questions that the paper's readers ask first, as a table: the answer, its figures with intervals, the paper's."""
    lines = ["| question | answer | ours, with 95 % intervals | the paper's, and what differs |", "|---|---|---|---|"]
    for answer in (each for each in said if each.paper):
        figures = [f"{each.what} ({each.experiment}): {each.figures}" for each in answer.evidence[:SHOWN]]
        more = len(answer.evidence) - SHOWN
        figures += [f"and {more} more below"] if more > 0 else []
        lines.append(f"| {answer.asked} | **{answer.verdict}** | {'; '.join(figures) or '–'} | {answer.paper} |")
    return "\n".join(lines)


def _answered(answer: Answer) -> str:
    said = f"{answer.verdict}: {answer.span}" if answer.evidence else answer.verdict
    lines = [f"- **{answer.asked} {said}.**"]
    lines += [f"  - [{each.experiment}](#{each.experiment}), {each.what}: {each.figures}" for each in answer.evidence]
    return "\n".join(lines)


def _section(content: Mapping[str, Any], plot: str | None, old: bool) -> str:
    """One experiment: command, sizes, plot and claims."""
    sizes = ", ".join(f"{n} {label}" for label, n in content["n"].items())
    claims = [_claim(entry) for entry in content["claims"]]
    met = f"{sum(claim.met for claim in claims)} of {len(claims)} aims met"
    facts = [f"`{content['command']}`", sizes, f"seed {content['seed']}", met]
    facts += [f"code {content['commit'][:10]}"] if "commit" in content else []
    lines = [f"### {content['experiment']}", "", " · ".join(facts), ""]
    lines += [f"*{EARLIER}*", ""] if old else []
    trained = content["settings"].get("training_budget", {}) if "settings" in content else {}
    lines += (
        ["Trained: " + "; ".join(f"{row}, {_spent(budget)}" for row, budget in trained.items()) + ".", ""] if trained else []
    )
    lines += [f"![{content['experiment']}]({plot})", ""] if plot is not None else []
    return "\n".join([*lines, table(claims), ""])


def _spent(budget: Mapping[str, Any]) -> str:
    """ "3,072 draws in 96 updates of 32, 140 s"; what an older card does not say is left out."""
    draws = [f"{budget['draws']:,} draws in {budget['updates']:,} updates of {budget['batch']}"] if "draws" in budget else []
    return ", ".join([*draws, f"{budget['buffers']} buffers", f"{budget['seconds']:,} s"])


def _claim(entry: Mapping[str, Any]) -> Claim:
    interval = entry["interval"]
    ends = None if interval is None or None in interval else (interval[0], interval[1])
    ours = math.nan if entry["ours"] is None else entry["ours"]
    return Claim(entry["claim"], entry["paper"], ours, entry["aim"], entry["better"], ends)
