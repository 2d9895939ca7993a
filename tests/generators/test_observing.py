"""What is observed: its names, its targets, what its loss is made of, and that a search only sees y."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.grammar import KINDS
from landscape_core.generators.masks import preset
from landscape_core.generators.observing import Instrument, as_picture
from landscape_core.search.objectives import PerceptualObjective, SquaredError
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.trajectory import run
from tests.tiny.models import PooledDistance, tiny_task

SIDE = 64
EACH = [
    "low-resolution:8", "low-resolution:4:bicubic", "blur:gaussian:2", "blur:motion:9:45", "grey", "noise:0.1",
    "salt-and-pepper:0.2", "salt-and-pepper:0.2:huber", "scattered:0.1", "mask:centre", "measurements:64",
    "blur:gaussian:2+mask:eyes", "blur:gaussian:1.5+low-resolution:2+grey+noise:0.05+scattered:0.5@7",
]  # fmt: skip


def pictures(n: int = 2) -> Tensor:
    return tiny_task().forward(tiny_task().prior.sample(n, torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("name", EACH)
def test_a_name_is_read_and_written_and_the_truth_fits_what_is_seen_of_it(name: str) -> None:
    instrument = Instrument.of(name)
    assert str(instrument) == name
    target = instrument.observe(pictures())
    assert torch.equal(target.truth, pictures())
    noiseless = {"noise", "salt-and-pepper"}.isdisjoint(instrument.parts)
    loss = PerceptualObjective(PooledDistance()).bind(target)(pictures())
    assert loss.shape == (2,)
    assert bool((loss < 1e-9).all()) == noiseless
    assert as_picture(target, SIDE).shape == (2, 3, SIDE, SIDE)


def test_all_kinds_are_tried_here() -> None:
    assert {kind for name in EACH for kind in Instrument.of(name).parts} == set(KINDS)


def test_the_order_of_parts_says_nothing_and_usual_values_need_not_be_said() -> None:
    assert str(Instrument.of(" mask+blur:gaussian:3 ")) == "blur:gaussian+mask"
    assert Instrument.of("mask:centre+low-resolution").parts == Instrument.of("low-resolution:8:area+mask:centre").parts


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fog", "There is no observation 'fog'"), ("low-resolution:7", "one of 8, 4, 16, 2"),
        ("blur:box", "gaussian, motion"),
        ("blur:gaussian:99", "from 0.3 to 24"), ("grey:1", "takes at most 0 values"), ("grey+grey", "named twice"),
        ("noise:x", "a number from"), ("grey@-1", "seed"), ("measurements:10+mask:eyes", "can be hidden"),
        ("noise+salt-and-pepper", "not both"), ("grey+" * 100, "at most 200 characters"), ("measurements:2.5", "whole number"),
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused_in_a_sentence(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Instrument.of(name)


def test_a_seed_fixes_what_is_random_and_another_changes_it() -> None:
    for name in ("noise:0.1", "salt-and-pepper:0.3", "measurements:64"):
        first, again, other = (Instrument.of(each).observe(pictures()).value for each in (name, name, f"{name}@1"))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
    masks = [Instrument.of(f"scattered:0.3{seed}").observe(pictures()).mask for seed in ("", "", "@1")]
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])
    assert float(masks[0].mean()) == pytest.approx(0.3, abs=0.03)


def test_features_are_taken_of_pictures_of_32_pixels_and_more_alone() -> None:
    pictorial = {name: Instrument.of(name).observation(SIDE).pictorial for name in EACH}
    assert [name for name, yes in pictorial.items() if yes] == [
        "blur:gaussian:2", "blur:motion:9:45", "grey", "mask:centre", "blur:gaussian:2+mask:eyes",
    ]  # fmt: skip
    assert "perceptual distance and the mean squared error of the observation" in Instrument.of("grey").loss_words(SIDE)
    assert "alone: it is 8 pixels a side" in Instrument.of("low-resolution:8").loss_words(SIDE)
    assert "mean absolute error" in Instrument.of("salt-and-pepper").loss_words(SIDE)
    assert "Huber" in Instrument.of("salt-and-pepper:0.2:huber").loss_words(SIDE)


def test_gross_errors_pull_a_picture_less_by_absolute_errors() -> None:
    """Of a constant with a fifth of its pixels spoilt the best constant by absolute errors is the truth itself."""
    truth = torch.full((1, 3, SIDE, SIDE), 0.5)
    target = Instrument.of("salt-and-pepper:0.2").observe(truth)
    tried = torch.linspace(-1, 1, 41)
    for penalty, wanted in (("absolute", 0.5), ("squared", float(target.value.mean()))):
        seen = replace(target, observation=replace(target.observation, penalty=penalty))
        losses = torch.cat([SquaredError().bind(seen)(torch.full_like(truth, float(each))) for each in tried])
        assert float(tried[losses.argmin()]) == pytest.approx(wanted, abs=0.03)


def test_a_pixel_that_is_hidden_in_part_is_hidden() -> None:
    mask = torch.ones(1, 1, SIDE, SIDE)
    mask[..., 10, 10] = 0
    mask[..., 40:48, 0:16] = 0
    small = Instrument.of("low-resolution:8+mask").observe(pictures(1), mask).mask
    assert small.shape == (1, 1, 8, 8)
    assert (small == 0).nonzero()[:, 2:].tolist() == [[1, 1], [5, 0], [5, 1]]


def test_ones_own_picture_is_taken_as_it_is_and_has_no_truth() -> None:
    value = torch.zeros(1, 3, 8, 8)
    target = Instrument.of("low-resolution:8").taken(value, None, SIDE)
    assert target.value is value
    assert target.truth is None
    with pytest.raises(UserError, match="8 pixels a side, and this has 64"):
        Instrument.of("low-resolution:8").taken(torch.zeros(1, 3, 64, 64), None, SIDE)
    with pytest.raises(UserError, match="simulated"):
        Instrument.of("measurements:9").taken(value, None, SIDE)
    with pytest.raises(UserError, match="Say what is hidden"):
        Instrument.of("mask").taken(torch.zeros(1, 3, 64, 64), None, SIDE)


@pytest.mark.parametrize("name", ["low-resolution:8", "blur:motion:9+mask:centre", "salt-and-pepper:0.2", "measurements:64"])
def test_both_spaces_descend_on_what_is_seen_and_neither_hears_of_the_truth(name: str) -> None:
    task, settings = tiny_task(), RunSettings.pair(steps=5)
    target = Instrument.of(name).observe(pictures(1))
    runs = [run(*prepare(task, settings, each)) for each in (target, replace(target, truth=torch.zeros_like(target.truth)))]
    for lane, other in zip(*(each.lanes for each in runs), strict=True):
        assert float(lane.best_so_far()[-1]) < float(lane.losses[0])
        assert torch.equal(lane.loss_table(), other.loss_table())
    with pytest.raises(UserError, match="encoder"):
        prepare(task, settings.model_copy(update={"start": "encoder"}), target)


def test_masks_of_observations_are_painted_masks() -> None:
    whole = Instrument.of("mask").observe(pictures(1), preset("eyes", SIDE))
    assert torch.equal(whole.mask, Instrument.of("mask:eyes").observe(pictures(1)).mask)
