"""Plain answers follow from the claims, and each question finds its claims among the committed results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from landscape_core.experiments.answers import answers
from landscape_core.experiments.questions import QUESTIONS
from landscape_core.experiments.report import results_in
from landscape_core.experiments.results import figure

ROOT = Path(__file__).resolve().parents[2]


def result(*claims: tuple[str, float, tuple[float, float] | None], name: str = "convergence") -> dict[str, Any]:
    entries = [{"claim": claim, "ours": ours, "interval": ends, "better": "lower"} for claim, ours, ends in claims]
    return {"experiment": name, "claims": entries}


def same(steps: int, ours: float, ends: tuple[float, float] | None, lanes: str = "Z against X L-BFGS") -> Any:
    return (f"faces: loss after {steps} steps, {lanes}", ours, ends)


@pytest.mark.parametrize(
    ("claims", "verdict", "span"),
    [
        ([same(20, -0.42, (-0.44, -0.39)), same(200, -0.13, (-0.2, -0.05))], "Yes", "loss 13 to 42 % lower"),
        ([same(20, -0.42, (-0.44, -0.39)), same(200, 0.05, (0.01, 0.09))], "In part", "loss 42 % lower to 5 % higher"),
        ([same(20, -0.02, (-0.05, 0.01))], "No difference found", "loss 2 % lower"),
        ([same(20, 1.4, (1.1, 1.6))], "No", "loss ×2.40"),
        ([same(20, -0.004, None)], "Yes", "loss the same"),
        ([same(20, -0.3, (-0.4, -0.2), "Z Adam against X Adam")], "Yes", "loss 30 % lower"),
    ],
)
def test_a_verdict_follows_from_the_intervals(claims: list[Any], verdict: str, span: str) -> None:
    found = answers([result(*claims)])[0]
    assert (found.asked, found.verdict, found.span) == (QUESTIONS[0].asked, verdict, span)
    assert len(found.evidence) == len(claims)


def test_only_a_comparison_within_one_optimiser_counts() -> None:
    assert answers([result(same(20, -0.6, (-0.7, -0.5), "Z against X Adam"))])[0].evidence == ()
    assert answers([])[0].verdict == "Not measured yet"


def test_intervals_are_said_in_words() -> None:
    said = answers([result(same(20, -0.42, (-0.44, -0.39)), same(200, -0.01, (-0.04, 0.01)))])[0].evidence
    assert [each.figures for each in said] == ["42 % lower (39 to 44 % lower)", "1 % lower (4 % lower to 1 % higher)"]


def test_a_share_is_said_as_what_it_saves() -> None:
    claim = ("arm: Z's median steps to tolerance as a share of X's", 0.24, (0.21, 0.27))
    found = [each for each in answers([result(claim, name="playground")]) if each.evidence]
    assert [(each.verdict, each.span) for each in found] == [("Yes", "steps 76 % lower")]
    assert found[0].evidence[0].figures == "76 % lower (73 to 79 % lower)"


@pytest.mark.parametrize(
    ("name", "claim", "what"),
    [
        ("ablation", "faces, 20 steps: residual Θ, full against residual Θ, curvature only", "faces, loss after 20 steps"),
        ("why", "loss after 20 steps, Θ against whitener alone", "loss after 20 steps"),
    ],
)
def test_one_question_can_be_answered_by_claims_of_two_kinds(name: str, claim: str, what: str) -> None:
    (found,) = (each for each in answers([result((claim, -0.1, (-0.2, -0.05)), name=name)]) if each.evidence)
    assert found.asked.startswith("Does training Θ add")
    assert (found.verdict, found.evidence[0].what) == ("Yes", what)


@pytest.mark.parametrize(("n", "verdict"), [({"faces": 4}, "Too few to say"), ({"faces": 9, "cats": 5}, "Yes")])
def test_a_handful_of_targets_decides_nothing(n: dict[str, int], verdict: str) -> None:
    few = {**result(same(20, -0.42, (-0.44, -0.39))), "n": n}
    assert answers([few])[0].verdict == verdict


@pytest.mark.parametrize(("draws", "verdict"), [(1_600, "Not comparable"), (None, "Not comparable"), (200_000, "No")])
def test_of_the_papers_theta_nothing_is_said_at_a_small_share_of_its_draws(draws: int | None, verdict: str) -> None:
    table2 = result(("faces, 20 steps: paper Θ, full against baseline", 0.4, (0.3, 0.5)), name="ablation")
    table2["settings"] = {"training_budget": {"paper Θ, full": {} if draws is None else {"draws": draws}}}
    (found,) = (each for each in answers([table2]) if each.evidence)
    assert found.verdict == verdict


def test_a_theta_of_few_draws_says_nothing_beside_one_of_enough() -> None:
    enough = result(("faces, 20 steps: paper Θ, full against baseline", -0.2, (-0.3, -0.1)), name="ablation")
    enough["settings"] = {"training_budget": {"paper Θ, full": {"draws": 200_000}}}
    few = result(("faces, 20 steps: Z 512 against baseline", 0.4, (0.3, 0.5)), name="z-dimension")
    few["settings"] = {"training_budget": {"Z 512": {"draws": 12_800}}}
    (found,) = (each for each in answers([enough, few]) if any("on faces" in one.what for one in each.evidence))
    assert (found.verdict, [each.experiment for each in found.evidence]) == ("Yes", ["ablation"])


def test_what_was_measured_on_other_models_does_not_count() -> None:
    found = answers([result(same(20, -0.42, (-0.44, -0.39)))], outdated=["convergence"])[0]
    assert (found.verdict, found.evidence) == ("Being measured again", ())


def test_every_question_finds_its_claims_in_the_committed_results() -> None:
    committed = results_in(ROOT / "results")
    names = {each["experiment"] for each in committed}
    for question, answer in zip(QUESTIONS, answers(committed), strict=True):
        assert answer.evidence or not names & set(question.experiments), question.asked


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.308348, "−0.31"), (0.0, "0"), (0.00919, "0.0092"), (1.4, "1.40"), (55.6, "55.6"), (1234.5, "1,230"), (None, "–")],
)
def test_figures_are_formatted_alike(value: float | None, text: str) -> None:
    assert figure(value) == text
