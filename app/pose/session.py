"""What the server remembers of a visitor's poses."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from app.runs.session import Run, Session
from landscape_core.pose.priors import body_of
from landscape_core.pose.task import NAMES, Body


@dataclass(frozen=True)
class PoseTarget:
    """A chosen pose: the rotation of every joint (J, 3), axis-angle in radians, what to call it, and the URL parameters that
    bring it back: `target` ("drawn-3"; "upload" or "card", which an address cannot hold), `edit` the joints turned since.
    `number` is that of a pose that the prior drew; `notices` say what was assumed in reading a file. The pose is of the body of
    the task `drawing`, which draws poses of it."""

    rotvec: Tensor
    label: str
    query: dict[str, str] = field(default_factory=dict)
    number: int | None = None
    notices: tuple[str, ...] = ()
    drawing: str = NAMES["rotations"]

    @property
    def body(self) -> Body:
        """The body that it is a pose of, its joints' rotations observed."""
        return body_of(self.drawing)


@dataclass
class PoseRun(Run[PoseTarget]):
    """A race on a pose of which the joints named in `visible` are seen."""

    body: Body
    visible: list[str]


PoseSession = Session[PoseTarget, PoseRun]
