"""The image tasks as they come from a folder of models: any domain, every Θ, and which distance is in use."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from landscape_core.errors import UserError
from landscape_core.generators import task as gan
from landscape_core.search.objectives import PerceptualObjective
from landscape_core.storage import zoo
from tests.tiny.assets import DIM, tiny_domain


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    tiny_domain(folder, "dogs")
    return folder


class Stand(nn.Module):
    """A distance whose weights can be told apart."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.register_buffer("weight", torch.tensor(weight))


def test_a_domain_is_its_folder_with_the_learned_space_first(assets: Path) -> None:
    task = gan.load_image_task("dogs", assets=assets)
    assert task.name == "dogs"
    assert list(task.mappings) == ["residual", "paper", "random"]
    assert (task.advice("residual").name, task.advice("paper").lr) == ("lbfgs", 0.2)
    assert set(task.hashes) == {"dogs/generator", "dogs/encoder", "dogs/theta-residual", "dogs/theta-paper", "perceptual"}
    picture = task.forward(task.space("paper").to_x(torch.zeros(1, DIM)))
    assert picture.shape == (1, 3, 64, 64)
    assert task.encode is not None
    assert task.encode(picture).shape == (1, DIM)


def test_a_domain_that_is_not_there_is_a_sentence(assets: Path) -> None:
    with pytest.raises(UserError, match=r"no image task 'cats'; there are: dogs\.$"):
        gan.load_image_task("cats", assets=assets)


def test_the_hashes_say_which_distance_is_in_use(assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = gan.load_image_task("dogs", assets=assets).hashes
    found = []
    for weight in (1.0, 1.0, 2.0):
        objective = PerceptualObjective(Stand(weight))  # type: ignore[arg-type]
        monkeypatch.setattr(gan, "image_objective", lambda *_, objective=objective: objective)
        found.append(gan.load_image_task("dogs", perceptual="lpips", assets=assets).hashes)
    assert embedded["perceptual"] == zoo.read_card("perceptual").sha256
    assert "perceptual" not in found[0]
    assert found[0] == found[1]
    assert found[0]["lpips"] != found[2]["lpips"]  # LPIPS with other weights is another distance
