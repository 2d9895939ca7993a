"""The judges of a picture that was searched for."""

from __future__ import annotations

from typing import Any

from app.runs.models import Models
from app.runs.session import Picked, Run
from app.target.targets import drawn_input
from landscape_core.search.judges import PSNR, Judge, input_judge, prior_judge, robust_judge
from landscape_core.search.objectives import PerceptualObjective


def picture_judges(models: Models, run: Run[Picked]) -> list[Judge]:
    """PSNR; robust features, where they are not what was optimised; the input, where the model drew the picture; the prior."""
    objective: Any = None if run.settings.perceptual == "robust" else models.get(run.settings.task, "robust").objective
    features = [robust_judge(objective.distance)] if isinstance(objective, PerceptualObjective) else []
    true = drawn_input(run.task, run.target)
    inputs = [] if true is None else [input_judge(true)]
    return [PSNR, *features, *inputs, prior_judge(run.task.prior)]
