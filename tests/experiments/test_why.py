"""Why Z is faster: where only curvature is in the way, taking it out explains all; what is said follows from the ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from landscape_core.errors import UserError
from landscape_core.experiments import why
from landscape_core.experiments.why import LEARNED, PLACES, WHITENED, WhySettings, aim, lead_share, rows_of, run_why
from landscape_core.search.curvature import mean_curvature, whitener
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.spaces import Prior, ZSpace
from landscape_core.search.task import Task, X
from tests.tiny.tables import silent

DIM = 6
SETTINGS = WhySettings(targets=4, steps=8, tune_targets=2, products=DIM)


class Stretched(nn.Module):
    """x -> x stretched by up to a hundred: the Hessian of the squared error is one and the same everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.logspace(0, 2, DIM))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


def stretched() -> Task:
    forward, prior = Stretched(), Prior(torch.zeros(DIM), torch.eye(DIM))
    taken_out = whitener(mean_curvature(forward, SquaredError(), torch.zeros(1, DIM)), damping=1e-6)
    mapping = build_mapping(MappingConfig("residual", DIM, DIM, 8), prior, whitener=taken_out, seed=2)
    with torch.no_grad():
        mapping.log_scale.add_(0.3)  # as if it had been trained: another unit, the same shape
    return Task("stretched", forward, prior, SquaredError(), {"residual": ZSpace(mapping, DIM)})


def targets(n: int, seed: int) -> Target:
    return stretched().sampled(n, torch.Generator().manual_seed(seed))


def test_where_only_curvature_is_in_the_way_taking_it_out_explains_all(tmp_path: Path) -> None:
    result = run_why(stretched(), targets(2, 1), targets(4, 0), replace(SETTINGS, optimizer="adam"), "test", silent)
    assert result.experiment == "why-stretched-adam"
    assert result.settings["rows"] == [X, WHITENED, LEARNED]
    for index, _ in enumerate(PLACES):
        assert result.series[f"{X}: condition"][index] > 10
        assert result.series[f"{WHITENED}: condition"][index] == pytest.approx(1.0, abs=0.01)
        assert result.series[f"{WHITENED}: negative share"][index] == 0
    assert result.series[f"{WHITENED}: roundness"][0] == pytest.approx(1.0, abs=0.01)
    assert result.series[f"{WHITENED}: climb"][0] == pytest.approx(0.0, abs=1e-6)
    named = {claim.claim: claim for claim in result.claims}
    ratio = named[f"condition number at the end, {WHITENED} against {X}"]
    assert ratio.ours < -0.9
    assert ratio.met
    assert named[f"gradient's cosine with the direction to the end, {WHITENED} minus {X}"].met
    why.plot(result, tmp_path / "why.png")
    assert (tmp_path / "why.png").stat().st_size > 10_000


def test_the_aim_is_of_the_gradient_before_the_end() -> None:
    variables = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[1.0, 1.0]]])
    gradients = torch.tensor([[[-1.0, 0.0]], [[0.0, -2.0]], [[5.0, 5.0]]])
    assert aim(variables, gradients, variables[-1]).item() == pytest.approx((2**-0.5 + 1) / 2)


def test_the_share_of_a_lead_is_of_logarithms() -> None:
    x, whitened, learned = torch.tensor([1.0, 4.0]), torch.tensor([0.5, 2.0]), torch.tensor([0.25, 1.0])
    share, interval = lead_share(x, whitened, learned)
    assert share == pytest.approx(0.5)
    assert interval == pytest.approx((0.5, 0.5))
    assert lead_share(x, learned, learned)[0] == 1.0
    assert lead_share(x, whitened, learned, floor=2.0)[0] == 1.0, "what lies below the floor is equal"


def test_a_space_without_a_whitener_is_refused() -> None:
    task = stretched()
    plain = ZSpace(build_mapping(MappingConfig("mlp", DIM, DIM, 8), task.prior), DIM)
    with pytest.raises(UserError, match="residual"):
        rows_of(replace(task, mappings={"paper": plain}), "paper")
