"""All trainings of this server: one at a time, the others in the order of their turn; kept in a folder that outlives it."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app import limits
from app.train.data import taken
from app.train.models import Trainable
from app.train.request import FILES, Record, Request
from app.train.training import LOWEST, RECORD, WORK, Training
from landscape_core.errors import UserError
from landscape_core.storage.files import check_writable
from landscape_core.training.lock import free, hold

EVERY = 0.25  # seconds between two looks at the process
Command = Callable[[Training], Sequence[str]]


class Trainings:
    """Everybody's: whoever sees the page sees them all, and may pause, finish and remove them.

    What an earlier server was computing, or had in its queue, goes on. `command` is what computes a training, at the
    priority `niceness`.

    Raises:
        UserError: the folder cannot be written, or another server trains in it.
    """

    def __init__(
        self, folder: Path, models: Trainable, *, device: str = "cpu", command: Command | None = None, niceness: int = LOWEST
    ) -> None:
        self.folder, self.models = check_writable(folder), models
        self._hold = hold(folder)
        self._niceness = niceness
        self._command = command or (lambda training: training.command(models.device(training.record.request.task, device)))
        self._lock, self._closed = threading.RLock(), threading.Event()
        self._all: dict[str, Training] = {}
        for path in sorted(folder.glob(f"*/{RECORD}")):
            self._take_up(path.parent)
        self._thread = threading.Thread(target=self._work, daemon=True, name="trainings")
        self._thread.start()

    def _take_up(self, folder: Path) -> None:
        try:
            training = Training.read(folder)
            if training.record.state == "running":  # the server was ended, or killed
                training.become(state="queued")
            if training.record.state == "queued" and (missing := self._missing(training)):
                training.become(state="failed", reason=missing)
        except UserError as error:
            print(f"A training is left out: {error}", flush=True)
            return
        self._all[training.id] = training

    # --- what a visitor asks for ------------------------------------------------------------------------------

    def begin(self, request: Request, files: Sequence[str]) -> Training:
        """A training at the end of the queue.

        Raises:
            UserError: its name is taken, there are too many, or its data cannot be used.
        """
        task = self.models.get(request.task)
        folder = self.folder / f"{time.time_ns()}-{secrets.token_hex(4)}"
        with self._lock:
            self._check_place(request, list(task.mappings))
        record = Record(request=request, spec=self.models.spec(request.task), turn=time.time())
        try:
            if request.data == FILES:
                path, words = taken(files, self.models, request.task, folder)
                record = record.model_copy(update={"files": path.name, "data": words})
            training = Training(folder, record)
            with self._lock:
                self._check_place(request, list(task.mappings))  # others may have begun meanwhile
                training.become()
                self._all[training.id] = training
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return training

    def _check_place(self, request: Request, spaces: Sequence[str]) -> None:
        if len(self._all) >= limits.TRAININGS:
            raise UserError(f"There are {len(self._all)} trainings here, which is as many as are kept; remove one first.")
        mine = [each.record.request.name for each in self._all.values() if each.record.request.task == request.task]
        if request.name in (*spaces, *mine):
            raise UserError(f"{request.task} has a Θ called {request.name!r} already, or in training; choose another name.")

    def act(self, training_id: str, act: str) -> None:
        """Pause, resume, finish (end now and publish what was learned) or remove one.

        Raises:
            UserError: there is none, or that cannot be done with it now.
        """
        acts: Mapping[str, Callable[[Training], None]] = {
            "pause": self._pause, "resume": self._resume, "finish": self._finish, "remove": self._remove,
        }  # fmt: skip
        with self._lock:
            if training_id not in self._all or act not in acts:
                raise UserError("That training is not here any more.")
            acts[act](self._all[training_id])

    def _pause(self, training: Training) -> None:
        if training.process is not None:
            training.stop()
        elif training.record.state == "queued":
            training.become(state="paused")

    def _resume(self, training: Training) -> None:
        if missing := self._missing(training):
            raise UserError(missing)
        if training.process is None and training.record.state in ("paused", "failed"):
            training.become(state="queued", reason="", turn=time.time())

    def _missing(self, training: Training) -> str:
        """What is said where this server does not have the model: code runs where the command line that started it names it."""
        task, spec = training.record.request.task, training.record.spec
        there = task in self.models.names and self.models.spec(task) == spec
        return "" if there else f"This server has no model {task!r}; start it with --task {spec}, and resume."

    def _finish(self, training: Training) -> None:
        if training.record.state == "done":
            return
        if not training.looks and not training.at:
            raise UserError("It has learned nothing yet; remove it, or let it go on.")
        training.finish_now()
        self._resume(training)

    def _remove(self, training: Training) -> None:
        request = training.record.request
        training.remove(self.models.theta(request.task, request.name))
        del self._all[training.id]
        self.models.forget(request.task)

    # --- one at a time ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closed.wait(EVERY):
            with self._lock:
                try:
                    self.step()
                except (UserError, OSError) as error:  # a full disk, say; the next look may find room
                    print(f"Training: {error}", flush=True)

    def step(self) -> None:
        """Take note of a process that has ended, and begin the next training where none is computed."""
        for training in self._all.values():
            if training.process is not None:
                if training.process.poll() is None:
                    return
                training.look()
                training.ended()
                if training.record.state == "done":
                    self.models.forget(training.record.request.task)
        waiting = self.waiting()
        if waiting and free(waiting[0].folder / WORK):  # else the process of a killed server has not noticed yet
            waiting[0].start(self._command(waiting[0]), self._niceness)

    def waiting(self) -> list[Training]:
        """The queue."""
        return sorted((each for each in self._all.values() if each.record.state == "queued"), key=lambda each: each.record.turn)

    # --- what pages are told ----------------------------------------------------------------------------------

    def all(self) -> list[Training]:
        """Every training, the latest first, with what it has written down so far."""
        with self._lock:
            for training in self._all.values():
                training.look()
            return sorted(self._all.values(), key=lambda each: each.id, reverse=True)

    def get(self, training_id: str) -> Training:
        """The training of that id. Raises UserError where there is none."""
        with self._lock:
            if training_id not in self._all:
                raise UserError("That training is not here any more.")
            return self._all[training_id]

    def close(self) -> None:
        """End with the server: what is computed goes on with the next one."""
        self._closed.set()
        self._thread.join()
        running = [each for each in self._all.values() if each.process is not None]
        for training in running:
            training.stop()
        until = time.monotonic() + limits.CLOSING_SECONDS
        while any(each.process is not None and each.process.poll() is None for each in running) and time.monotonic() < until:
            time.sleep(0.05)
        for training in running:
            training.kill()
        self._hold.release()
