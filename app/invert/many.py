"""One race on many pictures at once: curves over all of them, a paired comparison in every column, and a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.runs.address import Values, of_panel, over
from app.runs.jobs import Job
from app.runs.lanes import table_of
from app.runs.legs import INTERVAL, finite, numbered
from app.runs.models import Models
from app.runs.session import Message, Picked
from app.runs.settings import words
from app.scratch import export_path
from landscape_core.errors import UserError
from landscape_core.experiments.paired import Comparison, best_so_far, compare
from landscape_core.images.pixels import to_unit
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.solver import State
from landscape_core.search.summary import columns
from landscape_core.search.trajectory import states
from landscape_core.storage.csv_text import csv_text

MOST_RESTARTS, MOST_SEARCHES = 5, 100
PANEL = "many"  # its name in an address
USUAL: Values = {"restarts": 1}
QUARTILES = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)


@dataclass
class ManyJob(Job):
    """A race on many pictures, each searched for `restarts` times. `losses` are every lane's by its name, a (B,) a step:
    all pictures of the first restart, then all of the next."""

    settings: RunSettings = field(default_factory=RunSettings)
    labels: list[str] = field(default_factory=list)
    restarts: int = 1
    losses: dict[str, list[Tensor]] = field(default_factory=dict)

    def best(self, lane: str) -> Tensor:
        """The best so far (steps + 1, B)."""
        return best_so_far(torch.stack(self.losses[lane]))

    def searches(self) -> Iterator[tuple[str, int]]:
        """Picture and restart, from 1 on, of every search of the batch."""
        return ((label, restart) for restart in range(1, self.restarts + 1) for label in self.labels)


def checked_restarts(restarts: Any) -> int:
    """A number of restarts. Raises UserError for any other value."""
    if not isinstance(restarts, int) or not 1 <= restarts <= MOST_RESTARTS:
        raise UserError(f"Restarts: a whole number from 1 to {MOST_RESTARTS} is needed.")
    return restarts


def from_query(query: Mapping[str, str]) -> tuple[Values, list[str]]:
    """The panel's setting from the address, with a sentence where it was changed or ignored."""
    return over(
        of_panel(query, PANEL), USUAL, lambda values: checked_restarts(values["restarts"]), {"restarts": (1, MOST_RESTARTS)}
    )


def start(models: Models, job: ManyJob, settings: RunSettings, pictures: Sequence[Picked], restarts: Any) -> Iterator[Message]:
    """Race all lanes on all pictures in one batch.

    Raises:
        UserError: a number of restarts out of range, or one that repeats the very same start, or too many searches.
    """
    restarts = checked_restarts(restarts)
    if restarts > 1 and settings.start != "random":
        raise UserError("Restarts need different starts: choose “Shared x” for where they start, or one restart.")
    if len(pictures) * restarts > MOST_SEARCHES:
        asked = f"{len(pictures)} pictures and {restarts} restarts"
        raise UserError(f"{asked} are more than the {MOST_SEARCHES} searches taken at once.")
    task = models.get(settings.task, settings.perceptual)
    if task.picture is not None:
        raise UserError(f"Many at once takes pictures, which {task.name} does not make; `invert` takes many files of its own.")
    job.settings, job.labels, job.restarts = settings, [picked.label for picked in pictures], restarts
    target = Target(to_unit(torch.stack([picked.picture for picked in pictures])).repeat(restarts, 1, 1, 1))
    solver, starts = prepare(task, settings, target, models.threads)
    return numbered(job, _messages(job, states(solver, solver.init(starts), stop=job.stop.is_set)))


def _messages(job: ManyJob, further: Iterator[State], *, clock: Callable[[], float] = time.perf_counter) -> Iterator[Message]:
    names, settings = job.settings.names(), job.settings
    yield {
        "kind": "begin", "number": job.number, "lanes": names, "table": table_of(settings), "columns": columns(names),
        "limit": settings.steps, "n": len(job.labels), "restarts": job.restarts, "settings": words(settings),
    }  # fmt: skip
    since, sent, step = 0, clock() - INTERVAL, 0
    for state in further:
        for name, lane in zip(names, state.lanes, strict=True):
            job.losses.setdefault(name, []).append(lane.loss.cpu())
        step = state.step
        if clock() - sent >= INTERVAL:
            yield _frames(job, since, step)
            since, sent = step + 1, clock()
    if since <= step:
        yield _frames(job, since, step)
    yield _end(job, step)


def _frames(job: ManyJob, since: int, last: int) -> Message:
    """Quartiles over all searches of the best so far, steps `since` to `last`."""
    lanes = {}
    for name in job.losses:
        low, median, high = job.best(name)[since:].double().quantile(QUARTILES, dim=1).tolist()
        parts = {"low": low, "loss": median, "high": high}
        lanes[name] = {key: [finite(value) for value in values] for key, values in parts.items()}
    return {"kind": "frames", "steps": list(range(since, last + 1)), "lanes": lanes}


def _end(job: ManyJob, step: int) -> Message:
    best = {name: job.best(name)[-1] for name in job.losses}
    found = [(x, z, compare(best[z], best[x], seed=job.settings.seed, restarts=job.restarts)) for x, z in columns(list(best))]
    rows = [
        [label, restart, *(finite(float(losses[i])) for losses in best.values())]
        for i, (label, restart) in enumerate(job.searches())
    ]
    stopped = "" if step >= job.settings.steps else f"Stopped at step {step}; all that was reached is kept."
    said = "\n".join(sentence(step, job.restarts, *each) for each in found)
    return {
        "kind": "end", "reason": stopped, "rows": rows, "summary": said,
        "comparisons": [{"x": x, "z": z, **each.to_json()} for x, z, each in found],
    }  # fmt: skip


def sentence(step: int, restarts: int, x: str, z: str, found: Comparison) -> str:
    """What a column says over all pictures, each searched for so many times."""
    low, high = (100 * end for end in found.change_interval)
    share = f"{100 * found.change:+.1f}\u00a0% [{low:+.1f}, {high:+.1f}]".replace("-", "−")
    clear = "a difference" if high < 0 or low > 0 else "no clear difference"
    failed = f"{100 * found.failures[0]:.0f}\u00a0% of {z}'s searches failed and {100 * found.failures[1]:.0f}\u00a0% of {x}'s"
    each = f", {restarts} searches of each" if restarts > 1 else ""
    said = f"{z} against {x} after {step} steps: {share} loss on {found.n} pictures{each}"
    return f"{said}, {clear} at 95\u00a0%; {failed}."


def export(job: ManyJob | None) -> Path:
    """Every best loss so far as CSV in a new temporary folder: picture, restart, lane, step, loss; the settings above.

    Raises:
        UserError: there is nothing yet.
    """
    if job is None or not job.losses:
        raise UserError("There is nothing to export yet; press Run first.")
    about = dict(words(job.settings)) | {"observed": "the whole picture"}
    rows = (
        (*search, lane, step, loss)
        for lane in job.losses
        for step, losses in enumerate(job.best(lane).tolist())
        for search, loss in zip(job.searches(), losses, strict=True)
    )
    path = export_path(f"many-{job.number}.csv")
    path.write_text(csv_text(["picture", "restart", "lane", "step", "best loss so far"], rows, about), encoding="utf-8")
    return path
