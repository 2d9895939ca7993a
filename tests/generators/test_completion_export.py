"""Completions as files: what the zip holds, in which order, and that its numbers are the run's."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load

from landscape_core.generators import completion_export as export
from landscape_core.generators.completion import (
    CompletionSet,
    complete,
    completion_sets,
    completion_settings,
    completion_solver,
)
from landscape_core.generators.masks import preset
from landscape_core.generators.observing import Instrument
from landscape_core.generators.run_card import make_card, read_run_card
from landscape_core.images.pixels import to_bytes
from landscape_core.search.objectives import Target
from landscape_core.search.summary import result_of
from tests.tiny.models import tiny_task

K = 3


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    task = tiny_task()
    with torch.no_grad():
        picture = task.forward(task.prior.sample(1, torch.Generator().manual_seed(3)))
    mask, settings = preset("left-half", 64), completion_settings(task, space="residual", steps=4)
    trajectory = complete(task, Target(picture, mask), K, settings)
    solver, _ = completion_solver(task, Target(picture, mask), K, settings)
    sets = completion_sets(task, solver.lanes, trajectory.last, Target(picture, mask))
    card = make_card(
        task, settings, to_bytes(picture)[0], instrument=Instrument.of("mask"), mask=mask, k=K, **result_of(trajectory)
    )
    path = tmp_path_factory.mktemp("zip") / "completions.zip"
    export.completions_zip(path, card, task, solver.lanes, trajectory, Target(picture, mask), sets)
    return path


def test_the_zip_holds_card_losses_pictures_and_latents(archive: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        pictures = {f"completions/{lane}-{n:02}.png" for lane in "XZ" for n in (1, 2, 3)}
        fixed = {"README.md", "run.json", "measures.csv", "loss.svg", "sheet.png", "run.mp4", "latents.safetensors"}
        assert pictures | fixed < set(files.namelist())
        card = read_run_card(files.read("run.json").decode())
        rows = [row.split(",") for row in files.read("measures.csv").decode().splitlines()[1:]]
        assert len(rows) == 5 * 2 * K
        last = [float(row[3]) for row in rows if row[:2] == ["4", "Z"]]
        assert last == card.result["losses"]["Z"]
        assert load(files.read("latents.safetensors"))["X.variable"].shape == (K, 16)
        with Image.open(io.BytesIO(files.read("run.gif"))) as gif:
            assert gif.n_frames == 5
        numbers = [int(row[2]) for row in rows if row[:2] == ["4", "Z"]]
        assert numbers == [1, 2, 3]


def test_the_sheet_shows_what_was_visible_then_the_closest_first(archive: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        sheet = pixels(files.read("sheet.png"))
        card = read_run_card(files.read("run.json").decode())
        first = pixels(files.read("completions/X-01.png"))
    assert sheet.shape == (128, (K + 1) * 64, 3)
    assert np.ptp(sheet[:64, :32]) == 0  # the hidden half is grey
    assert np.ptp(sheet[:64, 32:64]) > 0
    assert (sheet[:64, 64:128] == first).all()
    best = int(np.argmin(card.result["losses"]["X"]))
    assert card.k == K
    assert 0 <= best < K


def test_pictures_are_numbered_by_how_close_they_are() -> None:
    levels = torch.tensor([0.2, -0.6, 0.9])
    each = CompletionSet("Z", levels[:, None, None, None].expand(3, 3, 8, 8), torch.tensor([0.5, 0.1, 0.3]), 0.0)
    found = [int(pixels(png)[0, 0, 0]) for png in export.pictures([each]).values()]
    assert found == to_bytes(levels[[1, 2, 0]]).tolist()


def test_the_visible_part_is_put_back() -> None:
    target = Target(torch.full((1, 3, 8, 8), 0.5), torch.zeros(1, 1, 8, 8))
    target.mask[..., :4] = 1  # type: ignore[index]
    (each,) = export.with_visible_part([CompletionSet("X", torch.zeros(2, 3, 8, 8), torch.zeros(2), 0.0)], target)
    assert (each.pictures[..., :4] == 0.5).all()
    assert (each.pictures[..., 4:] == 0).all()
