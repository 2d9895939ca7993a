"""Libraries' exceptions as the ends of our sentences."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch

from landscape_core.errors import LONGEST, UserError, listed, reading, reason, writing


@pytest.mark.parametrize(
    "error",
    [SyntaxError("broken PNG file"), AssertionError(), MemoryError(), KeyError("HEIF"), RecursionError("deep"), EOFError(),
     NotImplementedError("odd"), torch.OutOfMemoryError("no room")],
)  # fmt: skip
def test_every_type_that_a_decoder_raises_becomes_a_sentence(error: Exception) -> None:
    with pytest.raises(UserError, match=r"^a\.png cannot be read: .+\.$") as refused, reading("a.png"):
        raise error
    assert refused.value.__cause__ is error


def test_our_own_sentences_and_interrupts_pass() -> None:
    with pytest.raises(UserError, match=r"^mine$"), reading("a.png"):
        raise UserError("mine")
    with pytest.raises(KeyboardInterrupt), reading("a.png"):
        raise KeyboardInterrupt


def test_what_is_missing_is_said_plainly() -> None:
    with pytest.raises(UserError, match=r"^There is no file /no/such\.$"), reading("/no/such"):
        Path("/no/such").read_bytes()


def test_only_the_disk_s_errors_are_the_user_s_when_writing() -> None:
    with pytest.raises(UserError, match=r"^/no/such/a cannot be written: no such file or directory\.$"), writing("/no/such/a"):
        Path("/no/such/a").write_bytes(b"")
    with pytest.raises(ValueError, match="bug"), writing("a"):
        raise ValueError("bug")


def test_a_reason_is_one_line_without_codes_addresses_or_advice_at_length() -> None:
    assert reason(ValueError("\x1b[31mred\x1b[0m\n  and\tmore.\n")) == "red and more"
    assert reason(ValueError(f"cannot identify image file {io.BytesIO()!r}")) == "cannot identify image file it"
    assert reason(ValueError()) == "ValueError"
    assert reason(MemoryError()) == "it asks for more memory than there is"
    assert len(reason(ValueError("x" * 10_000))) < LONGEST + 5
    with pytest.raises(json.JSONDecodeError) as wrong:
        json.loads("{")
    assert "\n" not in reason(wrong.value)


def test_long_lists_are_shortened() -> None:
    assert listed([]) == "none"
    assert listed("abc") == "a, b, c"
    assert listed(range(40_000), 3) == "0, 1, 2 and 39,997 more"
    assert len(listed(["x" * 10_000] * 3)) < 400
