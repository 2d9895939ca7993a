"""What the server remembers of a visitor's completions."""

from __future__ import annotations

from dataclasses import dataclass

from app.runs.session import Picked, Run, Session


@dataclass
class CompletionSession(Session[Picked, Run[Picked]]):
    """`mask` is what the visitor painted, a character per pixel; `sample` the completion they picked of the run."""

    mask: str = ""
    sample: int = 0

    def begin(self, run: Run[Picked]) -> None:
        """Make `run` the one that stands; its first completion is the one that is picked."""
        super().begin(run)
        self.sample = 0
