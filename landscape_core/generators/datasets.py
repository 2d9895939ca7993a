"""Which pictures a domain learned from, and how they are framed."""

from __future__ import annotations

from landscape_core.images.faces import ALIGNED_FRAMING, Framing
from landscape_core.images.sets import CATS, FACES

DOMAINS = {"faces": FACES, "cats": CATS}
FRAMINGS = {"faces": ALIGNED_FRAMING}  # domains whose pictures are framed by a face; others take the centre


def framing_of(domain: str) -> Framing | None:
    """How a domain's training pictures lie around a face; None where they do not show faces. W+ ("faces+") has the same."""
    return FRAMINGS.get(domain.removesuffix("+"))
