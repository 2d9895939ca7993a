"""The contrastive head: its loss against the definition, training that resumes exactly, what is measured and published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.defence.attacks import ATTACKS
from landscape_core.defence.objective import ContrastiveHead, map_channels
from landscape_core.defence.task import load_defence
from landscape_core.defence.training.head import HeadTrainer, head_trainer, measure_head, nt_xent, train_head, trained_objective
from landscape_core.defence.views import ViewSettings
from landscape_core.errors import UserError
from landscape_core.images.pixels import to_unit
from landscape_core.progress import silent
from tests.tiny.defended import CONFIG, WIDTHS, picture_bytes, pictures, tiny_assets, tiny_classifier, tiny_head_trainer

LONG = replace(CONFIG, epochs=15)


def trainer(folder: Path) -> HeadTrainer:
    return HeadTrainer(tiny_classifier(), list(WIDTHS), picture_bytes(16), LONG, folder)


def test_map_channels_are_those_of_the_classifiers_features() -> None:
    maps = tiny_classifier().features(pictures(1))
    assert map_channels(WIDTHS) == [each.shape[1] for each in maps]


def test_embeddings_have_unit_length_and_do_not_see_their_batch() -> None:
    classifier, head = tiny_classifier(), ContrastiveHead(map_channels(WIDTHS), 16, 8, 4)
    x = pictures(3)
    together = head(classifier.features(x))
    assert torch.allclose(together.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(head(classifier.features(x[1:2])), together[1:2], atol=1e-5)


def test_nt_xent_is_its_definition() -> None:
    random = torch.Generator().manual_seed(0)
    a, b = (torch.nn.functional.normalize(torch.randn(3, 4, generator=random), dim=1) for _ in range(2))
    both, terms = torch.cat([a, b]), []
    for i in range(6):
        others = [k for k in range(6) if k != i]
        exponentials = (both[others] @ both[i] / 0.5).exp()
        partner = (both[(i + 3) % 6] @ both[i] / 0.5).exp()
        terms.append(-(partner / exponentials.sum()).log())
    loss, _ = nt_xent(a, b, 0.5)
    assert torch.allclose(loss, torch.stack(terms).mean(), atol=1e-5)


def test_nt_xent_of_partners_alone_on_their_axes_is_told_apart_every_time() -> None:
    loss, accuracy = nt_xent(torch.eye(4), torch.eye(4), 0.05)
    assert accuracy == 1.0
    assert loss < 1e-3


def test_training_lowers_the_loss_and_fills_the_bank_with_unit_vectors(tmp_path: Path) -> None:
    seen: list[float] = []

    def report(done: int, total: int, figures: Mapping[str, float]) -> bool:
        seen.append(figures["loss"])
        return False

    config = replace(CONFIG, views=ViewSettings(0.9, 0.1, 0.0), lr=1e-2, epochs=20)
    head = train_head(HeadTrainer(tiny_classifier(), list(WIDTHS), picture_bytes(16), config, tmp_path), report)
    assert len(seen) == config.epochs * 2
    assert sum(seen[-10:]) < 0.9 * sum(seen[:10])
    assert torch.allclose(head.get_buffer("bank").norm(dim=1), torch.ones(CONFIG.bank), atol=1e-5)


def test_a_stopped_training_goes_on_to_the_same_head(tmp_path: Path) -> None:
    whole = train_head(trainer(tmp_path / "a"), silent)
    stopped = trainer(tmp_path / "b")
    train_head(stopped, lambda done, total, figures: done == 7)
    assert stopped.step == 7
    resumed = trainer(tmp_path / "b")
    assert resumed.step == 7
    parts = train_head(resumed, silent).state_dict()
    assert all(torch.equal(parts[key], value) for key, value in whole.state_dict().items())


def test_the_classifier_stays_as_it_was(tmp_path: Path) -> None:
    trained = trainer(tmp_path)
    before = {key: value.clone() for key, value in trained.classifier.state_dict().items()}
    train_head(trained, silent)
    assert all(torch.equal(value, trained.classifier.state_dict()[key]) for key, value in before.items())


def test_what_the_card_says_of_an_attack_is_measured(tmp_path: Path) -> None:
    objective, x = trained_objective(tiny_head_trainer(tmp_path)), to_unit(picture_bytes(6, seed=1))
    labels = objective.classifier(x).argmax(dim=1)
    attack = ATTACKS["l2"].model_copy(update={"steps": 3})
    found = measure_head(objective, x, labels, attack)
    assert found["loss_clean"] == pytest.approx(float(objective.contrastive(x).mean()), rel=1e-4)
    assert found["loss_attacked"] != found["loss_clean"]
    assert 0.0 <= found["loss_rises_for"] <= 1.0
    assert measure_head(objective, x, labels, attack.model_copy(update={"eps": 0.0}))["loss_rises_for"] == 0.0


def test_a_published_head_gives_the_trained_loss_but_for_rounding(tmp_path: Path) -> None:
    defence = load_defence("ro", tiny_assets(tmp_path, mapping=False))
    trained = trained_objective(tiny_head_trainer(tmp_path / "again"))
    x = pictures(2)
    assert torch.allclose(defence.objective.contrastive(x), trained.contrastive(x), atol=0.02)
    assert len(defence.objective.views) == CONFIG.test_views
    assert (defence.objective.temperature, defence.objective.decay) == (CONFIG.temperature, CONFIG.decay)


def test_a_head_needs_an_embedded_classifier(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no model 'defence/absent'"):
        head_trainer("absent", picture_bytes(4), CONFIG, tmp_path, tmp_path)
