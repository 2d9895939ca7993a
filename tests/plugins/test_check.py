"""A plug-in with each fault there is, and the sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from landscape_core import cli
from tests.tiny.plugins import DECAY, plugin

LOSS = "\nclass Own:\n    def bind(self, target):\n        return lambda output: {}\n"


def checked(folder: Path, text: str) -> Result:
    return CliRunner().invoke(cli.app, ["check", str(plugin(folder, text))], catch_exceptions=False)


def test_a_good_one_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = checked(tmp_path, DECAY)
    assert result.exit_code == 0
    assert "decay: F (B, 2) -> (B, 16), SquaredError; learned spaces: random." in result.output
    assert "- " not in result.output


ANSWER = "x[:, :1].exp() * torch.exp(-x[:, 1:].exp() * torch.linspace(0.0, 2.0, 16, device=x.device))"


def answering(text: str) -> str:
    assert ANSWER in DECAY
    return DECAY.replace(ANSWER, text)


def losing(text: str) -> str:
    return LOSS.format(text) + DECAY.replace("SquaredError())", "Own())")


def having(text: str) -> str:
    return DECAY.replace("SquaredError())", f"SquaredError(), {text})")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (DECAY.replace("torch.eye(2)", "torch.eye(3)"), "a mean (d,) and a factor (d, k); it has (2,) and (3, 3)"),
        (DECAY.replace("torch.zeros(2)", "torch.full((2,), torch.nan)"), "prior holds numbers that are not finite"),
        (answering("x[:, 5]"), "F cannot compute on 3 inputs (3, 2) and raises an exception"),
        (answering("[x]"), "one tensor of real numbers; it returns a list"),
        (answering("x.sum(dim=1)"), "F returns (3,) for 3 inputs"),
        (answering("x.mean(dim=0, keepdim=True)"), "F returns (1, 2) for 3 inputs; the first dimension must be the batch's"),
        (answering("x / 0.0"), "F returns numbers that are not finite"),
        (answering("x + torch.randn_like(x)"), "F gives another output for the same input"),
        (answering("x - x.mean(dim=0)"), "depends on what else is in the batch"),
        (losing("(output - target.value).square().mean()"), "returns a tensor () for 3 samples; one loss a sample is needed"),
        (losing("(output - target.value).square().mean(dim=1) / 0.0"), "losses that are not finite"),
        (losing("(output - target.value.mean(dim=0)).square().mean(dim=1)"), "depends on the others' targets"),
        (losing("-(output - target.value).square().mean(dim=1)"), "lower must be better"),
        (losing("output.no_such_thing"), "The objective cannot compare two outputs of F and raises an exception"),
        (answering("x.detach() * 2"), "No gradient of the loss reaches F's input"),
        (answering("x.round() * 9"), "The gradient of the loss is zero"),
        (answering("(x - x).clamp_min(0).sqrt() + x"), "The gradient of the loss is not finite"),
        (having("encode=lambda y: y"), "The encoder returns a tensor (3, 16); inputs of F are needed, (3, 2)"),
        (having("picture=lambda y, target: target.value"), "`picture` returns a tensor (1, 16) for 3 outputs"),
        (having("samples=lambda n, random: torch.zeros(n, 16)"), "`samples` returns a tensor (2, 16); a Target"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    result = checked(tmp_path, text)
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_an_input_of_unequal_units_is_remarked_and_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = checked(tmp_path, DECAY.replace("0.5 * torch.eye(2)", "torch.diag(torch.tensor([1e-3, 0.5]))"))
    assert result.exit_code == 0
    assert "deviations run from 0.001 to 0.5" in result.output
