"""Run cards: they replay bit for bit, and hostile ones are refused in a sentence."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import replace

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.generators.completion import complete, completion_settings
from landscape_core.generators.masks import preset
from landscape_core.generators.run_card import card_target, make_card, read_run_card
from landscape_core.images.pixels import MAX_SIDE, png_base64, png_tensor, to_bytes, to_unit
from landscape_core.records.card_file import card_text
from landscape_core.records.run_card import check_models, replay_promise
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings, prepare
from landscape_core.search.summary import replay_sentence, result_of
from landscape_core.search.task import Tuned
from landscape_core.search.trajectory import run
from tests.tiny.models import tiny_task

LBFGS, SHORT = (OptimizerSettings(name="lbfgs", lr=lr, history=100) for lr in (1.0, 0.3))


@pytest.mark.parametrize("name", ["gd", "adam", "adam-ramps", "lbfgs"])
@pytest.mark.parametrize("start", ["mean", "random", "encoder"])
def test_a_card_replays_bit_for_bit(name: str, start: str) -> None:
    task = tiny_task()
    picture = to_bytes(task.forward(task.prior.mean[None] + 0.1))[0]
    optimizer = OptimizerSettings(name=name, lr=0.05)
    settings = RunSettings.pair(steps=5, start=start, seed=3, x=optimizer, z=optimizer)
    card = make_card(task, settings, picture)
    first = run(*prepare(task, settings, card_target(card, 64)))
    again = read_run_card(card.model_dump_json())
    assert again == card
    second = run(*prepare(tiny_task(), again.settings, card_target(again, 64)))
    for one, other in zip(first.lanes, second.lanes, strict=True):
        assert torch.equal(one.loss_table(), other.loss_table())
        assert torch.equal(torch.stack(one.variables), torch.stack(other.variables))


def test_the_largest_picture_fits_on_a_card_and_its_card_into_a_file() -> None:
    noise = torch.randint(0, 256, (3, MAX_SIDE, MAX_SIDE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    text = make_card(tiny_task(), RunSettings(), noise).model_dump_json()
    assert torch.equal(png_tensor(read_run_card(card_text(text.encode())).target_png), noise)


def test_seed_matters_for_random_starts_only() -> None:
    task = tiny_task()
    target = card_target(make_card(task, RunSettings(), to_bytes(task.forward(task.prior.mean[None]))[0]), 64)
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
        ({"version": 3}, "version"),
        ({"version": 1}, "replaced since"),
        ({"unknown": 1}, "unknown"),
        ({"settings": {"steps": 10**9}}, "steps"),
        ({"settings": {"seed": -1}}, "seed"),
        ({"settings": {"lanes": [{"optimizer": {"lr": "NaN"}}]}}, "lr"),
        ({"settings": {"lanes": [{"optimizer": {"name": "sgd"}}]}}, "name"),
        ({"settings": {"lanes": []}}, "lanes"),
        ({"settings": {"lanes": [{}, {}]}}, "every lane once"),
        ({"target_png": "A" * 5_000_000}, "target_png"),
        ({"k": 4}, "k and either mask_png or observation"),
        ({"mask_png": "A"}, "k and either mask_png or observation"),
        ({"mask_png": "A", "k": 65}, "k"),
        ({"mask_png": "A" * 5_000_000, "k": 4}, "mask_png"),
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


def test_whether_a_card_can_be_repeated_is_said() -> None:
    task = tiny_task()
    card = read_run_card(json.dumps(valid()))
    assert replay_promise(card, task) == "the models are the same, so Run repeats it exactly."
    other = card.model_copy(update={"models": card.models | {"faces/generator": "1" * 64}})
    assert replay_promise(other, task).startswith("these models differ from the card's, so results will too: faces/generator")
    silent = card.model_copy(update={"models": {}})
    assert replay_promise(silent, task).startswith("it does not say which faces/generator")
    assert "exactly" not in replay_promise(silent, task)


def test_every_space_of_a_card_has_to_be_here() -> None:
    lanes = [{"space": "X"}, {"space": "paper"}, {"space": "elsewhere"}]
    card = read_run_card(json.dumps(valid() | {"settings": {"lanes": lanes}}))
    with pytest.raises(UserError, match="has no space 'elsewhere'"):
        replay_promise(card, tiny_task())
    of_x_alone = read_run_card(json.dumps(valid() | {"settings": {"lanes": lanes[:1]}}))
    assert "exactly" in replay_promise(of_x_alone, tiny_task())


def test_a_card_of_completions_replays_bit_for_bit() -> None:
    task = tiny_task()
    picture, mask = to_bytes(task.forward(task.prior.mean[None] + 0.1))[0], preset("eyes", 64)
    settings = completion_settings(task, space="paper", steps=4, seed=2)
    first = complete(task, Target(to_unit(picture)[None], mask), 3, settings)
    card = read_run_card(make_card(task, settings, picture, mask=mask, k=3, **result_of(first)).model_dump_json())
    target = card_target(card, 64)
    assert torch.equal(target.mask, mask)
    again = complete(tiny_task(), target, card.k, card.settings)
    assert replay_sentence(card.result, again).startswith("This repeats")
    for lane in ("X", "Z"):
        assert torch.equal(first.lane(lane).loss_table(), again.lane(lane).loss_table())
    card.result["losses"]["Z"][1] += 1e-9
    assert replay_sentence(card.result, again).startswith("This differs")


@pytest.mark.parametrize("losses", [{"X": "high", "Z": [1, "a"]}, {"X": None}, {"X": {"a": 1}}, {}])
def test_a_hostile_result_is_no_more_than_another_result(losses: dict) -> None:
    task = tiny_task()
    settings = RunSettings(steps=1)
    trajectory = run(
        *prepare(task, settings, card_target(make_card(task, settings, to_bytes(task.forward(task.prior.mean[None]))[0]), 64))
    )
    assert replay_sentence({"step": 1, "losses": losses}, trajectory).startswith("This differs")


@pytest.mark.parametrize(("visible", "message"), [(255, "Nothing is hidden"), (0, "Everything is hidden")])
def test_a_card_s_mask_is_checked_like_any_other(visible: int, message: str) -> None:
    text = json.dumps(valid() | {"mask_png": png_base64(torch.full((3, 64, 64), visible, dtype=torch.uint8)), "k": 4})
    with pytest.raises(UserError, match=message):
        card_target(read_run_card(text), 64)


def test_a_card_names_the_learned_space_it_used_and_no_other() -> None:
    hashes = {"faces/generator": "0" * 64, "faces/theta-residual": "1" * 64, "faces/theta-paper": "2" * 64}
    task = replace(tiny_task(), hashes=hashes)
    picture = to_bytes(task.forward(task.prior.mean[None]))[0]
    assert make_card(task, RunSettings.pair(space="paper"), picture).models.keys() == {"faces/generator", "faces/theta-paper"}
    assert make_card(task, RunSettings.pair(space="random"), picture).models.keys() == {"faces/generator"}


def test_pictures_survive_the_card() -> None:
    picture = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(png_tensor(png_base64(picture)), picture)
    with pytest.raises(UserError, match="32x32"):
        png_tensor(png_base64(picture[:, :32, :32]), side=64)
    with pytest.raises(UserError, match="cannot be read"):
        png_tensor("!!!!")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks)


@pytest.mark.parametrize(
    "content",
    [
        png(30_000, 30_000),  # DecompressionBombError
        png(14_000, 7_000),  # DecompressionBombWarning
        png(64, 64, chunk(b"IDAT", b""), b"\0\0\0\4\1\2\3\4"),  # SyntaxError: broken chunk
        png(64, 64, chunk(b"tRNS", b"\1"), chunk(b"IDAT", zlib.compress(bytes(64 * 193)))),
        png(64, 64, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10)))[:-6]),
        png(64, 64, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000))), chunk(b"IDAT", b"x")),  # ValueError: too long
        png(0, 0),
        b"",
        b"GIF89a" + bytes(20),
    ],
)
def test_no_picture_of_a_card_raises_anything_but_a_sentence(content: bytes) -> None:
    with pytest.raises(UserError, match="The card's picture"):
        png_tensor(base64.b64encode(content).decode())


def test_space_and_encoder_that_a_task_lacks_are_refused() -> None:
    task = tiny_task()
    target = card_target(read_run_card(json.dumps(valid())), 64)
    with pytest.raises(UserError, match="no space 'flow'"):
        prepare(task, RunSettings.pair(space="flow"), target)
    with pytest.raises(UserError, match="no encoder"):
        prepare(replace(task, encode=None), RunSettings(start="encoder"), target)


def test_a_table_has_a_lane_in_every_cell_at_its_best_settings() -> None:
    tuned = {"X": [Tuned(optimizer=LBFGS, start="mean"), Tuned(optimizer=SHORT, start="encoder")]}
    task = replace(tiny_task(), tuned=tuned)
    table = RunSettings.table(task, "paper", ["adam", "lbfgs"], steps=3, start="encoder")
    assert table.names() == ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"]
    assert table.lanes[2].optimizer == SHORT
    assert RunSettings.table(task, "paper", ["lbfgs"]).lanes[0].optimizer == LBFGS
    assert (table.learned, table.space, table.optimizers) == (["paper"], "paper", ["adam", "lbfgs"])
    assert table.in_space("random").learned == ["random"]
    assert (table.lane("Z", "lbfgs"), table.lane("X"), table.lane("Z", "gd")) == ("Z · L-BFGS", "X · Adam", None)


def test_lanes_are_named_with_what_tells_them_apart() -> None:
    slow, fast = OptimizerSettings(lr=0.01), OptimizerSettings(lr=0.3)
    assert RunSettings.pair().names() == ["X", "Z"]
    assert RunSettings.pair(z=LBFGS).names() == ["X · Adam", "Z · L-BFGS"]
    rates = RunSettings(lanes=tuple(LaneSettings(optimizer=each) for each in (slow, fast)))
    assert rates.names() == ["X · Adam 0.01", "X · Adam 0.3"]
    spaces = RunSettings(lanes=tuple(LaneSettings(space=name) for name in ("X", "paper", "random")))
    assert spaces.names() == ["X · Adam", "Z paper · Adam", "Z random · Adam"]


def test_a_race_of_a_table_gives_each_lane_what_it_gets_alone() -> None:
    task, target = tiny_task(), Target(tiny_task().forward(tiny_task().prior.mean[None] + 0.1).detach())
    table = RunSettings.table(task, "paper", ["adam", "lbfgs"], steps=4)
    raced = run(*prepare(task, table, target))
    for name, lane in zip(table.names(), table.lanes, strict=True):
        alone = run(*prepare(task, table.model_copy(update={"lanes": (lane,)}), target))
        assert torch.allclose(raced.lane(name).loss_table(), alone.lanes[0].loss_table(), rtol=1e-4)
    pair = raced.pair("X · L-BFGS", "Z · L-BFGS")
    assert [lane.name for lane in pair.lanes] == ["X", "Z"]
    assert pair.last is not None
    assert torch.equal(pair.last.lanes[1].loss, raced.lane("Z · L-BFGS").losses[-1])
