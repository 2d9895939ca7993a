"""Which pictures a domain learned from, and how they are framed."""

from __future__ import annotations

from landscape_core.errors import UserError
from landscape_core.images.faces import ALIGNED_FRAMING, Framing
from landscape_core.images.sets import CATS, FACES

DOMAINS = {"faces": FACES, "cats": CATS}
FRAMINGS = {"faces": ALIGNED_FRAMING}  # domains whose pictures are framed by a face; others take the centre


def pictured(task: str) -> str:
    """The domain whose data set has the pictures that a task's generator learned from; W+ ("faces+") has the same.

    Raises:
        UserError: there is none.
    """
    domain = task.removesuffix("+")
    if domain not in DOMAINS:
        raise UserError(f"There is no data set for the domain {domain!r}; there are: {', '.join(DOMAINS)}.")
    return domain


def framing_of(domain: str) -> Framing | None:
    """How a domain's training pictures lie around a face; None where they do not show faces. W+ ("faces+") has the same."""
    return FRAMINGS.get(domain.removesuffix("+"))
