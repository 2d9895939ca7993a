"""A forward model typed in: two expressions in x1 and x2, read by a small grammar and never evaluated as Python.

What is accepted: numbers, x1, x2, pi, e, + - * / **, unary minus, parentheses, and the functions below. The text is cut
into tokens first, so that nothing else reaches Python's parser, and its tree is walked node by node in the order written.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError

MAX_LENGTH, MAX_DEPTH, MAX_EXPONENT, MAX_NUMBER = 200, 24, 8.0, 1e6
VARIABLES = ("x1", "x2")
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt,
    "abs": torch.abs, "tanh": torch.tanh, "min": torch.minimum, "max": torch.maximum,
}  # fmt: skip
_TWO_ARGUMENTS = ("min", "max")
_OPERATORS: dict[type[ast.operator], Callable[[Tensor, Tensor], Tensor]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<operator>\*\*|[-+*/(),]))", re.ASCII
)
_ACCEPTED = f"Accepted are numbers, x1, x2, pi, e, + - * / **, parentheses and {', '.join(FUNCTIONS)}."

Formula = Callable[[Tensor], Tensor]  # (B, 2) -> (B,)


class Expressions(nn.Module):
    """(B, 2) -> (B, 2) by two expressions in x1 and x2.

    Raises:
        UserError: an expression that is not of the grammar, or none of the two contains x1 or x2.
    """

    def __init__(self, first: str, second: str) -> None:
        super().__init__()
        self.first, self.second = parse(first), parse(second)
        if not any(name in VARIABLES for text in (first, second) for name in _names(text)):
            raise UserError("Neither expression contains x1 or x2, so there is nothing to search for.")
        # What a fingerprint of this model is made from.
        self.register_buffer("text", torch.tensor([*f"{first}\n{second}".encode()], dtype=torch.uint8))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.first(x), self.second(x)], dim=1)


def parse(text: str) -> Formula:
    """An expression as a function of inputs (B, 2) that returns (B,).

    Raises:
        UserError: anything that is not of the grammar; the sentence says what and what is accepted.
    """
    if not text.strip():
        raise UserError(f"The expression is empty. {_ACCEPTED}")
    if len(text) > MAX_LENGTH:
        raise UserError(f"The expression has {len(text)} characters; at most {MAX_LENGTH} are accepted.")
    _check_tokens(text)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise UserError(f"{text.strip()[:60]!r} is not a complete expression. {_ACCEPTED}") from error
    return _formula(tree.body, 0)


def _check_tokens(text: str) -> None:
    """Refuse, before Python's parser sees it, every character and name outside the grammar."""
    place, before = 0, ""
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if token is None:
            raise UserError(f"{text[place:].strip()[0]!r} is not accepted in an expression. {_ACCEPTED}")
        name = token["name"]
        if name is not None and name not in (*VARIABLES, *CONSTANTS, *FUNCTIONS):
            raise UserError(f"{name[:40]!r} is not known in an expression. {_ACCEPTED}")
        if name is not None and before == "number":
            raise UserError(f"Write a product with *, as in 2*x1, not {text.strip()[:40]!r}.")
        before, place = token.lastgroup or "", token.end()


def _names(text: str) -> Iterator[str]:
    return (token["name"] for token in _TOKEN.finditer(text) if token["name"])


def _formula(node: ast.expr, depth: int) -> Formula:
    if depth > MAX_DEPTH:
        raise UserError(f"The expression is nested more than {MAX_DEPTH} deep, which is not accepted.")
    match node:
        case ast.Constant(value=value):
            return _constant(value)
        case ast.Name(id=name):
            return _named(name)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            inner = _formula(operand, depth + 1)
            return inner if isinstance(sign, ast.UAdd) else lambda x: -inner(x)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _formula(left, depth + 1), _exponent(right)
            return lambda x: base(x) ** exponent
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            one, other, combine = _formula(left, depth + 1), _formula(right, depth + 1), _OPERATORS[type(sign)]
            return lambda x: combine(one(x), other(x))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, arguments, depth)
    raise UserError(f"{ast.unparse(node)[:40]!r} is not accepted in an expression. {_ACCEPTED}")


def _constant(value: object) -> Formula:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        raise UserError(f"Numbers in an expression lie between -{MAX_NUMBER:g} and {MAX_NUMBER:g}.")
    number = float(value)
    return lambda x: x.new_full((len(x),), number)


def _named(name: str) -> Formula:
    if name in VARIABLES:
        column = VARIABLES.index(name)
        return lambda x: x[:, column]
    if name in CONSTANTS:
        return _constant(CONSTANTS[name])
    raise UserError(f"{name!r} is a function: write {name}(…) with what it is taken of.")


def _exponent(node: ast.expr) -> float:
    """A written number, perhaps with a minus: a computed exponent could be anything."""
    sign = -1.0 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1.0
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    value = number.value if isinstance(number, ast.Constant) else None
    if not isinstance(value, int | float) or abs(value) > MAX_EXPONENT:
        raise UserError(f"An exponent is a plain number between -{MAX_EXPONENT:g} and {MAX_EXPONENT:g}, as in x1**2.")
    return sign * value


def _call(name: str, arguments: list[ast.expr], depth: int) -> Formula:
    if name not in FUNCTIONS:
        raise UserError(f"{name!r} is not a function here. {_ACCEPTED}")
    wanted = 2 if name in _TWO_ARGUMENTS else 1
    if len(arguments) != wanted:
        raise UserError(f"{name} takes {wanted} argument{'s' if wanted > 1 else ''}, not {len(arguments)}.")
    function, inner = FUNCTIONS[name], [_formula(each, depth + 1) for each in arguments]
    return lambda x: function(*(each(x) for each in inner))
