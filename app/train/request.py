"""What a visitor asks to be trained, and what a training looks like on the disk. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import limits
from app.train.models import Trainable
from landscape_core.errors import UserError, first_problem
from landscape_core.search.thetas import check_space

DRAWN: Literal["drawn"] = "drawn"
FILES: Literal["files"] = "files"
State = Literal["queued", "running", "paused", "done", "failed"]
PRESET_WORDS = {
    "residual": "Residual, the usual one",
    "whitened": "Curvature taken out, no training",
    "flow": "Invertible flow",
    "statistics": "Residual, statistics taken out",
    "plain": "Residual, from X itself",
    "paper": "The paper's MLP",
    "full": "The paper's, to the letter",
    "short": "Residual, learned from 5 steps",
    "long": "Residual, learned from 20 steps",
}


class Request(BaseModel):
    """One training. `data` says where its targets come from; `buffers` None leaves the preset's number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    name: str
    preset: str = "residual"
    data: Literal["drawn", "files"] = DRAWN
    minutes: float = Field(10.0, ge=0.5)
    buffers: int | None = Field(None, ge=1, le=1000)
    seed: int = Field(0, ge=0, le=2**31 - 1)


class Record(BaseModel):
    """A training as its folder keeps it: what was asked for, where it stands, why where it failed, and `data` in words."""

    model_config = ConfigDict(extra="forbid")

    request: Request
    spec: str
    state: State = "queued"
    reason: str = ""
    data: str = ""
    files: str | None = None
    turn: float = 0.0


def asked(models: Trainable, values: Mapping[str, Any]) -> Request:
    """The request that a form's values make, which are untrusted.

    Raises:
        UserError: a value that cannot be, in a sentence.
    """
    try:
        request = Request(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise UserError(first_problem(error)) from error
    if request.minutes > limits.TRAINING_MINUTES:  # of this server; what another one began may have more
        raise UserError(f"minutes: at most {limits.TRAINING_MINUTES} are taken, not {request.minutes:g}.")
    if request.task not in models.names:
        raise UserError(f"There is no model {request.task!r} here; there are: {', '.join(models.names)}.")
    known = models.presets(request.task)
    if request.preset not in known:
        raise UserError(f"There is no preset {request.preset!r} for {request.task}; there are: {', '.join(known)}.")
    check_space(request.name)
    return request
