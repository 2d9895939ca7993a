"""What is said of a defence, test pictures by number, and right answers counted."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from landscape_core.defence.attacks import AttackSettings
from landscape_core.defence.counting import UNDEFENDED, DefencePlan, Tally, attack_knowing, counted, share
from landscape_core.defence.report import FACTORS, magnified, race_sentence
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import Cifar10Test
from landscape_core.images.pixels import to_unit
from landscape_core.search.optimizers import OptimizerSettings
from tests.tiny.defence import tiny_defence, write_cifar

RATE = OptimizerSettings(name="adam", lr=1 / 255)
PLAN = DefencePlan(AttackSettings(steps=3), "narrow", 2, RATE, RATE, aware_steps=2)


def test_a_perturbation_is_magnified_as_far_as_it_fits() -> None:
    delta = torch.full((3, 4, 4), 0.04)
    added = magnified(delta)
    assert added.factor == 20
    assert set(added.picture.flatten().tolist()) == {round((0.8 + 1) * 127.5)}
    assert added.l2 == pytest.approx(0.02 * 48**0.5)
    assert added.linf == pytest.approx(0.02)
    assert magnified(torch.full((3, 4, 4), 5.0)).factor == 1
    assert magnified(torch.zeros(3, 4, 4)).factor == FACTORS[-1]
    assert set(magnified(torch.zeros(3, 4, 4)).picture.flatten().tolist()) == {128}


def test_a_run_in_a_sentence() -> None:
    said = race_sentence(1.0, -1.0, {"X": [-1, -1, 2, 3], "Z": [-1, 1, 1, 1]})
    assert said == "The attack fooled the bare classifier. X is right from step 2 on. Z is right from step 1 on."
    said = race_sentence(1.0, 0.5, {"X": [1, 1], "Z": [1, -1]})
    assert (
        said == "The attack did not fool the bare classifier. X is right at every step. Z was right for a while but ends wrong."
    )
    said = race_sentence(-1.0, -2.0, {"X": [-1, -1], "Z": []})
    assert said == "The bare classifier is wrong on the clean picture already. X is wrong at every step up to 1."


@pytest.mark.parametrize("zipped", [False, True])
def test_test_pictures_by_class_and_number(tmp_path: Path, zipped: bool) -> None:
    folder = write_cifar(tmp_path / "cifar", each=3)
    (folder / "test" / "ship" / ".hidden.txt").write_text("not a picture")
    path = folder
    if zipped:
        path = tmp_path / "cifar10.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*.png")):
                archive.write(file, file.relative_to(folder).as_posix())
    cifar = Cifar10Test(path)
    assert len(cifar.files["ship"]) == 3
    assert cifar.picture(8, 2).shape == (3, 32, 32)
    assert not torch.equal(cifar.picture(8, 2), cifar.picture(8, 1))
    with pytest.raises(UserError, match="numbered 0 to 2"):
        cifar.picture(8, 3)
    with pytest.raises(UserError, match="no 10"):
        cifar.picture(10, 0)
    drawn = cifar.draw(12, 5)
    assert len(set(drawn)) == 12
    assert cifar.draw(4, 5) == drawn[:4]
    assert cifar.draw(12, 6) != drawn
    with pytest.raises(UserError, match="1 to 30"):
        cifar.draw(31, 0)


def test_a_data_set_that_is_not_whole_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no CIFAR-10"):
        Cifar10Test(tmp_path / "cifar10.zip")
    with pytest.raises(UserError, match="no test pictures of: airplane"):
        Cifar10Test(tmp_path).picture(0, 0)


def chunk() -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures of noise, labelled as the classifier sees them: without an attack all are right."""
    pictures = torch.randint(0, 256, (6, 3, 32, 32), generator=torch.Generator().manual_seed(1)).byte()
    return pictures, tiny_defence().logits(to_unit(pictures)).argmax(dim=1)


def test_an_attack_of_no_size_leaves_all_answers_right() -> None:
    plan = DefencePlan(AttackSettings(eps=0.0), "narrow", 1, RATE, RATE)
    tally = counted(tiny_defence(), plan, 0, *chunk(), lambda what, done, of: False)
    assert tally.clean.all()
    assert tally.static[UNDEFENDED].all()


def test_counting_is_the_sum_of_its_chunks_and_knowing_never_helps_the_defender() -> None:
    defence, (pictures, labels) = tiny_defence(), chunk()
    seen: list[str] = []

    def tick(what: str, done: int, of: int) -> bool:
        seen.append(what)
        assert 1 <= done <= of
        return False

    a = counted(defence, PLAN, 0, pictures, labels, tick)
    b = counted(defence, PLAN, 1, pictures, labels, tick)
    total = Tally.empty() + a + b
    assert len(total) == 12
    assert total.static["Z"].tolist() == [*a.static["Z"].tolist(), *b.static["Z"].tolist()]
    assert seen[0] == "static"
    for row in (UNDEFENDED, "X", "Z"):
        assert not (total.aware[row] & ~total.static[row]).any()


def test_a_stop_gives_no_tally_of_the_chunk() -> None:
    assert counted(tiny_defence(), PLAN, 0, *chunk(), lambda what, done, of: what == "static" and done == 2) is None
    harmless = DefencePlan(AttackSettings(eps=1e-6, steps=1), "narrow", 1, RATE, RATE, aware_steps=2)
    assert counted(tiny_defence(), harmless, 0, *chunk(), lambda what, done, of: what != "static") is None


def test_an_attack_that_knows_the_defence_is_another_one() -> None:
    defence, (pictures, labels) = tiny_defence(), chunk()
    lanes = {None: None, **PLAN.lanes(defence)}
    found = [attack_knowing(defence, lane, to_unit(pictures), labels, PLAN, lambda *_: False) for lane in lanes.values()]
    for harmed in found:
        assert float((harmed - to_unit(pictures)).flatten(1).norm(dim=1).max()) / 2 <= 256 / 255 + 1e-4
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[1], found[2])


def test_a_share_carries_its_interval() -> None:
    right = torch.tensor([True] * 8 + [False] * 2)
    middle, low, high = share(right)
    assert middle == pytest.approx(0.8)
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-3)  # Wilson, 8 of 10
    assert share(right[:0]) == (0.0, 0.0, 1.0)
