"""Rotations from six numbers, conversions, the skeleton and its forward kinematics."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.pose.kinematics import (
    ForwardKinematics,
    Skeleton,
    load_skeleton,
    matrix_to_rotvec,
    rotation_angle,
    rotvec_to_matrix,
)
from landscape_core.pose.network import PoseDecoder, rotation_from_6d
from tests.tiny.pose import random_rotvec, tiny_skeleton

number = st.floats(-1e6, 1e6, width=32)


def assert_rotation(matrix: Tensor) -> None:
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3).expand_as(matrix), atol=1e-4, rtol=0)
    assert torch.all(torch.linalg.det(matrix) > 0.99)


@settings(deadline=None)  # the first call imports a library
@given(st.lists(number, min_size=6, max_size=6))
def test_any_six_numbers_are_a_rotation(six: list[float]) -> None:
    assert_rotation(rotation_from_6d(torch.tensor(six)))


@settings(deadline=None)  # the first call imports a library
@given(st.lists(number, min_size=3, max_size=3), number)
def test_columns_that_span_no_plane_are_a_rotation(column: list[float], scale: float) -> None:
    six = torch.tensor(column)[:, None] * torch.tensor([1.0, scale])
    assert_rotation(rotation_from_6d(six.clamp(-1e6, 1e6).flatten()))


@settings(deadline=None)  # the first call imports a library
@given(st.lists(st.floats(-3.0, 3.0, width=32), min_size=3, max_size=3), st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_six_numbers_round_trip(rotvec: list[float], scale: float, shear: float) -> None:
    """A rotation survives, also when the second column is scaled and has the first added to it."""
    matrix = rotvec_to_matrix(torch.tensor(rotvec))
    columns = matrix[:, :2]
    torch.testing.assert_close(rotation_from_6d(columns.flatten()), matrix, atol=1e-5, rtol=0)
    sheared = torch.stack([columns[:, 0], scale * columns[:, 1] + shear * columns[:, 0]], dim=1)
    torch.testing.assert_close(rotation_from_6d(sheared.flatten()), matrix, atol=1e-4, rtol=0)


def test_gradients_are_finite_where_rotations_are_degenerate() -> None:
    six = torch.zeros(2, 6)
    six[1] = 1.0  # parallel columns
    six.requires_grad_()
    rotations = rotation_from_6d(six)
    rotation_angle(rotations, torch.eye(3).expand(2, 3, 3)).sum().backward()
    assert six.grad is not None
    assert torch.isfinite(six.grad).all()
    same = torch.eye(3, requires_grad=True)
    (slope,) = torch.autograd.grad(rotation_angle(same, torch.eye(3)), same)
    assert torch.isfinite(slope).all()


def test_rotation_angle_and_conversions_against_scipy() -> None:
    a, b = Rotation.random(50, rng=0), Rotation.random(50, rng=1)
    tensors = [torch.from_numpy(r.as_matrix()) for r in (a, b)]
    np.testing.assert_allclose(rotation_angle(*tensors), (a.inv() * b).magnitude(), atol=1e-2)
    np.testing.assert_allclose(rotvec_to_matrix(torch.from_numpy(a.as_rotvec())), a.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(matrix_to_rotvec(tensors[0]), a.as_rotvec(), atol=1e-9)


def test_elbow_bent_by_90_degrees() -> None:
    eye = torch.eye(3)
    arm = Skeleton(("upper", "lower", "hand"), (0, 1, 2), torch.tensor([[10.0, 0, 0]] * 3), eye.expand(3, 3, 3), eye)
    rotvec = torch.tensor([[[0.0, 0, 0], [0, 0, math.pi / 2], [1.0, 2.0, 3.0]]])
    expected = torch.tensor([[[0.0, 0, 0], [10, 0, 0], [20, 0, 0], [20, 10, 0]]])
    torch.testing.assert_close(ForwardKinematics(arm)(rotvec_to_matrix(rotvec)), expected, atol=1e-5, rtol=0)


def test_kinematics_against_a_chain_of_scipy_rotations() -> None:
    skeleton, pose = tiny_skeleton(), random_rotvec(1, 5)
    turns, places = [Rotation.from_matrix(skeleton.hips_reference.numpy())], [np.zeros(3)]
    for joint, parent in enumerate(skeleton.parents):
        places.append(places[parent] + turns[parent].apply(skeleton.offsets[joint].numpy()))
        local = Rotation.from_matrix(skeleton.reference[joint].numpy()) * Rotation.from_rotvec(pose[0, joint].numpy())
        turns.append(turns[parent] * local)
    positions, orientations = ForwardKinematics(skeleton).frames(rotvec_to_matrix(pose))
    np.testing.assert_allclose(positions[0], places, atol=1e-4)
    np.testing.assert_allclose(orientations[0], [turn.as_matrix() for turn in turns], atol=1e-5)


def test_gradient_through_decoder_and_kinematics() -> None:
    skeleton = tiny_skeleton()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        forward = torch.nn.Sequential(PoseDecoder(5, latent=4, hidden=8), ForwardKinematics(skeleton)).double().eval()
    x = torch.randn(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert forward(x).shape == (2, 6, 3)
    assert torch.autograd.gradcheck(forward, (x,))


def test_skeleton_json_round_trip(tmp_path: Path) -> None:
    skeleton = tiny_skeleton()
    (tmp_path / "s.json").write_text(skeleton.to_json())
    again = load_skeleton(tmp_path / "s.json")
    assert (again.names, again.parents) == (skeleton.names, skeleton.parents)
    for name in ("offsets", "reference", "hips_reference"):
        assert torch.equal(getattr(again, name), getattr(skeleton, name))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"parents": (0, 0, 4, 0, 1)}, "after its parent"),
        ({"parents": (0, 0)}, "as many parents"),
        ({"offsets": torch.zeros(4, 3)}, "as many parents"),
        ({"offsets": torch.full((5, 3), math.nan)}, "finite"),
        ({"reference": -torch.eye(3).expand(5, 3, 3)}, "rotation matrices"),
        ({"hips_reference": torch.full((3, 3), math.nan)}, "rotation matrices"),
    ],
)
def test_impossible_skeletons_are_sentences(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(tiny_skeleton(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"names": []}', '{"names": ["a"], "parents": ["x"]}'])
def test_text_that_is_no_skeleton(text: str) -> None:
    with pytest.raises(UserError):
        Skeleton.from_json(text)
