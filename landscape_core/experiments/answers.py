"""Plain answers to what one would ask first, from the claims of the results: verdicts are computed, never typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from landscape_core.experiments.results import figure

Verdict = Literal["Yes", "No", "In part", "No difference found", "Being measured again", "Not measured yet"]
WORDS = {"val": "known actions", "ood": "unknown actions", "l2": "L2", "linf": "L∞"}
_BY = r"(?: Adam| L-BFGS| Levenberg-Marquardt)"
_LANES = rf"Z against X L-BFGS|Z(?P<by>{_BY}) against X(?P=by)"
_EARLY = rf"(?P<on>\w+): (?:loss in )?(?P<who>Z{_BY}?) after 2 steps against (?P<x>X{_BY}) after 20"
_SAME = rf"(?P<on>\w+): loss after (?P<steps>\d+) steps, (?P<who>{_LANES})"


@dataclass(frozen=True)
class Question:
    """`pattern` finds, in the experiments named, the claims that answer it: relative changes of `measure` (or with "share"
    what is left of it), or differences in `unit`. The `template` says which claim it was, from the pattern's groups."""

    asked: str
    experiments: tuple[str, ...]
    pattern: str
    template: str
    unit: Literal["%", "share", "points", "dB"] = "%"
    measure: str = "loss"


QUESTIONS = (
    Question(
        "Is Z faster than X by the same optimiser, on real pictures?", ("convergence", "convergence-cats"), _SAME,
        "on {on}, loss after {steps} steps, {who}",
    ),
    Question(
        "On pictures, do 2 steps in Z reach what X reaches in 20?", ("convergence", "convergence-cats"), _EARLY,
        "on {on}, loss of {who} after 2 steps against {x} after 20",
    ),
    Question(
        "Is Z ahead of every other method at equal cost?", ("budget",),
        r"(?P<on>\w+), (?P<cost>\d+ evaluations): (?P<who>Z, L-BFGS against the best other) .*",
        "on {on}, {cost} of F, {who}",
    ),
    Question(
        "Does training Θ add to taking the mean curvature out?", ("ablation",),
        r"(?P<on>\w+), (?P<steps>\d+) steps: residual Θ, full against residual Θ, curvature only",
        "on {on}, loss after {steps} steps",
    ),
    Question(
        "Does the paper's own Θ beat X?", ("ablation",), r"(?P<on>\w+), (?P<steps>\d+) steps: paper Θ, full against baseline",
        "on {on}, loss after {steps} steps",
    ),
    Question(
        "Are completions in Z closer to what is seen?", ("completions-x-lbfgs", "completions"),
        r"visible loss of completions, (?P<who>.*)", "visible loss, {who}",
    ),
    Question(
        "Are completions in Z more varied?", ("completions-x-lbfgs", "completions"),
        r"diversity in the hidden region, (?P<who>.*)", "diversity of what is hidden, {who}", measure="diversity",
    ),
    Question(
        "Is Z faster than X by the same optimiser, on poses?", ("pose", "pose-positions"), _SAME,
        "{on}, loss after {steps} steps, {who}",
    ),
    Question(
        "On poses, do 2 steps in Z reach what X reaches in 20?", ("pose", "pose-positions"), _EARLY,
        "{on}, loss of {who} after 2 steps against {x} after 20",
    ),
    Question(
        "Is more of Z's landscape convex?",
        ("landscapes", "landscapes-x-lbfgs", "landscapes-cats", "landscapes-pose", "landscapes-pose-positions"),
        r"share of convex points, (?P<who>Z .* X \(.*\)), mean over examples", "share of the plane, {who}", "points",
        "convex share",
    ),
    Question(
        "Does one step in Z restore attacked answers better than one in X?", ("defence-ro", "defence-mart"),
        r"(?P<on>l2|linf), (?P<attack>static|aware): accuracy after 1 step, Z tuned minus X tuned",
        "{on} attack, {attack}", "points", "right answers",
    ),
    Question(
        "Is anything gained over no defence where the attacker knows of it?", ("defence-ro", "defence-mart"),
        r"(?P<on>l2|linf), aware: accuracy after 1 step, Z tuned minus undefended", "{on} attack, Z", "points", "right answers",
    ),
    Question(
        "Do robust features give pictures back better than plain ones?", ("features",),
        r"(?P<on>\w+), (?P<what>.*): PSNR in dB, robust minus plain", "{on}, {what}, PSNR", "dB", "PSNR",
    ),
    Question(
        "Where both are planes, does Z need fewer steps?", ("playground",),
        r"(?P<on>\w+): Z's median steps to tolerance as a share of X's", "{on}, median steps to tolerance", "share", "steps",
    ),
    Question(
        "Does Z find more of what many minima hide?", ("playground",),
        r"(?P<on>\w+): share of (?P<what>targets reached|random starts that arrive), Z minus X", "{on}, {what}", "points",
        "arrivals",
    ),
    Question(
        "Does a wider Z lower its loss?", ("z-dimension",), r"(?P<on>\w+), (?P<steps>\d+) steps: (?P<who>Z \d+ against Z 16)",
        "on {on}, loss after {steps} steps, {who}",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """One claim that a question rests on. `speaks` is 1 for, -1 against, 0 undecided: by its interval, where it has one."""

    experiment: str
    what: str
    ours: float
    figures: str
    speaks: int


@dataclass(frozen=True)
class Answer:
    """A question with its verdict, from where to where the figures go, and what that rests on."""

    asked: str
    verdict: Verdict
    span: str
    evidence: tuple[Evidence, ...]


def answers(results: Sequence[Mapping[str, Any]], outdated: Sequence[str] = ()) -> list[Answer]:
    """Every question answered by the results (contents of their files); those named as outdated are not counted."""
    by_name = {result["experiment"]: result for result in results}
    made = []
    for question in QUESTIONS:
        found = [by_name[name] for name in question.experiments if name in by_name]
        counted = [each for result in found if result["experiment"] not in outdated for each in _evidence(question, result)]
        span = f"{question.measure} {_span([each.ours for each in counted], question.unit)}" if counted else ""
        made.append(Answer(question.asked, _verdict(counted, waiting=bool(found)), span, tuple(counted)))
    return made


def _evidence(question: Question, result: Mapping[str, Any]) -> list[Evidence]:
    made = []
    for claim in result["claims"]:
        match = re.fullmatch(question.pattern, claim["claim"])
        if match is not None:
            words = {key: WORDS.get(value, value) for key, value in match.groupdict().items()}
            what = question.template.format(**words)
            said = _as_change(claim) if question.unit == "share" else claim
            made.append(Evidence(result["experiment"], what, said["ours"], _figures(said, question.unit), _speaks(said)))
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
