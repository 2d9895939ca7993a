"""Inversion of frozen networks by descent in X and in a learned Z (Landscape Learning, arXiv 2206.09027).

The table of contents. `load_task` gives a ready problem and `Task` makes one of your own F; `Solver` descends in lanes (a
space with an optimiser) on a `Target`; `run` keeps every step in a `Trajectory`; `MappingTrainer` learns Θ for your F;
`evaluate` draws the loss around where a run ended. Names are loaded when first used, so that importing this costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landscape_core.domains import load_task
    from landscape_core.errors import UserError
    from landscape_core.plugins.showing import Curve, Points, Table
    from landscape_core.search.levenberg_marquardt import LevenbergMarquardt
    from landscape_core.search.mapping import MappingConfig, build_mapping
    from landscape_core.search.objectives import Objective, SquaredError, Target
    from landscape_core.search.observation import Observation
    from landscape_core.search.optimizers import LBFGS, Adam, GradientDescent, OptimizerSettings, RampedAdam
    from landscape_core.search.race import LaneSettings, RunSettings, prepare
    from landscape_core.search.solver import Lane, Solver, State
    from landscape_core.search.spaces import Prior, XSpace, ZSpace
    from landscape_core.search.task import Task
    from landscape_core.search.trajectory import Trajectory, run, states
    from landscape_core.surfaces.planes import Grid, Plane
    from landscape_core.surfaces.surface import evaluate
    from landscape_core.training.alternating import MappingTrainer, train_mapping
    from landscape_core.training.settings import MappingTraining

__version__ = "0.2.0"
_ROOMS = {
    "domains": ["load_task"],
    "errors": ["UserError"],
    "plugins.showing": ["Curve", "Points", "Table"],
    "search.mapping": ["MappingConfig", "build_mapping"],
    "search.objectives": ["Objective", "SquaredError", "Target"],
    "search.levenberg_marquardt": ["LevenbergMarquardt"],
    "search.observation": ["Observation"],
    "search.optimizers": ["Adam", "GradientDescent", "LBFGS", "OptimizerSettings", "RampedAdam"],
    "search.race": ["LaneSettings", "RunSettings", "prepare"],
    "search.solver": ["Lane", "Solver", "State"],
    "search.spaces": ["Prior", "XSpace", "ZSpace"],
    "search.task": ["Task"],
    "search.trajectory": ["Trajectory", "run", "states"],
    "surfaces.planes": ["Grid", "Plane"],
    "surfaces.surface": ["evaluate"],
    "training.alternating": ["MappingTrainer", "train_mapping"],
    "training.settings": ["MappingTraining"],
}
_WHERE = {name: room for room, names in _ROOMS.items() for name in names}
__all__ = [
    "LBFGS", "Adam", "Curve", "GradientDescent", "Grid", "Lane", "LaneSettings", "LevenbergMarquardt", "MappingConfig",
    "MappingTrainer", "MappingTraining", "Objective", "Observation", "OptimizerSettings", "Plane", "Points", "Prior",
    "RampedAdam", "RunSettings", "Solver", "SquaredError", "State", "Table", "Target", "Task", "Trajectory", "UserError",
    "XSpace", "ZSpace", "build_mapping", "evaluate", "load_task", "prepare", "run", "states", "train_mapping",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A public name, from the room it lives in (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
