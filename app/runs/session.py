"""What the server remembers of a visitor: the target, the photo being cropped, the run that stands, earlier runs' settings.

Nothing here is a model. Sessions are found by Gradio's session hash, bounded in number and dropped when the page closes.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from PIL import Image
from torch import Tensor

from app import limits
from app.runs.address import TARGET
from app.runs.weight import weigh
from landscape_core.errors import UserError
from landscape_core.images.faces import Framing
from landscape_core.images.pixels import to_image, to_unit
from landscape_core.images.reading import CropBox, centre_box, crop_square
from landscape_core.records.run_card import Card
from landscape_core.search.objectives import Target as Observed
from landscape_core.search.race import RunSettings
from landscape_core.search.solver import Solver
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory

MOST_RUNS = 10**6
REMEMBERED = 1000  # sessions that were let go, so that their pages are told why
Message = dict[str, Any]


class Target(Protocol):
    """Anything that can be searched for; `label` is what it is called, `query` the part of an address that brings it back."""

    @property
    def label(self) -> str: ...

    @property
    def query(self) -> dict[str, str]: ...


T = TypeVar("T", bound=Target)


@dataclass(frozen=True)
class Picked:
    """A chosen picture: uint8 (3, H, W), what to call it, the URL parameters that bring it back (none for a photo), whose it
    is, where that is to be said, and the square of a larger picture that it was cut from. Where what is searched for is no
    picture, it is `observed`, for the task called `task`, and the picture shows it."""

    picture: Tensor
    label: str
    query: dict[str, str] = field(default_factory=dict)
    credit: str = ""
    cut: tuple[Image.Image, CropBox] | None = None
    observed: Observed | None = None
    task: str = ""

    @property
    def target(self) -> Observed:
        """What is searched for, (1, ...)."""
        return Observed(to_unit(self.picture)[None]) if self.observed is None else self.observed

    def fits(self, task: Task) -> bool:
        """Whether a task can search for it: for any picture where its outputs are pictures, else for what is its own."""
        return task.picture is None if self.observed is None else task.name == self.task

    def at(self, side: int) -> Picked:
        """The same for a model whose pictures have that side: cut again, or where it was not cut, scaled."""
        if self.observed is not None or self.picture.shape[-1] == side:
            return self
        whole = to_image(self.picture)
        return replace(self, picture=crop_square(*(self.cut or (whole, centre_box(whole))), side))


@dataclass(frozen=True)
class Photo:
    """A visitor's picture with the square that is used of it, what was noticed when it was read, how faces are framed where the
    model shows faces, and why it is this square."""

    image: Image.Image
    box: CropBox
    notices: tuple[str, ...] = ()
    framing: Framing | None = None
    framed: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Streamed:
    """Work whose messages go to one page. `stop` is asked between pieces of it; `messages` are what the browser was sent.

    `going` while it computes; `weight` are the bytes that it keeps.
    """

    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stop: threading.Event = field(default_factory=threading.Event)
    messages: list[Message] = field(default_factory=list)
    going: bool = False
    weight: int = 0

    @property
    def full(self) -> bool:
        """Whether it keeps as much as a run may."""
        return self.weight > limits.HELD_BY_RUN


@dataclass
class Run(Streamed, Generic[T]):
    """One race, running or at rest. `columns` are a lane's measures by name, an entry a recorded step."""

    number: int
    settings: RunSettings
    target: T
    task: Task
    solver: Solver
    trajectory: Trajectory
    lock: threading.Lock = field(default_factory=threading.Lock, kw_only=True)
    columns: dict[str, dict[str, list[Any]]] = field(default_factory=dict, kw_only=True)


R = TypeVar("R", bound="Run[Any]")


