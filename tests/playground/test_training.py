"""Training a playground's Θ: phases, going back, replaying, and that it makes the search faster."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from landscape_core.errors import UserError
from landscape_core.playground.descent import descent, steps_to_tolerance, unseen_targets
from landscape_core.playground.run_card import make_card, read_play_card, replayed
from landscape_core.playground.settings import PlaySettings, defaults
from landscape_core.playground.task import load_playground
from landscape_core.playground.training import KEPT, LiveTraining
from landscape_core.search.solver import Lane
from landscape_core.search.spaces import XSpace
from landscape_core.training.alternating import MappingTrainer

QUICK = {"buffers": 6, "targets": 16, "steps": 4, "batch": 16, "width": 16}


def training(**changes: Any) -> LiveTraining:
    return LiveTraining(load_playground(PlaySettings(**{**QUICK, **changes})))


def weights(each: LiveTraining) -> list[torch.Tensor]:
    return [value.clone() for value in each.trainer.mapping.state_dict().values()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(a, b, strict=True))


def test_what_trains_here_is_what_trains_on_faces() -> None:
    each = training()
    assert type(each.trainer) is MappingTrainer
    assert [phase.name for phase in each.phases()] == ["collect"] * 4 + ["descend"] * 4
    assert each.buffer == 1
    assert set(each.history[0]) == {"start", "middle", "end", "theta"}


def test_a_buffer_left_in_its_middle_is_dropped_and_begun_again() -> None:
    whole, left = training(), training()
    whole.run()
    for phase in left.phases():
        if phase.name == "descend" and phase.done == 2:
            break
    assert left.buffer == 0
    left.run()
    assert same(weights(whole), weights(left))


def test_any_buffer_can_be_gone_back_to_and_trained_from_again() -> None:
    each, wanted = training(), []
    while not each.done:
        wanted.append(weights(each))
        list(each.phases())
    last = weights(each)
    for buffer in (4, 0, 3):
        each.rewind(buffer)
        assert each.buffer == len(each.history) == buffer
        assert same(weights(each), wanted[buffer])
    each.run()
    assert same(weights(each), last)


def test_going_back_needs_no_more_than_so_many_snapshots() -> None:
    each = training(buffers=150, targets=8, steps=1, batch=8, width=4, depth=1)
    at_77 = []
    while not each.done:
        list(each.phases())
        if each.buffer == 77:
            at_77 = weights(each)
    assert len(each._kept) <= KEPT
    each.rewind(77)
    assert same(weights(each), at_77)


def test_a_stopped_training_stands_where_its_last_buffer_ended() -> None:
    each, calls = training(), iter(range(100))
    each.run(lambda: next(calls) == 11)
    assert each.buffer == 1
    kept = weights(each)
    each.rewind(1)
    assert same(weights(each), kept)


def test_one_change_and_the_same_seed_start_from_the_same_theta() -> None:
    assert same(weights(training()), weights(training(theta_rate=0.01)))
    assert not same(weights(training(begin="random")), weights(training(begin="random", seed=1)))


def test_the_space_is_a_copy_that_training_leaves_alone() -> None:
    each = training()
    list(each.phases())
    space = each.space()
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    before = space.to_x(z)
    list(each.phases())
    assert torch.equal(space.to_x(z), before)
    assert not torch.allclose(each.space().to_x(z), before)


@pytest.mark.parametrize(
    "change", [{"z_dim": 1}, {"z_dim": 8}, {"mode": "online"}, {"collect": "momentum", "collect_rate": 0.05}]
)
def test_the_other_choices_train_as_well(change: dict[str, Any]) -> None:
    each = training(begin="random", **change)
    each.run()
    assert each.done
    assert each.space().to_x(torch.zeros(3, each.playground.settings.z_dim)).shape == (3, 2)


def test_theta_halves_the_arms_steps_on_targets_never_seen() -> None:
    each = LiveTraining(load_playground(defaults("arm").model_copy(update={"buffers": 40})))
    each.run()
    playground = each.playground
    lanes = [Lane("X", XSpace(playground.task.prior), descent("gd", 0.5)), Lane("Z", each.space(), descent("gd", 0.24))]
    x, z = steps_to_tolerance(playground, lanes, unseen_targets(playground, 100)).median(dim=1).values
    assert float(z) <= 0.5 * float(x)


def test_a_card_repeats_a_training_bit_for_bit() -> None:
    each = training(model="own", first="x1*x2", second="x2", start=(0.5, 0.5))
    each.run()
    each.rewind(4)
    card = read_play_card(make_card(each, [0.5, -0.25]).model_dump_json())
    again, said = replayed(card)
    assert "exactly: after 4 buffers" in said
    assert same(weights(again), weights(each))
    other = card.model_copy(update={"settings": card.settings.model_copy(update={"seed": 9, "begin": "random"})})
    assert "differs from the card's" in replayed(other)[1]


def test_a_bad_card_is_refused_in_a_sentence() -> None:
    card = json.loads(make_card(training(), [0.0, 0.0]).model_dump_json())
    for change in ({"kind": "picture"}, {"buffer": 10**9}, {"y": [1.0]}, {"settings": {"model": "none"}}, {"y": [1e999, 0]}):
        with pytest.raises(UserError, match="not a run card that can be replayed"):
            read_play_card(json.dumps({**card, **change}))
    hostile = json.dumps({**card, "settings": {"model": "own", "first": "__import__('os')", "second": "x1"}})
    with pytest.raises(UserError, match="not known in an expression"):
        replayed(read_play_card(hostile))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValidationError, match="begins at random"):
        PlaySettings(z_dim=3)
    with pytest.raises(ValidationError, match="valley alone"):
        PlaySettings(learned=False)
