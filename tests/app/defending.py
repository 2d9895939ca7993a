"""Defences of the app on tiny models, for the tests of what it streams and counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.defence.pictures import Defences
from landscape_core.features.cifar10 import Cifar10Test
from tests.tiny.defence import tiny_defence, write_cifar

FORM = {
    "classifier": "ro", "attack": "l2", "knows": "static", "space": "narrow", "steps": 3, "ascents": 4, "x_rate": 1.0,
    "z_rate": 1.0, "seed": 0, "truth": 8,
}  # fmt: skip
Message = dict[str, Any]


def two_defences(folder: Path) -> Defences:
    """Two classifiers, with a few of CIFAR-10's test pictures, which are written there."""
    return Defences({"ro": tiny_defence, "mart": lambda: tiny_defence("mart", 1)}, Cifar10Test(write_cifar(folder)))


def only(messages: list[Message], kind: str) -> list[Message]:
    """The messages of one kind."""
    return [message for message in messages if message["kind"] == kind]
