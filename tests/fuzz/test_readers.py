"""Damaged files of every kind: a reader returns or says one sentence, and raises nothing else.

Quick: every file in `found/`, once an input that broke a reader, and the valid files themselves. Slow (`tests/run --all`, or
pytest with `-m slow`): mutations, a minute or two; longer with FUZZ_EXAMPLES=100000, repeatable with --hypothesis-seed=N.
What breaks a reader is put into `found/` as READER--WHAT and mended.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landscape_core.errors import UserError
from tests.fuzz.readers import READERS, seeds

FOUND = sorted((Path(__file__).parent / "found").glob("*--*"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "400"))
LONGEST_SENTENCE = 1500
ODD = (b"", b"\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"-1", b"1e308", b"nan", b"99999999999", b'"', b"{", b"\n")
NOT_FOR_PEOPLE = re.compile(r"\x1b|object at 0x|Traceback|weights_only|\n")


def told(name: str, data: bytes, folder: Path) -> None:
    """Read the bytes: fine, or one sentence for a person."""
    sentence = refusal(name, data, folder)
    if sentence is not None:
        assert not NOT_FOR_PEOPLE.search(sentence), sentence
        assert 0 < len(sentence) < LONGEST_SENTENCE


def refusal(name: str, data: bytes, folder: Path) -> str | None:
    """What a reader says of bytes that it does not take."""
    reader = READERS[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library may warn of a file that it reads
            reader.read(data, folder / reader.path)
    except UserError as error:
        return str(error)
    return None


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """A valid file with some bytes changed, cut, doubled, or replaced by numbers and words that are out of range."""
    data = bytearray(draw(st.sampled_from(seeds(name))))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 1, 1, 2, 4, 16, 256]))
        piece = draw(st.one_of(st.sampled_from(ODD), st.binary(max_size=8), st.just(bytes(data[start : start + length]) * 2)))
        data[start : start + length] = piece
    if draw(st.integers(0, 9)) == 0:
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


@pytest.mark.parametrize("name", READERS)
def test_valid_files_are_read(name: str, tmp_path: Path) -> None:
    if name == "vposer":
        pytest.skip("its seed is only the beginning of one")
    for number, data in enumerate(seeds(name)):
        READERS[name].read(data, (tmp_path / str(number)).with_name(READERS[name].path))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_broke_a_reader_is_a_sentence_now(path: Path, tmp_path: Path) -> None:
    told(path.name.split("--")[0], path.read_bytes(), tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_any_bytes_are_a_sentence(name: str, tmp_path: Path) -> None:
    for data in (b"", b"\0" * 40, b"PK\3\4" + b"\0" * 60, b"\x89PNG\r\n\x1a\n", b"{}", b"[" * 5000, "Θ".encode() * 9):
        told(name, data, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damaged(name))
    def try_one(data: bytes) -> None:
        told(name, data, tmp_path)

    try_one()
