"""The judges of a picture that was searched for."""

from __future__ import annotations

from typing import Any

from app.runs.models import Models
from app.runs.session import Picked, Run
from app.target.targets import drawn_input
from landscape_core.search.judges import PSNR, Judge, input_judge, prior_judge, robust_judge
from landscape_core.search.objectives import PerceptualObjective


def picture_judges(models: Models, run: Run[Picked]) -> list[Judge]:
    """PSNR; robust features, where pictures are compared and they are not what was optimised; the input, where the model drew
    the picture; the prior."""
    looks = run.task.picture is None and (run.solver.target.truth is not None or run.solver.target.observation.pictorial)
    robust = run.settings.perceptual != "robust" and looks
    objective: Any = models.get(run.settings.task, "robust").objective if robust else None
    features = [robust_judge(objective.distance)] if isinstance(objective, PerceptualObjective) else []
    quality = [PSNR] if run.task.picture is None else []
    true = drawn_input(run.task, run.target)
    inputs = [] if true is None else [input_judge(true)]
    return [*quality, *features, *inputs, prior_judge(run.task.prior)]