@dataclass
class Session(Generic[T, R]):
    """One page of one visitor, in one tab; `card` is the run card loaded last. `opened` is the target that the page's address
    asked for; where that is one that an address cannot hold, `missing` is what is said and `wanted` what was asked for.
    `noted` is the target that the note beside the settings is about, `again` where a run that the page has kept is taken
    again."""

    target: T | None = None
    opened: T | None = None
    missing: str = ""
    wanted: str = ""
    noted: T | None = None
    photo: Photo | None = None
    run: R | None = None
    card: Card | None = None
    again: Session[T, R] | None = None
    count: int = 0

    def open(self, make: Callable[[], T], wanted: str | None) -> list[str]:
        """Take the target that an address asks for, `wanted` there; none where it cannot hold that (UserError). Returns a
        sentence where it asks for one that there is not, or not any more, and another was taken."""
        try:
            self.target, self.missing = make(), ""
        except UserError as error:
            self.target, self.missing, self.wanted = None, str(error), wanted or ""
        self.opened = self.target
        if self.target is None or wanted in (None, self.target.query.get(TARGET)):
            return []
        return [f"The address asks for the target “{str(wanted)[:40]}”, which is not here; it is {self.target.label} instead."]

    @property
    def query(self) -> dict[str, str]:
        """The target's part of the page's address: also of one that the address asked for in vain, which it still asks for."""
        if self.target is not None:
            return self.target.query
        return {TARGET: self.wanted} if self.missing else {}

    def begin(self, run: R) -> None:
        """Make `run` the one that stands; the one before is stopped and forgotten: the page keeps it."""
        if self.run is not None:
            self.run.stop.set()
        self.run = run
        self.count = run.number

    def number_next(self, number: Any) -> None:
        """The next run has this number, which its page gave it, if it is any and greater than those before."""
        if isinstance(number, int) and 1 <= number <= MOST_RUNS:
            self.count = max(self.count, number - 1)

    def stop(self) -> None:
        """Ask the run to stop before its next step."""
        for run in (self.run, self.again.run if self.again is not None else None):
            if run is not None:
                run.stop.set()

    def streamed(self) -> Streamed | None:
        """What the page is sent messages of."""
        return self.run

    def weight(self) -> int:
        """The bytes that it keeps."""
        return weigh(self.photo) + (self.run.weight if self.run is not None else 0)


class Visit(Protocol):
    """What `Visitors` keeps of each."""

    def stop(self) -> None: ...

    def streamed(self) -> Streamed | None: ...

    def weight(self) -> int: ...


V = TypeVar("V", bound=Visit)


class Visitors(Generic[V]):
    """One thing a visitor, by Gradio's session hash. Where there are more than `capacity` (`limits.SESSIONS` where None), or
    they keep more than `limits.HELD_BY_TAB`, some are let go: those that keep nothing first, then the least recently used; one
    whose run goes on, never."""

    def __init__(self, make: Callable[[], V], capacity: int | None = None) -> None:
        self._make, self._capacity = make, limits.SESSIONS if capacity is None else capacity
        self._visits: OrderedDict[str, V] = OrderedDict()
        self._let_go: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str | None) -> V:
        """What is kept of that visitor, made if there is nothing."""
        with self._lock:
            if (key or "") not in self._visits:
                self._visits[key or ""] = self._make()
            self._visits.move_to_end(key or "")
            for other in self._surplus():
                self._visits.pop(other).stop()
                self._let_go[other] = None
            while len(self._let_go) > REMEMBERED:
                self._let_go.popitem(last=False)
            return self._visits[key or ""]

    def fresh(self) -> V:
        """One that is nobody's."""
        return self._make()

    def _surplus(self) -> list[str]:
        """Who must go, if the last is to stay."""
        weights = {key: visit.weight() for key, visit in self._visits.items() if not going(visit)}
        weights.pop(next(reversed(self._visits)), None)
        many, heavy = len(self._visits) - self._capacity, sum(weights.values()) - limits.HELD_BY_TAB
        leaving = []
        for key, weight in sorted(weights.items(), key=lambda each: each[1] > 0):
            if many > 0 or (heavy > 0 and weight > 0):
                leaving.append(key)
                many, heavy = many - 1, heavy - weight
        return leaving

    def was_let_go(self, key: str | None) -> bool:
        """Whether what was kept of that visitor had to make room."""
        with self._lock:
            return (key or "") in self._let_go

    def drop(self, key: str | None) -> None:
        """Forget a visitor and stop what goes on for them."""
        with self._lock:
            visit = self._visits.pop(key or "", None)
        if visit is not None:
            visit.stop()

    def missed(self, run_id: str, since: int) -> list[Message]:
        """A run's messages from number `since` on. The id is a secret that only its own page was told."""
        with self._lock:
            runs = [run for run in (visit.streamed() for visit in self._visits.values()) if run is not None]
        asked = run_id.encode(errors="surrogatepass")  # what JSON can hold and UTF-8 cannot is no id
        run = next((r for r in runs if secrets.compare_digest(r.id.encode(), asked)), None)
        return run.messages[since:] if run is not None else []


def going(visit: Visit) -> bool:
    """Whether something is computed for that visitor."""
    work = visit.streamed()
    return work is not None and work.going


class Sessions(Visitors["Session[Picked, Run[Picked]]"]):
    """Sessions of tabs whose targets are pictures, and whose runs have nothing of their own."""

    def __init__(self, capacity: int | None = None) -> None:
        super().__init__(Session, capacity)
