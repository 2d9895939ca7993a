"""Run cards: they replay bit for bit, and hostile ones are refused in a sentence."""

from __future__ import annotations

import json

import pytest
import torch

from landscape_core.data import to_bytes
from landscape_core.errors import UserError
from landscape_core.runs import (
    OptimizerSettings,
    RunSettings,
    card_target,
    check_models,
    make_card,
    png_base64,
    png_tensor,
    prepare,
    read_run_card,
)
from landscape_core.trajectory import run
from tests.tiny import tiny_task


@pytest.mark.parametrize("name", ["gd", "adam", "adam-ramps", "lbfgs"])
@pytest.mark.parametrize("start", ["mean", "random", "encoder"])
def test_a_card_replays_bit_for_bit(name: str, start: str) -> None:
    task = tiny_task()
    picture = to_bytes(task.forward(task.prior.mean[None] + 0.1))[0]
    optimizer = OptimizerSettings(name=name, lr=0.05)
    settings = RunSettings(steps=5, start=start, seed=3, x=optimizer, z=optimizer)
    card = make_card(task, settings, picture)
    first = run(*prepare(task, settings, card_target(card)))
    again = read_run_card(card.model_dump_json())
    assert again == card
    second = run(*prepare(tiny_task(), again.settings, card_target(again)))
    for one, other in zip(first.lanes, second.lanes, strict=True):
        assert torch.equal(one.loss_table(), other.loss_table())
        assert torch.equal(torch.stack(one.variables), torch.stack(other.variables))


def test_seed_matters_for_random_starts_only() -> None:
    task = tiny_task()
    target = card_target(make_card(task, RunSettings(), to_bytes(task.forward(task.prior.mean[None]))[0]))
    starts = {
        (kind, seed): prepare(task, RunSettings(start=kind, seed=seed), target)[1][0]
        for kind in ("mean", "random")
        for seed in (0, 1)
    }
    assert torch.equal(starts["mean", 0], starts["mean", 1])
    assert not torch.equal(starts["random", 0], starts["random", 1])


def valid() -> dict:
    task = tiny_task()
    return json.loads(make_card(task, RunSettings(), to_bytes(task.forward(task.prior.mean[None]))[0]).model_dump_json())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version"),
        ({"unknown": 1}, "unknown"),
        ({"settings": {"steps": 10**9}}, "steps"),
        ({"settings": {"seed": -1}}, "seed"),
        ({"settings": {"x": {"lr": "NaN"}}}, "lr"),
        ({"settings": {"x": {"name": "sgd"}}}, "name"),
        ({"target_png": "A" * 500_000}, "target_png"),
    ],
)
def test_a_hostile_card_is_refused_by_the_field_that_is_wrong(change: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_run_card(json.dumps(valid() | change))


def test_text_that_is_no_card_is_refused() -> None:
    with pytest.raises(UserError, match="not a run card"):
        read_run_card("hello")


def test_a_card_of_other_models_is_told_apart() -> None:
    task = tiny_task()
    card = read_run_card(json.dumps(valid()))
    assert check_models(card, task) == []
    card.models["faces/generator"] = "1" * 64
    assert check_models(card, task) == ["faces/generator"]


def test_pictures_survive_the_card() -> None:
    picture = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(png_tensor(png_base64(picture)), picture)
    with pytest.raises(UserError, match="32x32"):
        png_tensor(png_base64(picture[:, :32, :32]))
    with pytest.raises(UserError, match="cannot be read"):
        png_tensor("!!!!")


def test_space_and_encoder_that_a_task_lacks_are_refused() -> None:
    from dataclasses import replace

    task = tiny_task()
    target = card_target(read_run_card(json.dumps(valid())))
    with pytest.raises(UserError, match="no space 'flow'"):
        prepare(task, RunSettings(space="flow"), target)
    with pytest.raises(UserError, match="no encoder"):
        prepare(replace(task, encode=None), RunSettings(start="encoder"), target)
