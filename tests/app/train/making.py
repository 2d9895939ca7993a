"""What trainings are begun with in tests: a command that stands for the real one, requests, and files."""

from __future__ import annotations

import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from app.train.request import Request
from app.train.training import Training
from landscape_core.images.pixels import png_bytes
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.task import load_body
from tests.tiny.pose import random_rotvec

# Stands for the command: it writes a diary as the real one does, a buffer every 20 ms, and ends as its name says.
STAND_IN = """
import json, os, pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
diary = folder / "diary"
diary.mkdir(exist_ok=True)
kept = folder / "kept"
buffer = int(kept.read_text()) if kept.exists() else 0
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
if name == "refused":
    sys.exit("curvature: 3it\\rNo space left on device.")
if name == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
while buffer < (10 ** 6 if name.startswith("long") else 5) and not (diary / "finish").exists():
    if stop:
        sys.exit(130)
    time.sleep(0.02)
    buffer += 1
    kept.write_text(str(buffer))
    look = {"kind": "look", "buffer": buffer, "of": 5, "seconds": buffer * 2.0, "x": [1.0, 0.5], "z": [1.0, 0.25], "n": 8,
            "ratio": 0.5, "interval": [0.4, 0.6], "sheet": "none.webp", "optimizer": "lbfgs", "losses": {}}
    with (diary / "diary.jsonl").open("a") as file:
        file.write(json.dumps(look) + "\\n")
"""

NICENESS = 1  # a busy machine would let a lower priority wait for long


def stand_in(training: Training) -> Sequence[str]:
    return [sys.executable, "-S", "-c", STAND_IN, str(training.folder), training.record.request.name]


def request(name: str, **values: Any) -> Request:
    return Request(task="decay", name=name, **values)


def until(condition: Callable[[], object]) -> None:
    """Wait until it holds; the test's own limit of time ends it otherwise."""
    while not condition():
        time.sleep(0.01)


def pictures(folder: Path, n: int) -> list[str]:
    """Pictures of noise."""
    random = torch.Generator().manual_seed(0)
    for index in range(n):
        (folder / f"{index}.png").write_bytes(png_bytes(torch.randint(256, (3, 40, 40), generator=random, dtype=torch.uint8)))
    return [str(folder / f"{index}.png") for index in range(n)]


def recordings(folder: Path) -> Path:
    """A zip of two motions of 40 frames."""
    with zipfile.ZipFile(folder / "walks.zip", "w") as archive:
        for name in ("deep/a.bvh", "b.bvh"):
            archive.writestr(name, bvh_text(load_body().skeleton, 0.3 * random_rotvec(40, 20)))
    return folder / "walks.zip"
