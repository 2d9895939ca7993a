"""Plug-ins as a user writes them: files of Python, and what they observe."""

from __future__ import annotations

import json
from pathlib import Path

import torch

DECAY = '''
import torch
from torch import nn
from landscape_core import Prior, SquaredError, Task


class Decay(nn.Module):
    """Amplitude and rate (B, 2) -> a curve at sixteen times (B, 16)."""

    def forward(self, x):
        return x[:, :1].exp() * torch.exp(-x[:, 1:].exp() * torch.linspace(0.0, 2.0, 16, device=x.device))


def task():
    return Task("decay", Decay(), Prior(torch.zeros(2), 0.5 * torch.eye(2)), SquaredError())
'''
LATE = "x.device)) + x[:, 2:] * (torch.arange(16) > 11)"  # a third number, which the last four values alone feel
UNSEEN = DECAY.replace("2)", "3)").replace("1:]", "1:2]").replace("x.device))", LATE)
TRUTH = [0.4, -0.3]


def plugin(folder: Path, text: str = DECAY, name: str = "mine.py") -> Path:
    """The plug-in's file."""
    (folder / name).write_text(text)
    return folder / name


def curve(folder: Path, *, hidden: int = 0, name: str = "curve.json") -> Path:
    """What `DECAY` answers at `TRUTH`, of which the last numbers are hidden."""
    x = torch.tensor([TRUTH])
    values = (x[:, :1].exp() * torch.exp(-x[:, 1:].exp() * torch.linspace(0.0, 2.0, 16)))[0].tolist()
    (folder / name).write_text(json.dumps([*values[: 16 - hidden], *[None] * hidden]))
    return folder / name
