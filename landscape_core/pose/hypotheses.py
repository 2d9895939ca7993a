"""Poses that fit the same seen joints: how varied they are, how well they fit, and how near the true pose they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.pose.task import Body
from landscape_core.search.judges import Judge
from landscape_core.search.summary import figures


@dataclass(frozen=True)
class Hypotheses:
    """Per pose (n,): mean error of visible joints in cm, mean distance in cm between hypotheses' hidden joints.

    The latter is NaN where there is nothing to compare: one hypothesis, or nothing hidden.
    """

    visible: Tensor
    diversity: Tensor


def diversity(positions: Tensor) -> Tensor:
    """Mean distance between all pairs of hypotheses' joints: positions (n, K, joints, 3) in cm -> (n,).

    Raises:
        ValueError: fewer than two hypotheses.
    """
    k = positions.shape[1]
    if k < 2:
        raise ValueError("diversity needs at least two hypotheses")
    first, second = torch.triu_indices(k, k, offset=1)
    return (positions[:, first] - positions[:, second]).norm(dim=-1).mean(dim=(1, 2))


def measure(body: Body, output: Tensor, truth: Tensor, visible: list[str]) -> Hypotheses:
    """Outputs (n·K, ...) against the n true poses (n, J + 1, 3), K hypotheses of a pose one after the other."""
    seen = torch.tensor([name in visible for name in body.skeleton.names])
    positions = body.positions(output).unflatten(0, (len(truth), -1))[:, :, 1:]  # (n, K, J, 3)
    error = (positions - truth[:, None, 1:]).norm(dim=-1)[:, :, seen]
    comparable = positions.shape[1] > 1 and bool((~seen).any())
    apart = diversity(positions[:, :, ~seen]) if comparable else torch.full((len(truth),), torch.nan)
    return Hypotheses(error.mean(dim=(1, 2)), apart)


def joint_judges(body: Body, rotvec: Tensor, visible: list[str]) -> list[Judge]:
    """How far joints are from those of the true pose (J, 3), in cm a joint: of all that were seen, and of those that were not.
    The latter only inform, for many poses fit what was seen."""
    truth = body.positions(body.target(rotvec[None]).value)[:, 1:]
    seen = torch.tensor([name in visible for name in body.skeleton.names])

    def of(kind: str, rows: Tensor, *, compares: bool) -> Judge:
        words = f"Mean distance of {kind} joints from where they are in the true pose; lower is better."
        return Judge(
            f"{kind} joints", words,
            lambda found, _: (body.positions(found.output)[:, 1:] - truth)[:, rows].norm(dim=-1).mean(dim=1),
            lambda value: f"{figures(value)}\u00a0cm", compares,
        )  # fmt: skip

    hidden = [of("hidden", ~seen, compares=False)] if bool((~seen).any()) else []
    return [of("seen", seen, compares=True), *hidden]
