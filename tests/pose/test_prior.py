"""The pose prior: its architectures and published files, its training, and the embedded one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.pose.kinematics import ForwardKinematics, load_skeleton, matrix_to_rotvec, rotvec_to_matrix
from landscape_core.pose.network import load_published_vposer, vposer_from
from landscape_core.pose.recordings import load_mocap_skeleton, load_poses
from landscape_core.pose.training.prior import (
    PosePriorConfig,
    PoseTrainer,
    export_prior,
    reconstruction_error,
    train_pose_prior,
)
from landscape_core.progress import silent
from landscape_core.storage import zoo
from tests.tiny.pose import random_rotvec, shared, tiny_skeleton


@torch.no_grad()
def test_published_v2_matches_reference_outputs() -> None:
    model = load_published_vposer(shared("fixtures/vposer_v2_random.ckpt"))
    io = torch.load(shared("fixtures/vposer_v2_random_io.pt"), weights_only=True)
    rotations = model.decoder(io["z"])
    torch.testing.assert_close(rotations.flatten(2), io["pose_body_matrot"], atol=1e-5, rtol=0)
    torch.testing.assert_close(matrix_to_rotvec(rotations), io["pose_body"], atol=1e-5, rtol=0)
    posterior = model.encoder(io["pose_body"])
    torch.testing.assert_close(posterior.mean, io["enc_mean"], atol=1e-5, rtol=0)
    torch.testing.assert_close(posterior.scale, io["enc_std"], atol=1e-5, rtol=0)


@torch.no_grad()
def test_published_v1_matches_reference_outputs() -> None:
    model = load_published_vposer(shared("fixtures/vposer_v1_random.pt"))
    io = torch.load(shared("fixtures/vposer_v1_random_io.pt"), weights_only=True)
    torch.testing.assert_close(model.decoder(io["z"]).flatten(2), io["pose_matrot"][:, 0], atol=1e-5, rtol=0)


def published(version: int, joints: int = 3, latent: int = 4, hidden: int = 8) -> dict[str, Tensor]:
    """A random small checkpoint under the published names."""
    random = torch.Generator().manual_seed(0)
    names = {
        1: ("enc_bn1", "enc_fc1", "enc_bn2", "enc_fc2", "", "enc_mu", "enc_logvar", "dec_fc1", "dec_fc2", "dec_out"),
        2: (1, 2, 4, 6, 7, "8.mu", "8.logvar", 0, 3, 5),
    }[version]
    shapes = [(3 * joints,), (hidden, 3 * joints), (hidden,), (hidden, hidden), (hidden, hidden)]
    shapes += [(latent, hidden), (latent, hidden), (hidden, latent), (hidden, hidden), (6 * joints, hidden)]
    state: dict[str, Tensor] = {}
    for place, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        net = "encoder" if place < 7 else "decoder"
        prefix = f"bodyprior_{name}" if version == 1 else f"vp_model.{net}_net.{name}"
        if name == "":
            continue
        state[f"{prefix}.weight"] = torch.randn(shape, generator=random)
        state[f"{prefix}.bias"] = torch.randn(shape[0], generator=random)
        if len(shape) == 1:
            state[f"{prefix}.running_mean"] = torch.randn(shape, generator=random)
            state[f"{prefix}.running_var"] = torch.rand(shape, generator=random) + 0.5
            state[f"{prefix}.num_batches_tracked"] = torch.tensor(3)
    return state


@pytest.mark.parametrize("version", [1, 2])
def test_published_names_sizes_and_slopes(version: int, tmp_path: Path) -> None:
    """Decoder and posterior mean against the published formulas written out, for sizes other than the published."""
    state = published(version)
    torch.save(state if version == 1 else {"state_dict": state | {"bm_train.v": torch.zeros(2)}, "epoch": 1}, tmp_path / "v.pt")
    model = load_published_vposer(tmp_path / "v.pt")
    random = torch.Generator().manual_seed(2)
    x, pose = torch.randn(2, 4, generator=random), torch.randn(2, 3, 3, generator=random)

    def linear(name: str, h: Tensor) -> Tensor:
        return F.linear(h, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name: str, h: Tensor) -> Tensor:
        values = (state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(h, *values)

    if version == 1:
        p = "bodyprior_"
        six = linear(p + "dec_out", F.leaky_relu(linear(p + "dec_fc2", F.leaky_relu(linear(p + "dec_fc1", x), 0.2)), 0.2))
        h = norm(p + "enc_bn2", F.leaky_relu(linear(p + "enc_fc1", norm(p + "enc_bn1", pose.flatten(1))), 0.2))
        mean = linear(p + "enc_mu", F.leaky_relu(linear(p + "enc_fc2", h), 0.2))
    else:
        d, e = "vp_model.decoder_net.", "vp_model.encoder_net."
        six = linear(d + "5", F.leaky_relu(linear(d + "3", F.leaky_relu(linear(d + "0", x)))))
        h = norm(e + "4", F.leaky_relu(linear(e + "2", norm(e + "1", pose.flatten(1)))))
        mean = linear(e + "8.mu", linear(e + "7", linear(e + "6", h)))
    q, r = np.linalg.qr(six.reshape(2, 3, 3, 2).numpy())  # Gram-Schmidt up to signs
    columns = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    np.testing.assert_allclose(model.decoder(x)[..., :2], columns, atol=1e-5)
    torch.testing.assert_close(model.encoder(pose).mean, mean, atol=1e-5, rtol=1e-5)


def _break(key: str, value: Tensor | None) -> Callable[[dict[str, Tensor]], object]:
    def broken(state: dict[str, Tensor]) -> object:
        state.pop(key) if value is None else state.update({key: value})
        return {"state_dict": state}

    return broken


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda state: {"state_dict": {"layer.weight": torch.zeros(2)}}, "neither VPoser"),
        (lambda state: [1, 2], "holds a list"),
        (lambda state: {"state_dict": 5}, "holds no state dict"),
        (_break("vp_model.decoder_net.3.bias", None), "does not have the tensors"),
        (_break("vp_model.decoder_net.3.weight", torch.zeros(8, 9)), "does not have the tensors"),
        (_break("vp_model.encoder_net.2.weight", torch.zeros(8)), "does not have the tensors"),
        (_break("vp_model.decoder_net.0.bias", torch.full((8,), math.nan)), "not finite"),
        (lambda state: Path("an object that only pickle can hold"), "holds more than tensors"),
    ],
)
def test_wrong_published_files_are_sentences(content: Callable[[object], object], sentence: str, tmp_path: Path) -> None:
    torch.save(content(published(2)), tmp_path / "v.pt")
    with pytest.raises(UserError, match=sentence):
        load_published_vposer(tmp_path / "v.pt")


def test_no_file_and_text_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file"):
        load_published_vposer(tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(UserError, match="loaded safely"):
        load_published_vposer(tmp_path / "text.pt")


TINY = PosePriorConfig(samples=8 * 16, batch=16, latent=4, hidden=16)


def test_resumed_training_gives_the_same_weights(tmp_path: Path) -> None:
    skeleton, poses = tiny_skeleton(), random_rotvec(40, 5)
    straight = train_pose_prior(poses, skeleton, TINY, tmp_path / "a", silent)
    train_pose_prior(poses, skeleton, TINY, tmp_path / "b", lambda done, total, figures: done >= 48)
    torch.manual_seed(123)  # whatever happened to the global generator in between
    resumed = train_pose_prior(poses, skeleton, TINY, tmp_path / "b", silent)
    assert resumed.seen == straight.seen == TINY.samples
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_another_seed_sees_other_poses(tmp_path: Path) -> None:
    poses, skeleton = random_rotvec(40, 5), tiny_skeleton()
    made = [PoseTrainer(poses, skeleton, replace(TINY, seed=seed), tmp_path / str(seed)) for seed in (0, 1)]
    made[1].model.load_state_dict(made[0].model.state_dict())
    assert made[0].step() != made[1].step()


def test_training_learns_and_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    """Poses on a line: after training, encoding and decoding beats the best constant pose by far."""
    skeleton = tiny_skeleton()
    along = torch.linspace(-1, 1, 64)[:, None, None] * random_rotvec(1, 5)
    before = torch.get_rng_state()
    config = replace(TINY, samples=16 * 250, hidden=32, lr=3e-3)
    trainer = train_pose_prior(along, skeleton, config, tmp_path, silent)
    assert torch.equal(before, torch.get_rng_state())
    kinematics = ForwardKinematics(skeleton)
    places = kinematics(rotvec_to_matrix(along))[:, 1:]
    constant = (places - places.mean(dim=0)).norm(dim=-1).mean().item()
    assert reconstruction_error(trainer.model, kinematics, along)["joint_cm"] < 0.5 * constant


def test_published_schedule_drops_the_extra_terms(tmp_path: Path) -> None:
    trainer = PoseTrainer(random_rotvec(40, 5), tiny_skeleton(), replace(TINY, extra_part=0.5), tmp_path)
    assert set(trainer._weights()) == {"kl", "surface", "rotation", "joints"}
    trainer.seen = TINY.samples // 2
    assert set(trainer._weights()) == {"kl", "surface"}


def test_poses_of_another_skeleton_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="do not fit"):
        PoseTrainer(random_rotvec(4, 6), tiny_skeleton(), TINY, tmp_path)


def test_another_priors_checkpoint_is_refused(tmp_path: Path) -> None:
    PoseTrainer(random_rotvec(40, 5), tiny_skeleton(), TINY, tmp_path).save()
    for sentence, (poses, skeleton, config) in {
        "other data": (random_rotvec(40, 5, seed=1), tiny_skeleton(), TINY),
        "skeleton.*": (random_rotvec(40, 5), tiny_skeleton(1), TINY),
        "seed 0 instead of 3": (random_rotvec(40, 5), tiny_skeleton(), replace(TINY, seed=3)),
    }.items():
        with pytest.raises(UserError, match=sentence):
            PoseTrainer(poses, skeleton, config, tmp_path)


def test_exported_prior_is_what_was_trained(tmp_path: Path) -> None:
    skeleton, poses = tiny_skeleton(), random_rotvec(40, 5)
    trainer = train_pose_prior(poses, skeleton, TINY, tmp_path / "run", silent)
    written = export_prior(trainer, skeleton, {"train": poses}, tmp_path, "a command")
    card, tensors = zoo.load("pose", tmp_path)
    model = vposer_from(tensors, card.architecture)
    assert card == written
    assert reconstruction_error(model, ForwardKinematics(skeleton), poses) == pytest.approx(card.metrics["train"])
    assert load_skeleton(tmp_path / "pose" / "skeleton.json").names == skeleton.names
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_embedded_prior_draws_different_standing_bodies() -> None:
    card, tensors = zoo.load("pose")  # checks the hash
    skeleton = load_skeleton(zoo.ASSETS / "pose" / "skeleton.json")
    model = vposer_from(tensors, card.architecture)
    x = torch.randn(256, 32, generator=torch.Generator().manual_seed(0))
    places = ForwardKinematics(skeleton)(model.decoder(x))
    height = places[..., 1]
    node = skeleton.node_names.index
    assert (height[:, node("Head")] > height[:, 0]).float().mean() > 0.99
    assert (height[:, [node("Foot_L"), node("Foot_R")]].amin(dim=1) < -50.0).float().mean() > 0.99
    assert places[:, node("Hand_L")].std(dim=0).norm() > 10.0  # cm
    assert zoo.weights_path(zoo.read_card("pose")).stat().st_size < 4e6


def test_embedded_prior_is_as_good_as_its_card_says() -> None:
    data = shared("data/mocap.npz")
    card, tensors = zoo.load("pose")
    kinematics = ForwardKinematics(load_mocap_skeleton(data))
    measured = reconstruction_error(vposer_from(tensors, card.architecture), kinematics, load_poses(data, "val").rotvec)
    assert measured == pytest.approx(card.metrics["val"], rel=1e-3)
