"""Expressions typed in: the values they have, and a sentence for everything that is not of the grammar."""

from __future__ import annotations

import math

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.playground.expressions import MAX_DEPTH, Expressions, parse

X = torch.tensor([[0.5, -1.5], [2.0, 0.25]])
A, B = X[:, 0], X[:, 1]

RIGHT = {
    "x1": A,
    "-x1**2": -(A**2),
    "2*x1 - 3*x2/4": 2 * A - 3 * B / 4,
    "x1 - x2 - 1": A - B - 1,
    "2**-1 * x1": A / 2,
    " sin(pi*x1) + cos(x2) ": (math.pi * A).sin() + B.cos(),
    "tan(x1)*exp(-x2**2)": A.tan() * (-(B**2)).exp(),
    "log(x1) + sqrt(abs(x2))": A.log() + B.abs().sqrt(),
    "min(x1, x2) + max(1e-1, x2)": torch.minimum(A, B) + B.clamp_min(0.1),
    "tanh((x1 + e))": (A + math.e).tanh(),
    "+x1*.5": A * 0.5,
    "x1**0.5": A**0.5,
}


@pytest.mark.parametrize("text", RIGHT)
def test_expressions_mean_what_they_say(text: str) -> None:
    assert torch.allclose(parse(text)(X), RIGHT[text], rtol=1e-5)


HOSTILE = {
    "": "empty",
    "__import__('os').system('true')": "'__import__' is not known",
    "x1.__class__": "'.' is not accepted",
    "().__class__": "'.' is not accepted",
    "getattr(x1, x2)": "'getattr' is not known",
    "lambda: x1": "'lambda' is not known",
    "x1 if x2 else 1": "'if' is not known",
    "[x1 for x1 in x2]": r"'\[' is not accepted",
    "x1 := 2": "':' is not accepted",
    "x1 == x2": "'=' is not accepted",
    "x1 @ x2": "'@' is not accepted",
    "x1 // x2": "not a complete expression|not accepted",
    "'x1'": "' is not accepted|not accepted",
    "x1\nx2": "not a complete expression",
    "x1; x2": "';' is not accepted",
    "x1 # x2": "'#' is not accepted",
    "9**9**9*x1": "An exponent is a plain number",
    "x1**x2": "An exponent is a plain number",
    "x1**9999999": "An exponent is a plain number",
    "x1**-99": "An exponent is a plain number",
    "x1**(8*8)": "An exponent is a plain number",
    "1e999*x1": "Numbers in an expression lie",
    "9" * 120 + "*x1": "Numbers in an expression lie",
    "x1 + " * 2000 + "x1": "10002 characters",
    "x" * 10_000: "10000 characters",
    "(" * 150 + "x1": "not a complete expression",
    "sin(" * 30 + "x1" + ")" * 30: f"more than {MAX_DEPTH} deep",
    "-" * 190 + "x1": f"more than {MAX_DEPTH} deep",
    "2x1": "Write a product with",
    "0x10": "'x10' is not known",
    "1_000*x1": "'_000' is not known",
    "1j*x1": "'j' is not known",
    "x3": "'x3' is not known",
    "sin": "write sin",
    "x1(x2)": "not a function",
    "sin()": "takes 1 argument, not 0",
    "min(x1)": "takes 2 arguments, not 1",
    "sin(x1, x2)": "takes 1 argument, not 2",
    "sin(*x1)": "not a complete expression|not accepted|'\\*x1'",
    "max(**x1)": "not a function|not accepted",
    "x1, x2": "not accepted",
    "()": "not accepted",
    "x1 +": "not a complete expression",
    "\x00x1": "not accepted",
    "х1": "not accepted",  # a Cyrillic letter
    "sin(x1)(x2)": "not accepted",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_everything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UserError, match=HOSTILE[text]) as refused:
        parse(text)
    assert len(str(refused.value)) < 300
    assert str(refused.value).endswith(".")


def test_a_model_of_two_expressions_needs_an_input_somewhere() -> None:
    assert torch.equal(Expressions("x1", "3")(X), torch.stack([A, torch.full((2,), 3.0)], dim=1))
    with pytest.raises(UserError, match="nothing to search for"):
        Expressions("1", "exp(2)")


def test_a_model_of_expressions_can_be_descended() -> None:
    x = X.clone().requires_grad_()
    Expressions("x1*x2", "abs(x1)")(x).sum().backward()
    assert torch.allclose(x.grad, torch.stack([B + 1, A], dim=1))
