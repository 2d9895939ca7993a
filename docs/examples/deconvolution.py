"""A signal behind a blur: x are the weights of smooth bumps, F is the signal that a slow, saturating sensor shows of them."""

import torch
from torch import nn

from landscape_core import Curve, Prior, SquaredError, Task

BUMPS, POINTS = 48, 96


class Sensor(nn.Module):
    """Weights (B, 48) -> what the sensor shows at 96 times (B, 96)."""

    def __init__(self) -> None:
        super().__init__()
        times, centres = torch.linspace(0, 1, POINTS)[:, None], torch.linspace(0, 1, BUMPS)
        self.register_buffer("bumps", torch.exp(-0.5 * ((times - centres) / 0.03) ** 2))  # (96, 48)
        later = (times - times.T) / 0.05  # the sensor answers late, and slowly
        answer = torch.where(later >= 0, later * torch.exp(-later), torch.zeros(()))
        self.register_buffer("blur", answer / answer.sum(dim=1, keepdim=True).clamp_min(1e-3))

    def forward(self, x):
        signal = x @ self.bumps.T
        return torch.tanh(signal @ self.blur.T)


def task():
    apart = torch.arange(BUMPS)[:, None] - torch.arange(BUMPS)
    smooth = torch.exp(-0.5 * (apart / 4.0) ** 2) + 1e-2 * torch.eye(BUMPS)  # neighbouring weights are alike
    prior = Prior(torch.zeros(BUMPS), torch.linalg.cholesky(smooth))
    return Task("deconvolution", Sensor(), prior, SquaredError(), picture=Curve(torch.linspace(0, 1, POINTS)))
