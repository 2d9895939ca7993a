"""Body poses as small pictures: limbs with thickness, left and right in colours of their own, painted from back to front, seen
from slightly to the left."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from landscape_core.images.pixels import to_unit
from landscape_core.pose.kinematics import Skeleton
from landscape_core.pose.naming import side_and_part

FIGURE_SIDE = 128  # pixels
_SPAN = 200.0  # cm from edge to edge
_AZIMUTH = 0.5  # radians
_FINER = 2  # drawn this much larger, then shrunk: smooth edges
_RADII = (
    ("Leg", 7.0), ("Foot", 5.0), ("Toes", 3.5), ("Arm", 5.0), ("Hand", 4.0), ("Neck", 6.0), ("Head", 5.0), ("Hip", 7.0),
    ("Knee", 7.0), ("Ankle", 5.0), ("Elbow", 5.0), ("Wrist", 4.0), ("L_Shoulder", 5.0), ("R_Shoulder", 5.0),
)  # fmt: skip
_TORSO = 10.0
_SKULL = (9.0, 9.0)  # radius, and how far beyond the last joint: recorded skeletons end where the skull begins
_GROUND = (229, 229, 235)
_COLOURS = {"_L": (24, 128, 120), "_R": (196, 98, 38)}  # of what is near; what is farther is paler
_MIDDLE, _PALER = (84, 94, 128), 0.5


def draw(positions: Tensor, skeleton: Skeleton, *, side: int = FIGURE_SIDE) -> Tensor:
    """Joint positions (n, J + 1, 3) in cm, y up, hips first -> pictures (n, 3, side, side) in [-1, 1]."""
    radii = [next((radius for part, radius in _RADII if part in name), _TORSO) for name in skeleton.names]
    skulls = [name.startswith("Head") for name in skeleton.names]
    sides = [side_and_part(name)[0] if radius < _TORSO else "" for name, radius in zip(skeleton.names, radii, strict=True)]
    colours = np.array([_COLOURS.get(side_of, _MIDDLE) for side_of in sides])
    bodies = _turned(positions.detach().cpu()).numpy()
    pictures = [_painted(one, skeleton.parents, radii, skulls, colours, side) for one in bodies]
    return to_unit(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2))


def _turned(positions: Tensor) -> Tensor:
    """(n, J + 1, 3): to the right, up, and towards the eye."""
    cos, sin = math.cos(_AZIMUTH), math.sin(_AZIMUTH)
    x, y, z = positions.unbind(dim=-1)
    return torch.stack([x * cos + z * sin, y, z * cos - x * sin], dim=-1)


def _painted(
    places: np.ndarray, parents: tuple[int, ...], radii: list[float], skulls: list[bool], colours: np.ndarray, side: int
) -> np.ndarray:
    """One body (J + 1, 3) as pixels (side, side, 3)."""
    scale = side * _FINER / _SPAN
    middle = side * _FINER / 2
    image = Image.new("RGB", (side * _FINER, side * _FINER), _GROUND)
    brush = ImageDraw.Draw(image)
    ends = np.stack([middle + places[:, 0] * scale, middle - places[:, 1] * scale], axis=1)
    depth = places[1:, 2] + places[list(parents), 2]
    for joint in np.argsort(depth):
        (x, y), (u, v), r = ends[parents[joint]], ends[joint + 1], radii[joint] * scale
        paler = _PALER * (1.0 - np.clip((depth[joint] + 60.0) / 120.0, 0.0, 1.0))
        colour = tuple((colours[joint] + paler * (np.array(_GROUND) - colours[joint])).astype(int).tolist())
        brush.line([x, y, u, v], fill=colour, width=max(1, round(2 * r)))
        balls = [(x, y, r), (u, v, r)]
        if skulls[joint]:
            length = max(float(np.linalg.norm(places[joint + 1] - places[parents[joint]])), 1e-6)
            beyond = _SKULL[1] / length
            balls.append((u + (u - x) * beyond, v + (v - y) * beyond, _SKULL[0] * scale))
        for a, b, ball in balls:
            brush.ellipse([a - ball, b - ball, a + ball, b + ball], fill=colour)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))
