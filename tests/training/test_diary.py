"""A diary is read while it is written: whole lines once each, and what a kill cut short is no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from landscape_core.errors import UserError
from landscape_core.training.diary import NAME, Diary, Reader


def test_each_line_is_read_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    diary, reader = Diary(tmp_path / "d"), Reader(tmp_path / "d")
    assert list(reader.new()) == []
    diary.write("at", buffer=1)
    diary.write("look", ratio=0.5)
    assert [entry["kind"] for entry in reader.new()] == ["at", "look"]
    assert list(reader.new()) == []
    with (tmp_path / "d" / NAME).open("a") as file:
        file.write('{"kind": "a')
        file.flush()
        assert list(reader.new()) == []
        file.write('t"}\n')
    assert list(reader.new()) == [{"kind": "at"}]


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    diary, reader = Diary(tmp_path), Reader(tmp_path)
    (tmp_path / NAME).write_text('{"kind": "lo\n')
    diary.write("at", buffer=2)
    assert list(reader.new()) == [{"kind": "at", "buffer": 2}]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Diary(tmp_path / "file").write("at")
