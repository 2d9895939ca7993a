"""What the server remembers of a visitor's defence."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.runs.session import Message, Picked, Run, Session
from landscape_core.defence.attacks import AttackSettings
from landscape_core.defence.objective import Defence


@dataclass(kw_only=True)
class DefenceRun(Run[Picked]):
    """A run of both lanes on one attacked picture; `asked` is the attack that was asked for, `attack` the one taken, `knows`
    what it knew, `clean` and `attacked` what the classifier says of both pictures. The solver's target is the clean picture
    until the attack is over."""

    defence: Defence
    truth: int
    asked: AttackSettings
    attack: AttackSettings
    knows: str
    clean: Message = field(default_factory=dict)
    attacked: Message | None = None


DefenceSession = Session[Picked, DefenceRun]
