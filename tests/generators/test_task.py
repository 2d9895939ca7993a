"""The image tasks as they come from a folder of models: any domain, every Θ, and which distance is in use."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.generators import task as gan
from landscape_core.search.objectives import Target
from landscape_core.storage import zoo
from tests.tiny.assets import DIM, tiny_domain


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    tiny_domain(folder, "dogs")
    return folder


def test_a_domain_is_its_folder_with_the_learned_space_first(assets: Path) -> None:
    task = gan.load_image_task("dogs", assets=assets)
    assert task.name == "dogs"
    assert list(task.mappings) == ["residual", "paper", "random"]
    assert (task.advice("residual").name, task.advice("paper").lr) == ("lbfgs", 0.2)
    assert set(task.hashes) == {"dogs/generator", "dogs/encoder", "dogs/theta-residual", "dogs/theta-paper", "lpips"}
    picture = task.forward(task.space("paper").to_x(torch.zeros(1, DIM)))
    assert picture.shape == (1, 3, 64, 64)
    assert task.encode is not None
    assert task.encode(picture).shape == (1, DIM)


def test_a_domain_that_is_not_there_is_a_sentence(assets: Path) -> None:
    with pytest.raises(UserError, match=r"no image task 'cats'; there are: dogs\.$"):
        gan.load_image_task("cats", assets=assets)


def test_the_hashes_say_which_distance_is_in_use(assets: Path) -> None:
    usual = gan.load_image_task("dogs", assets=assets)
    robust = gan.load_image_task("dogs", perceptual="robust", assets=assets)
    assert usual.hashes["lpips"] == zoo.read_card("lpips").sha256
    assert robust.hashes["perceptual"] == zoo.read_card("perceptual").sha256
    assert usual.hashes.keys() ^ robust.hashes.keys() == {"lpips", "perceptual"}
    a, b = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    distances = [task.objective.bind(Target(a))(b) for task in (usual, robust)]
    assert not torch.allclose(*distances)


def test_the_card_says_the_side_and_what_is_advised_from_each_start(assets: Path) -> None:
    task = gan.load_image_task("dogs", assets=assets)
    assert task.side == task.forward(task.prior.mean[None]).shape[-1] == 64
    from_guess = {"tuned": [{"start": "encoder", "optimizer": {"name": "lbfgs", "lr": 1.0, "first_move": 0.3}}]}
    metrics = zoo.read_card("dogs/theta-residual", assets).metrics
    zoo.update_card("dogs/theta-residual", assets, metrics=metrics | from_guess)
    task = gan.load_image_task("dogs", assets=assets)
    assert task.advice("residual").first_move == 1.0
    assert task.advice("residual", start="encoder").first_move == 0.3
    assert task.advice("paper", start="encoder") == task.advice("paper")
    zoo.update_card("dogs/theta-residual", assets, metrics=metrics)
