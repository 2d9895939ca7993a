"""Doing once, before the first visitor, what is slow the first time."""

from __future__ import annotations

import contextlib
import threading

from app.defence import run as defence_run
from app.defence.pictures import Defences
from app.invert import run as race
from app.invert.run import RaceSession
from app.runs.models import Models
from app.runs.session import Session
from app.runs.settings import defaults
from app.target import targets
from landscape_core.errors import UserError


def warm_up(models: Models, defences: Defences | None = None) -> threading.Thread:
    """Load every model and take two steps with it, and attack and defend one picture, in the background."""
    thread = threading.Thread(target=_work, args=(models, defences), daemon=True, name="warm-up")
    thread.start()
    return thread


def _work(models: Models, defences: Defences | None) -> None:
    with contextlib.suppress(ImportError):  # Gradio imports it before the first event it answers, which takes seconds
        import matplotlib.pyplot  # noqa: F401
    import roma  # noqa: F401  # the first pose needs it; it loads torch's compiler, which takes seconds
    import sklearn.decomposition  # noqa: F401  # the first plane of a landscape needs it

    for name in models.names:
        try:
            task = models.get(name)
            session: RaceSession = Session(target=targets.drawn(task, targets.FIRST_DRAWN))
            for _ in race.start(models, session, defaults(models, name, steps=2)):
                pass
        except UserError as error:  # the visitor who chooses this model is told the same
            print(f"{name}: {error}")
    try:
        if defences is not None:
            defence_run.warm(defences)
    except UserError as error:
        print(f"Defence: {error}")
