"""Plain answers to what one would ask first, from the claims of the results: verdicts are computed, never typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from landscape_core.experiments.questions import QUESTIONS, WORDS, Question
from landscape_core.experiments.results import figure

Verdict = Literal[
    "Yes", "No", "In part", "No difference found", "Not comparable", "Too few to say", "Being measured again",
    "Not measured yet",
]  # fmt: skip
PAPERS_DRAWS = 500 * 256 * 20  # B N T of section 7.1, one to an update
FAIR_SHARE = 0.05
FEWEST = 5  # targets: an interval of fewer says next to nothing


@dataclass(frozen=True)
class Evidence:
    """One claim that a question rests on. `speaks` is 1 for, -1 against, 0 undecided: by its interval, where it has one.
    `comparable` is whether what it speaks of saw a fair share of the paper's draws, where the question asks that."""

    experiment: str
    what: str
    ours: float
    figures: str
    speaks: int
    comparable: bool = True


@dataclass(frozen=True)
class Answer:
    """A question with its verdict, from where to where the figures go, what that rests on, and what the paper says."""

    asked: str
    verdict: Verdict
    span: str
    evidence: tuple[Evidence, ...]
    paper: str = ""


def answers(results: Sequence[Mapping[str, Any]], outdated: Sequence[str] = ()) -> list[Answer]:
    """Every question answered by the results (contents of their files); those named as outdated are not counted."""
    by_name = {result["experiment"]: result for result in results}
    made = []
    for question in QUESTIONS:
        found = [by_name[name] for name in question.experiments if name in by_name]
        counted = [each for result in found if result["experiment"] not in outdated for each in _evidence(question, result)]
        counted = [each for each in counted if each.comparable] or counted
        span = f"{question.measure} {_span([each.ours for each in counted], question.unit)}" if counted else ""
        verdict = _verdict(counted, waiting=bool(found))
        if counted and not counted[0].comparable:
            verdict = "Not comparable"
        elif counted and all(min(each.get("n", {"": FEWEST}).values()) < FEWEST for each in found):
            verdict = "Too few to say"
        made.append(Answer(question.asked, verdict, span, tuple(counted), question.paper))
    return made


def _trained_enough(result: Mapping[str, Any], row: str) -> bool:
    """Whether a row's Θ saw at least `FAIR_SHARE` of the paper's draws; one that does not say how many did not."""
    draws = result.get("settings", {}).get("training_budget", {}).get(row, {}).get("draws", 0)
    return bool(draws >= FAIR_SHARE * PAPERS_DRAWS)


def _evidence(question: Question, result: Mapping[str, Any]) -> list[Evidence]:
    made = []
    for claim in result["claims"]:
        match = re.fullmatch(question.pattern, claim["claim"])
        if match is not None:
            words = {key: "" if value is None else WORDS.get(value, value) for key, value in match.groupdict().items()}
            what = question.template.format(**words).strip(", ")
            said = _as_change(claim) if question.unit == "share" else claim
            row = match.groupdict().get("trained")
            fair = row is None or _trained_enough(result, row)
            made.append(Evidence(result["experiment"], what, said["ours"], _figures(said, question.unit), _speaks(said), fair))
    return made


def _as_change(claim: Mapping[str, Any]) -> Mapping[str, Any]:
    """A claim of what is left, 0.75, as one of a change, -0.25."""
    interval = claim["interval"]
    ends = interval if interval is None or None in interval else [end - 1 for end in interval]
    return {**claim, "ours": claim["ours"] - 1, "interval": ends}


def _verdict(evidence: Sequence[Evidence], *, waiting: bool) -> Verdict:
    if not evidence:
        return "Being measured again" if waiting else "Not measured yet"
    spoken = {each.speaks for each in evidence}
    if spoken == {1}:
        return "Yes"
    if 1 in spoken:
        return "In part"
    return "No difference found" if spoken == {0} else "No"


def _speaks(claim: Mapping[str, Any]) -> int:
    """Whether all of the interval lies on the better side of no difference, on the worse side, or on both."""
    sign = -1.0 if claim["better"] == "lower" else 1.0
    interval = claim["interval"]
    ends = [claim["ours"]] if interval is None or None in interval else interval
    low, high = min(sign * end for end in ends), max(sign * end for end in ends)
    return 1 if low > 0 else -1 if high < 0 else 0


def _figures(claim: Mapping[str, Any], unit: str) -> str:
    """ "39 % lower (34 to 44 % lower)", or a signed difference with its unit; the interval in brackets."""
    ends = claim["interval"]
    said = _span([claim["ours"]], unit)
    return said if ends is None or None in ends else f"{said} ({_span(ends, unit)})"


def _span(values: Sequence[float], unit: str) -> str:
    """The least and the largest of values, or the one there is, with the unit once where that can be."""
    if unit in ("%", "share"):
        one, other = map(_change, _ends(values))
        if one == other:
            return one
        same = one.split(" ", 1)[1:] == other.split(" ", 1)[1:] and "%" in one
        return f"{one.split()[0] if same else one} to {other}"
    scale = 100 if unit == "points" else 1
    said = [f"{scale * value:+.1f}".replace("-", "−") for value in (min(values), max(values))]
    return " to ".join(dict.fromkeys(said)) + f" {unit}"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """The two ends, the smaller change first where all go one way."""
    low, high = min(values), max(values)
    return (high, low) if high <= 0 else (low, high)


def _change(change: float) -> str:
    """ "24 % lower", "×2.40" where it more than doubles, "the same" below half a percent."""
    if change >= 1:
        return f"×{figure(1 + change)}"
    percent = round(100 * abs(change))
    return "the same" if percent == 0 else f"{percent} % {'lower' if change < 0 else 'higher'}"
