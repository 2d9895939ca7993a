"""What the server remembers of a visitor's completions."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from app.complete.observing import USUAL, Asked
from app.runs.session import Picked, Run, Session


@dataclass
class CompletionRun(Run[Picked]):
    """`target` is the picture as it was chosen, `observed` what was seen of it, behind the painted `mask` (1, 1, side, side)
    where there is one."""

    observed: Asked = field(default=USUAL, kw_only=True)
    mask: Tensor | None = field(default=None, kw_only=True)


@dataclass
class CompletionSession(Session[Picked, CompletionRun]):
    """`mask` is what the visitor painted, a character per pixel; `sample` the completion they picked of the run; `asked` what
    the form says is observed, with a model of that `side`."""

    mask: str = ""
    sample: int = 0
    asked: Asked = USUAL
    side: int = 0

    def begin(self, run: CompletionRun) -> None:
        """Make `run` the one that stands; its first completion is the one that is picked."""
        super().begin(run)
        self.sample = 0

    def take(self, asked: Asked, side: int) -> None:
        """What the form says now."""
        self.asked, self.side = asked, side
