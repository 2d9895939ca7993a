"""X against Z on held-out targets: paired, by one optimiser, and Θ itself is left as it is."""

from __future__ import annotations

import pytest
import torch

from landscape_core.experiments.held_out import SHOWN, STEPS, TARGETS, HeldOut
from landscape_core.generators.training.theta import MAPPING_PRESETS
from landscape_core.search.mapping import MappingConfig, build_mapping
from tests.tiny.models import DIM, tiny_task

TASK = tiny_task()
TARGET = TASK.sampled(TARGETS, torch.Generator().manual_seed(3))


def test_a_theta_that_is_x_itself_changes_nothing() -> None:
    mapping = build_mapping(MappingConfig("residual", DIM, DIM, hidden=0), TASK.prior)
    chosen = MAPPING_PRESETS["whitened"]
    found = HeldOut(TASK, chosen, TARGET).look(mapping, DIM)
    assert len(found.x) == len(found.z) == STEPS + 1
    assert found.z[0] == pytest.approx(found.x[0], rel=1e-5)  # both begin at the mean
    assert all(later <= earlier for earlier, later in zip(found.z, found.z[1:], strict=False))
    assert found.comparison.n == TARGETS
    assert found.sheet.size == (SHOWN * TASK.side, 3 * TASK.side)


def test_x_is_searched_once_and_z_each_time() -> None:
    held, before = HeldOut(TASK, MAPPING_PRESETS["residual"], TARGET), TASK.mappings["residual"]
    looks = [
        held.look(build_mapping(MappingConfig("residual", DIM, DIM, 16), TASK.prior, whitener=scale * torch.eye(DIM)), DIM)
        for scale in (1.0, 0.01)
    ]
    assert looks[0].x == looks[1].x
    assert looks[0].z[-1] < looks[1].z[-1]
    assert looks[0].comparison.means[0] < looks[1].comparison.means[0]
    assert TASK.mappings["residual"] is before
