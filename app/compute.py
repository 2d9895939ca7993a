"""How the machine's cores are shared between visitors."""

import os

import torch

MOST_AT_ONCE = 4


def runs_at_once() -> int:
    """Runs computed at the same time; more wait in the queue. More than there are cores would slow everybody down."""
    return max(1, min(MOST_AT_ONCE, os.cpu_count() or 1))


def share_cores() -> None:
    """Give each run its share of the cores."""
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // runs_at_once()))
