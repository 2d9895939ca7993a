"""kill -9 at random moments of every training: what resumes ends with the very weights of one that nobody killed. Slow."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from landscape_core.autoencoders.networks import FeatureEncoder
from landscape_core.autoencoders.training.decoder import train_decoder
from landscape_core.defence.training.head import train_head
from landscape_core.features.training.classifier import train_classifier
from landscape_core.generators.training import autoencoder, recipe, sharpen
from landscape_core.pose.training.prior import train_pose_prior
from landscape_core.storage.tensors import read_tensors, write_tensors
from landscape_core.training.alternating import train_mapping
from landscape_core.training.loop import train
from tests.autoencoders.test_decoder import network
from tests.defence.test_contrastive import trainer as head_trainer
from tests.features.test_classifier import TINY as CLASSIFIER
from tests.features.test_classifier import two_classes
from tests.generators.test_training import recipe_run
from tests.pose.test_prior import TINY as PRIOR
from tests.tiny.defended import picture_bytes
from tests.tiny.inverters import CONFIG as MIRROR
from tests.tiny.lpips import MeanDistance, StandIn
from tests.tiny.pose import random_rotvec, tiny_skeleton
from tests.training.test_alternating import trainer as theta_trainer

KILLS = 20
SLOWER = 0.02  # seconds that every update takes longer, so that kills come in the middle
Trained = dict[str, Tensor]


def slowed(done: int, total: int, figures: object) -> bool:
    time.sleep(SLOWER)
    return False


def theta(work: Path) -> Trained:
    return dict(train_mapping(theta_trainer(work), slowed).state_dict())


def generator(work: Path) -> Trained:
    """All three stages, the encoder's among them; every update is kept."""
    autoencoder.load_lpips, sharpen.load_lpips = MeanDistance, StandIn  # type: ignore[assignment]  # this process ends soon
    recipe.train = lambda trainer, report, **options: train(trainer, report, **{**options, "save_every": 0.0})
    made = recipe_run(work, report_for=lambda stage: slowed).run()
    assert made is not None
    networks = {"model": made.model, "encoder": made.encoder}
    return {f"{name}/{key}": value for name, each in networks.items() for key, value in each.state_dict().items()}


def prior(work: Path) -> Trained:
    return dict(train_pose_prior(random_rotvec(40, 5), tiny_skeleton(), PRIOR, work, slowed, save_every=0.0).model.state_dict())


def head(work: Path) -> Trained:
    return dict(train_head(head_trainer(work), slowed, save_every=1).state_dict())


def classifier(work: Path) -> Trained:
    return dict(train_classifier(*two_classes(), CLASSIFIER, work, slowed, save_every=1).state_dict())


def decoder(work: Path) -> Trained:
    """With the critic, which joins for the last quarter."""
    encoder = FeatureEncoder(network(), 2)
    trained = train_decoder(encoder, picture_bytes(16), replace(MIRROR, images=400), work, slowed, save_every=0.0)
    return dict(trained.model.decoder.state_dict()) | {f"critic/{k}": v for k, v in trained.critic.state_dict().items()}


def to_the_end(training: Callable[[Path], Trained], work: Path, out: Path) -> None:
    torch.set_num_threads(1)
    write_tensors(out, {key: value.contiguous() for key, value in training(work).items()}, {})


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("training", [theta, generator, prior, head, classifier, decoder], ids=lambda each: each.__name__)
def test_killed_at_random_moments_it_ends_with_the_same_weights(training: Callable[[Path], Trained], tmp_path: Path) -> None:
    fork, moments = multiprocessing.get_context("fork"), random.Random(0)

    def started(work: str) -> multiprocessing.context.ForkProcess:
        process = fork.Process(target=to_the_end, args=(training, tmp_path / work, tmp_path / f"{work}.safetensors"))
        process.start()
        return process

    began = time.monotonic()
    whole = started("whole")
    whole.join()
    assert whole.exitcode == 0
    seconds = time.monotonic() - began
    for _ in range(KILLS):
        killed = started("killed")
        killed.join(moments.uniform(0.0, 2 * seconds / KILLS))
        killed.kill()
        killed.join()
    last = started("killed")
    last.join()
    assert last.exitcode == 0
    expected, found = (read_tensors(tmp_path / f"{work}.safetensors")[0] for work in ("whole", "killed"))
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
