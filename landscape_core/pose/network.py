"""VPoser, a variational autoencoder of body poses (Pavlakos et al. 2019), in its two published architectures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Normal

from landscape_core.errors import UserError
from landscape_core.storage.foreign import fitted, read_checkpoint, state_dict

Version = Literal[1, 2]
_SLOPES: dict[Version, float] = {1: 0.2, 2: 0.01}


def rotation_from_6d(six: Tensor) -> Tensor:
    """Any finite numbers (..., 6) below 1e6 -> rotation matrices (..., 3, 3) by Gram-Schmidt (Zhou et al. 2019).

    The six numbers are a 3x2 matrix, row by row; its columns become the first two columns. Where they span no
    plane, a coordinate axis stands in for the missing direction, so that the result is a rotation always.
    """
    first, second = six.unflatten(-1, (3, 2)).unbind(-1)  # (..., 3) each
    first = _unit(first, torch.eye(3, dtype=six.dtype, device=six.device)[0])
    lacking = F.one_hot(first.abs().argmin(dim=-1), 3).to(six)  # the axis furthest from `first`
    second = _unit(second, lacking)
    rest = _without(second, first)
    second = _unit(torch.where(rest.norm(dim=-1, keepdim=True) > 1e-5, rest, _without(lacking, first)), lacking)
    second = F.normalize(_without(second, first), dim=-1)  # once more: the first pass cancels digits near parallel
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def _unit(vector: Tensor, otherwise: Tensor) -> Tensor:
    """Vector of length 1; `otherwise` where it is too short to have a direction."""
    return torch.where(vector.norm(dim=-1, keepdim=True) > 1e-12, F.normalize(vector, dim=-1), otherwise)


def _without(vector: Tensor, direction: Tensor) -> Tensor:
    """Vector minus its part along a unit direction."""
    return vector - (vector * direction).sum(dim=-1, keepdim=True) * direction


class PoseEncoder(nn.Module):
    """Axis-angle pose (B, J, 3) in radians -> the Gaussian q(x | pose) over latents (B, latent)."""

    def __init__(self, joints: int = 21, latent: int = 32, hidden: int = 512, version: Version = 2) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm1d(3 * joints),
            nn.Linear(3 * joints, hidden),
            nn.LeakyReLU(_SLOPES[version]),
            nn.BatchNorm1d(hidden),
            nn.Dropout(0.1),
            nn.Linear(hidden, hidden),
            nn.Linear(hidden, hidden) if version == 2 else nn.LeakyReLU(_SLOPES[version]),
        )
        self.mean = nn.Linear(hidden, latent)
        self.spread = nn.Linear(hidden, latent)

    def forward(self, rotvec: Tensor) -> Normal:
        h = self.body(rotvec.flatten(1))  # (B, hidden)
        return Normal(self.mean(h).to(rotvec.dtype), F.softplus(self.spread(h).to(rotvec.dtype)))


class PoseDecoder(nn.Module):
    """F of pose inversion: latent x (B, latent) -> rotations (B, J, 3, 3), relative to the skeleton's reference."""

    def __init__(self, joints: int = 21, latent: int = 32, hidden: int = 512, version: Version = 2) -> None:
        super().__init__()
        self.latent = latent
        self.body = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.LeakyReLU(_SLOPES[version]),
            nn.Dropout(0.1),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(_SLOPES[version]),
            nn.Linear(hidden, 6 * joints),
        )

    def forward(self, x: Tensor) -> Tensor:
        six = self.body(x).to(x.dtype)  # autocast's half precision stops here: it is too coarse for Gram-Schmidt
        return rotation_from_6d(six.unflatten(-1, (-1, 6)))


class VPoser(nn.Module):
    """Encoder and decoder of one prior; `settings` rebuilds the architecture."""

    def __init__(self, joints: int = 21, latent: int = 32, hidden: int = 512, version: Version = 2) -> None:
        super().__init__()
        self.settings: dict[str, int] = {"joints": joints, "latent": latent, "hidden": hidden, "version": version}
        self.encoder = PoseEncoder(joints, latent, hidden, version)
        self.decoder = PoseDecoder(joints, latent, hidden, version)

    def forward(self, rotvec: Tensor) -> tuple[Normal, Tensor]:
        """Poses (B, J, 3) -> q(x | pose) and the rotations (B, J, 3, 3) of one latent drawn from it."""
        q: Normal = self.encoder(rotvec)
        return q, self.decoder(q.rsample())


# (version, pattern, replacement): published name -> our name
_RENAMES: tuple[tuple[Version, str, Any], ...] = (
    (2, r"^vp_model\.encoder_net\.([1-7])\.", lambda m: f"encoder.body.{int(m[1]) - 1}."),
    (2, r"^vp_model\.encoder_net\.8\.mu\.", "encoder.mean."),
    (2, r"^vp_model\.encoder_net\.8\.logvar\.", "encoder.spread."),
    (2, r"^vp_model\.decoder_net\.", "decoder.body."),
    (1, r"^bodyprior_enc_bn1\.", "encoder.body.0."),
    (1, r"^bodyprior_enc_fc1\.", "encoder.body.1."),
    (1, r"^bodyprior_enc_bn2\.", "encoder.body.3."),
    (1, r"^bodyprior_enc_fc2\.", "encoder.body.5."),
    (1, r"^bodyprior_enc_mu\.", "encoder.mean."),
    (1, r"^bodyprior_enc_logvar\.", "encoder.spread."),
    (1, r"^bodyprior_dec_fc1\.", "decoder.body.0."),
    (1, r"^bodyprior_dec_fc2\.", "decoder.body.3."),
    (1, r"^bodyprior_dec_out\.", "decoder.body.5."),
)


def _renamed(published: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Version | None]:
    """Tensors under our names, and the version they are of; what belongs to the body model is left out."""
    state: dict[str, Tensor] = {}
    found: Version | None = None
    for key, value in published.items():
        for version, pattern, replacement in _RENAMES:
            if re.match(pattern, key):
                state[re.sub(pattern, replacement, key)], found = value, version
    return state, found


def load_published_vposer(path: Path) -> VPoser:
    """A published checkpoint, v1 (a state dict) or v2 (`state_dict` of a trainer); the version is recognised.

    Raises:
        UserError: the file cannot be loaded safely, or its tensors are neither architecture's.
    """
    state, version = _renamed(state_dict(read_checkpoint(path), path, "state_dict").tensors)
    if version is None:
        raise UserError(f"{path} is neither VPoser v1 (bodyprior_* tensors) nor v2 (vp_model.* in 'state_dict').")

    def build() -> VPoser:
        hidden, features = state["encoder.body.1.weight"].shape
        latent = state["encoder.mean.weight"].shape[0]
        return vposer_from(state, {"joints": features // 3, "latent": latent, "hidden": hidden, "version": version})

    return fitted(path, f"VPoser v{version}", build)


def vposer_from(tensors: Mapping[str, Tensor], architecture: Mapping[str, Any]) -> VPoser:
    """The frozen prior of its weights and the constructor arguments on its card."""
    model = VPoser(**architecture)
    model.load_state_dict(dict(tensors))
    return model.eval().requires_grad_(False)
