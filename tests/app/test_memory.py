"""What was freed goes back to the system, however many threads it was taken by."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import memory, refusing, start

ROOT = Path(__file__).resolve().parents[2]
# Threads take 160 MB by pieces and free all but one in fifty, which hold the arenas where they are.
FREED = """
import sys, threading
from pathlib import Path
import torch
from app import memory

kept, together = [], threading.Barrier(8)

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

def work():
    together.wait()
    pieces = [torch.ones(10_000) for _ in range(500)]
    together.wait()
    kept.append(pieces[::50])

if sys.argv[1] == "few":
    memory.few_arenas()
before = resident()
threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
freed = resident() - before
memory.give_back()
import ctypes, os
c = ctypes.CDLL(None)
c.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(c.fopen(os.fsencode(sys.argv[2]), b"w"))
c.malloc_info(0, file)
c.fclose(file)
print(freed, resident() - before, Path(sys.argv[2]).read_text().count("<heap nr"))
"""


@pytest.mark.skipif(memory._glibc() is None, reason="another C library than glibc")
@pytest.mark.parametrize("arenas", ["few", "as they come"])
def test_what_threads_freed_is_given_back_and_they_share_few_arenas(arenas: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FREED, arenas, str(tmp_path / "arenas.xml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    freed, left, count = map(float, done.stdout.split())
    assert freed > 60.0, "freed pieces stay with the process by themselves"
    assert left < 0.3 * freed
    assert (count <= memory.ARENAS) == (arenas == "few")


def test_the_app_begins_with_few_arenas(monkeypatch: pytest.MonkeyPatch) -> None:
    class AskedError(Exception):
        pass

    def few() -> None:
        raise AskedError

    monkeypatch.setattr(memory, "few_arenas", few)
    with pytest.raises(AskedError):
        start.main()


def test_a_long_event_gives_memory_back_when_it_has_ended_and_no_other_does(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bool] = []
    monkeypatch.setattr(refusing, "give_back", lambda: given.append(True))

    def steps() -> Iterator[int]:
        yield from (1, 2)

    def fails() -> None:
        raise RuntimeError

    assert [*refusing.told(steps, [])()] == [1, 2]
    assert not given
    going = refusing.told(steps, [], long=True)()
    assert next(going) == 1
    assert not given, "it computes still"
    assert [*going] == [2]
    assert len(given) == 1
    left = refusing.told(steps, [], long=True)()
    next(left)
    left.close()
    assert len(given) == 2
    with pytest.raises(RuntimeError):
        refusing.told(fails, [], long=True)()
    assert len(given) == 3
