"""float64 is for the CPU alone: on a device that has none everything computes all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from landscape_core.experiments.held_out import HeldOut
from landscape_core.experiments.paired import geometric_mean
from landscape_core.generators.training.theta import MAPPING_PRESETS
from landscape_core.plugins.showing import Curve
from landscape_core.search.curvature import mean_curvature, steepness, whitener
from landscape_core.search.editing import principal
from landscape_core.search.judges import share_beyond
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.prior_term import PriorTerm
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task
from landscape_core.search.trajectory import run
from landscape_core.surfaces.hessian import hessian_plane, hessian_product
from landscape_core.surfaces.spectrum import spectrum
from landscape_core.surfaces.views import KINDS, views
from tests.tiny.float32_only import There, task_there, there
from tests.tiny.models import tiny_task

TARGET = Target(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))


def race(task: Task, optimizers: list[Any], **settings: Any) -> Any:
    solver, starts = prepare(task, RunSettings.table(task, "paper", optimizers, steps=3, **settings), TARGET)
    return run(solver, [there(start) for start in starts])


def whitening(task: Task) -> Tensor:
    curvature = mean_curvature(task.forward, task.objective, task.prior.mean[None])
    scale = whitener(curvature, precision=task.prior.precision())
    return steepness(curvature, scale)


def hessian(task: Task) -> Any:
    product = hessian_product(task, TARGET, "X", task.prior.mean.repeat(2, 1))
    points = task.prior.mean.repeat(2, 1)
    return [spectrum(product, points, products=n).values for n in (4, 16)]


COMPUTED: dict[str, Callable[[Task], Any]] = {
    "the prior's root": lambda task: task.prior.root(),
    "the prior's precision": lambda task: task.prior.precision(),
    "the term for the prior": lambda task: PriorTerm(task.prior, 1.0)(task.prior.mean[None]),
    "how far out": lambda task: share_beyond(task.prior, task.prior.mean[None]),
    "principal directions": lambda task: principal(task.prior, 3),
    "a whitener": whitening,
    "a race": lambda task: race(task, ["adam", "lbfgs"], prior_weight=0.1),
    "Levenberg-Marquardt": lambda task: race(replace(task, objective=SquaredError()), ["levenberg-marquardt"]),
    "a look at held-out targets": lambda task: HeldOut(task, MAPPING_PRESETS["residual"], TARGET).look(
        task.mappings["residual"].mapping, len(task.prior.mean)
    ),
    "spectra": hessian,
    "a plane along the Hessian's directions": lambda task: hessian_plane(task, TARGET, "X", task.prior.mean),
    "planes": lambda task: [
        views(task, race(task, ["lbfgs"]), "paper", kind, target=TARGET.select(slice(0, 1)), size=5)
        for kind in KINDS if kind not in ("recovered", "hessian")
    ],
    "a comparison": lambda task: geometric_mean(task.prior.mean.square()),
    "a curve": lambda task: Curve()(task.prior.mean[None], Target(task.prior.mean[None])),
}  # fmt: skip


@pytest.mark.parametrize("compute", COMPUTED.values(), ids=COMPUTED)
def test_it_computes_where_there_is_no_float64(compute: Callable[[Task], Any]) -> None:
    compute(task_there(tiny_task()))


def test_the_device_refuses_what_a_real_one_does() -> None:
    x = there(torch.ones(3))
    assert isinstance(x @ torch.eye(3), There)
    assert type(x.cpu().double()) is Tensor
    for refused in (lambda: x.double(), lambda: x.to(torch.float64), lambda: torch.add(x, torch.ones(3).double())):
        with pytest.raises(TypeError, match="does not support"):
            refused()
