"""Run cards of one attacked picture and its defence in X and in Z."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from torch import Tensor

from landscape_core.defence.attacks import AttackSettings
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.images.pixels import png_base64
from landscape_core.records.run_card import Card, environment, models_used
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task


class DefenceCard(Card):
    """The card of a defence: the clean picture (PNG, base64), its true class, the attack, and what the attacker knew: nothing
    ("static"), or the defence in "X" or "Z". `settings.task` is the classifier's short name."""

    kind: Literal["defence"] = "defence"
    target_png: str = Field(max_length=100_000)
    truth: int = Field(ge=0, lt=len(CIFAR10_CLASSES))
    attack: AttackSettings
    knows: Literal["static", "X", "Z"] = "static"


def make_defence_card(
    task: Task, settings: RunSettings, clean: Tensor, truth: int, attack: AttackSettings, knows: str, **result: Any
) -> DefenceCard:
    """The card of a run on one clean uint8 picture (3, 32, 32)."""
    return DefenceCard.model_validate(
        {
            "settings": settings, "models": models_used(task, settings), "target_png": png_base64(clean), "truth": truth,
            "attack": attack, "knows": knows, "environment": environment(), "result": result,
        }
    )  # fmt: skip
