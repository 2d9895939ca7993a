"""What happens in the playground when a visitor asks for it: training in phases, going back, measuring. No Gradio here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from app.playground import stream
from app.playground.session import Play
from app.runs.session import Message
from app.scratch import export_path
from landscape_core.errors import UserError, first_problem
from landscape_core.playground.basins import basins, starts_grid
from landscape_core.playground.descent import descent, steps_to_tolerance, sweep, tuning_targets, unseen_targets
from landscape_core.playground.export import export_zip
from landscape_core.playground.run_card import read_play_card, replayed
from landscape_core.playground.settings import PlaySettings, defaults
from landscape_core.playground.task import Playground, load_playground
from landscape_core.playground.training import LiveTraining
from landscape_core.search.solver import Lane
from landscape_core.search.spaces import SearchSpace, XSpace

EVERY = 0.08  # seconds between frames; a viewer needs no more, and the processor is for training
UNHURRIED = 0.06  # seconds that each update rests, so that it can be watched
TARGETS, TUNED = 200, 60
BASIN_SIDE = 31
NEAREST_SIDE = 121
MANY = 12
SEARCH = ("optimizer", "x_rate", "z_rate", "limit")
Clock = Callable[[], float]


def settings_from(asked: Any) -> PlaySettings:
    """The settings of a page: a forward model's own, with what was changed put over them.

    Raises:
        UserError: a value out of its range, in a sentence.
    """
    asked = asked if isinstance(asked, Mapping) else {}
    try:
        model = PlaySettings(model=asked.get("model", "arm")).model
        return PlaySettings(**{**defaults(model).model_dump(), **asked})
    except ValidationError as error:
        raise UserError(first_problem(error).replace("_", " ")) from error


def opened(begin: Callable[[], Play], asked: Any, place: Any = None) -> Iterator[Message]:
    """A forward model with these settings, before its Θ is trained; `begin` makes room for it.

    Raises:
        UserError: settings that cannot be, or a y that is none.
    """
    training = LiveTraining(load_playground(settings_from(asked)))
    y = None if place is None else chosen(training.playground, place)
    play = begin()
    with play.alone():
        play.take(training, y)
        yield play.numbered(stream.scene(play))
        yield play.numbered(stream.frame(play, moving=False))


def opened_first(begin: Callable[[], Play], asked: Any, place: Any = None) -> Iterator[Message]:
    """What the address of a page that shows nothing yet asks for; where that cannot be, the usual settings, and a sentence."""
    try:
        yield from opened(begin, asked, place)
    except UserError as error:
        yield from opened(begin, {})
        yield {"kind": "error", "text": f"{error} The usual settings stand instead."}


def chosen(playground: Playground, place: Any) -> Tensor:
    """The y (m,) at a place of the drawn plane of observations: of outputs beyond the second, what the nearest input gives.

    Raises:
        UserError: not two finite numbers.
    """
    match place:
        case [int() | float() as first, int() | float() as second, *_] if abs(first) < 1e6 and abs(second) < 1e6:
            y = torch.tensor([float(first), float(second)])
        case _:
            raise UserError("A target is given by two numbers, y1 and y2.")
    if playground.outputs == 2:
        return y
    inputs = starts_grid(playground.low, playground.high, NEAREST_SIDE)
    with torch.no_grad():
        outputs: Tensor = playground.task.forward(inputs)
    return outputs[(outputs[:, :2] - y).square().sum(dim=1).argmin()]


def aim(play: Play, place: Any) -> Iterator[Message]:
    """Another y: at a place, or "many", a dozen at random. A training that is going goes on with it.

    Raises:
        UserError: the place is none.
    """
    if place == "many":
        drawn = play.playground.task.sampled(MANY, torch.Generator().manual_seed(len(play.messages))).value
        play.y, play.others, play.chosen = drawn[0], drawn[1:], False
    else:
        play.y, play.others, play.chosen = chosen(play.playground, place), None, True
    yield play.numbered(stream.target(play))
    yield from _at_rest(play)


def begin_at(play: Play, place: Any) -> Iterator[Message]:
    """Another start for both spaces, (x1, x2), or None for each space's origin.

    Raises:
        UserError: the place is none.
    """
    match place:
        case [int() | float() as first, int() | float() as second] if abs(first) < 1e3 and abs(second) < 1e3:
            play.change(start=(float(first), float(second)))
        case None:
            play.change(start=None)
        case _:
            raise UserError("A start is given by two numbers, x1 and x2.")
    yield from _at_rest(play)


def search_with(play: Play, asked: Any) -> Iterator[Message]:
    """Another optimiser, other rates or another limit for the descents that are shown: Θ stays as it is.

    Raises:
        UserError: a value out of its range.
    """
    settings = settings_from({**play.playground.settings.model_dump(), **(asked if isinstance(asked, Mapping) else {})})
    play.change(**{name: getattr(settings, name) for name in SEARCH})
    yield from _at_rest(play)


def _at_rest(play: Play) -> Iterator[Message]:
    """The descents anew, unless a training shows them itself in a moment."""
    if play.lock.acquire(blocking=False):
        try:
            yield play.numbered(stream.frame(play, moving=False))
        finally:
            play.lock.release()


def train(play: Play, *, one_phase: bool, slow: bool, clock: Clock = time.monotonic) -> Iterator[Message]:
    """Train on from where Θ stands, to the end of the phase or of the training, and tell what it looks like on the way."""
    with play.alone():
        last = -math.inf
        for begins in _updates(play):
            if (one_phase and begins) or play.stop.is_set():
                break
            if clock() - last >= EVERY:
                last = clock()
                yield play.numbered(stream.frame(play, moving=True))
            if slow or one_phase:
                play.stop.wait(UNHURRIED)
        yield from _rest(play)


def _updates(play: Play) -> Iterator[bool]:
    """A pause before each update of the training; True where another phase begins there than the one this call began in."""
    first = True
    while not play.training.done:
        play.paused = play.paused or play.training.phases()
        for phase in play.paused:
            play.phase = phase
            yield phase.done == 0 and not first
            first = False
        play.paused = None


def _rest(play: Play) -> Iterator[Message]:
    yield play.numbered(stream.frame(play, moving=False))
    yield play.numbered({"kind": "rest", "buffer": play.training.buffer, "done": play.training.done})


def rewind(play: Play, buffer: Any) -> Iterator[Message]:
    """Stand at a buffer again.

    Raises:
        UserError: it was never reached.
    """
    with play.alone():
        if not isinstance(buffer, int) or not 0 <= buffer <= play.training.furthest:
            raise UserError(f"Buffers 0 to {play.training.furthest} have been reached.")
        play.rewind(buffer)
        yield from _rest(play)


def measure(play: Play) -> Iterator[Message]:
    """Sweep the rates of both spaces, then count steps to tolerance on unseen targets, each at its best rate."""
    with play.alone():
        playground = play.playground
        name, limit = playground.settings.optimizer, playground.settings.limit
        spaces = _spaces(play)
        sweeps = {}
        yield play.numbered(_begun("Sweeping step sizes…"))
        for label, space in spaces.items():
            if play.stop.is_set():
                yield play.numbered(_stopped("the comparison was not made"))
                return
            sweeps[label] = sweep(playground, space, name, tuning_targets(playground, TUNED))
            yield play.numbered(stream.swept(sweeps, limit))
        best = {label: each.best for label, each in sweeps.items()}
        lanes = [Lane(label, space, descent(name, best[label])) for label, space in spaces.items()]
        steps = steps_to_tolerance(playground, lanes, unseen_targets(playground, TARGETS))
        play.change(x_rate=best["X"], z_rate=best["Z"])
        yield play.numbered(stream.measured(dict(zip(spaces, steps, strict=True)), limit))
        yield play.numbered(stream.frame(play, moving=False))


def map_basins(play: Play) -> Iterator[Message]:
    """From which starts both spaces arrive at y, and at which of its solutions."""
    with play.alone():
        playground = play.playground
        settings, spaces = playground.settings, _spaces(play)
        x = spaces["X"].at(starts_grid(playground.low, playground.high, BASIN_SIDE))
        half = stream.frame(play, moving=False)["z"]["half"]
        corner = torch.tensor(half)
        z = starts_grid(-corner, corner, BASIN_SIDE)
        through = torch.zeros(len(z), spaces["Z"].dim)
        through[:, :2] = z[:, : spaces["Z"].dim]
        found = {}
        yield play.numbered(_begun(f"Descending from {len(x)} starts in each space…"))
        for label, begin, rate in (("X", x, settings.x_rate), ("Z", through, settings.z_rate)):
            if play.stop.is_set():
                yield play.numbered(_stopped("no basins are drawn"))
                return
            each = basins(playground, spaces[label], descent(settings.optimizer, rate), begin, play.y)
            found[label] = (each, BASIN_SIDE, half)
        yield play.numbered(stream.basin_map(found))


def _begun(text: str) -> Message:
    """That work has left the queue, and what is done."""
    return {"kind": "begun", "text": text}


def _stopped(text: str) -> Message:
    """That work was given up, and what there is not of it."""
    return {"kind": "stopped", "text": f"Stopped; {text}."}


def _spaces(play: Play) -> dict[str, SearchSpace]:
    return {"X": XSpace(play.playground.task.prior), "Z": play.training.space()}


def replay(begin: Callable[[], Play], text: str) -> Iterator[Message]:
    """Open a run card and train again what it says.

    Raises:
        UserError: it is no card of the playground.
    """
    card = read_play_card(text)
    yield _begun("Training again what the card says…")
    training, said = replayed(card)
    play = begin()
    with play.alone():
        play.take(training, torch.tensor(card.y))
        yield play.numbered(stream.scene(play))
        yield from _rest(play)
        yield play.numbered({"kind": "said", "text": said})


def export(play: Play) -> Path:
    """The zip of the training as it stands."""
    with play.alone():
        play.rewind(play.training.buffer)
        path = export_path(f"playground-{play.playground.settings.model}.zip")
        export_zip(path, play.training, play.y)
        return path
