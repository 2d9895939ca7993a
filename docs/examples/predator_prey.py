"""An ODE's parameters from measured curves: how fast hares and lynxes breed and die, from how many there were."""

import torch
from torch import nn

from landscape_core import Curve, Prior, SquaredError, Task

STEPS, EVERY, DT = 80, 2, 0.16  # Runge-Kutta steps; every second is measured


class PredatorPrey(nn.Module):
    """Logarithms of the four rates, from the usual ones (B, 4) -> both populations, as logarithms, at 40 times (B, 2, 40)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("usual", torch.tensor([1.1, 0.4, 0.4, 0.1]).log())

    def forward(self, x):
        births, eaten, deaths, fed = (self.usual + x).exp().unbind(dim=1)

        def change(state):
            hares, lynxes = state.exp().unbind(dim=1)  # the logarithm's change is the change per head
            return torch.stack([births - eaten * lynxes, fed * hares - deaths], dim=1)

        state = torch.tensor([[10.0, 5.0]], device=x.device, dtype=x.dtype).log().expand(len(x), 2)
        measured = []
        for step in range(STEPS):
            a = change(state)
            b = change(state + 0.5 * DT * a)
            c = change(state + 0.5 * DT * b)
            d = change(state + DT * c)
            state = state + DT / 6 * (a + 2 * b + 2 * c + d)
            if step % EVERY == EVERY - 1:
                measured.append(state)
        return torch.stack(measured, dim=2)


def task():
    prior = Prior(torch.zeros(4), 0.25 * torch.eye(4))  # rates are known to about a quarter
    times = torch.arange(1, STEPS // EVERY + 1) * EVERY * DT
    return Task("predator-prey", PredatorPrey(), prior, SquaredError(), picture=Curve(times))
