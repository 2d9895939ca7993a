"""One training: its folder, the process that computes it at low priority, and what it has written down so far."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.train.request import Record
from landscape_core.errors import UserError, reading
from landscape_core.storage import zoo
from landscape_core.storage.files import write_text
from landscape_core.training.diary import FINISH, Reader

RECORD, LOG, DIARY, WORK = "training.json", "log.txt", "diary", "work"
PACKAGE = Path(zoo.__file__).resolve().parents[2]
STOPPED = 130  # the exit code of a command that was asked to stop
LOWEST = 19  # priority: whatever a visitor waits for goes first


class Training:
    """`looks` are what it wrote down after each buffer, `at` and `phase` how far it is now."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder, self.record = folder, record
        self.process: subprocess.Popen[bytes] | None = None
        self.asked_to_stop, self.begun = False, 0.0
        self.looks: list[dict[str, Any]] = []
        self.at: dict[str, Any] = {}
        self.phase: dict[str, Any] = {}
        self.plan: dict[str, Any] = {}
        self._reader = Reader(folder / DIARY)

    @classmethod
    def read(cls, folder: Path) -> Training:
        """One that an earlier server kept.

        Raises:
            UserError: its record cannot be read.
        """
        path = folder / RECORD
        with reading(str(path), "is not the record of a training"):
            return cls(folder, Record.model_validate_json(path.read_bytes()))

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def bundle(self) -> Path:
        """The zip to hand on, once it is done."""
        return self.folder / f"{self.record.request.name}.zip"

    @property
    def age(self) -> float:
        """Seconds since its process was begun; 0 where there is none."""
        return 0.0 if self.process is None else time.monotonic() - self.begun

    def become(self, **changes: Any) -> None:
        """Another state, which the folder keeps. Raises UserError where it cannot be written."""
        record = self.record.model_copy(update=changes)
        write_text(self.folder / RECORD, record.model_dump_json(indent=2))
        self.record = record

    def command(self, device: str) -> list[str]:
        """What computes it; the same goes on from what there is."""
        request, folder = self.record.request, self.folder
        options: list[object] = [
            "--task", self.record.spec, "--preset", request.preset, "--name", request.name, "--minutes", request.minutes,
            "--seed", request.seed, "--work", folder / WORK, "--diary", folder / DIARY, "--bundle", self.bundle,
            "--assets", zoo.OWN, "--device", device, "--threads", 1,
        ]  # fmt: skip
        options += [] if request.buffers is None else ["--buffers", request.buffers]
        options += [] if self.record.files is None else ["--data", folder / self.record.files]
        return [sys.executable, "-m", "landscape_core", "train", "mapping", *map(str, options)]

    def start(self, command: Sequence[str], niceness: int = LOWEST) -> None:
        """Begin, or go on, in a process of its own, which a Ctrl-C for this one does not reach, at that priority.

        Raises:
            OSError: the process cannot be begun, or its log not be written.
            UserError: its new state cannot be written.
        """
        self.asked_to_stop, self.begun = False, time.monotonic()
        path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")]))
        with (self.folder / LOG).open("wb") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, self.process.pid, niceness)
        with contextlib.suppress(OSError):  # Linux weighs sessions before the processes in them, unless it has no such groups
            Path(f"/proc/{self.process.pid}/autogroup").write_text(str(niceness))
        self.become(state="running", reason="")  # last: where that cannot be written, it is computed all the same

    def stop(self) -> None:
        """Ask the process to end after its update; the buffer under way is taken again when it goes on."""
        self.asked_to_stop = True
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ended(self) -> None:
        """Take note of how the process ended. Raises UserError where the folder cannot be written: then that is still to do."""
        assert self.process is not None
        code = self.process.returncode
        if code == 0:
            self.become(state="done", reason="")
        elif self.asked_to_stop or code == STOPPED:
            self.become(state="paused", reason="")
        elif code < 0:
            name = signal.Signals(-code).name
            self.become(state="failed", reason=f"The system ended it ({name}); every finished buffer is kept.")
        else:
            self.become(state="failed", reason=self.last_words() or f"It ended with the exit code {code}.")
        self.process = None

    def last_words(self) -> str:
        """The last line that the process said, which is the sentence where something was refused."""
        path = self.folder / LOG
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][:400] if said else ""

    def look(self) -> None:
        """Take up what was written down meanwhile."""
        for entry in self._reader.new():
            match entry.get("kind"):
                case "look":
                    self.looks.append(entry)
                    self.phase = {}
                case "plan":
                    self.plan = entry
                case "at":
                    self.at, self.phase = entry, {}
                case "measuring":
                    self.phase = entry

    def finish_now(self) -> None:
        """Let the process end after its update and publish what was learned. Raises UserError as `write_text`."""
        write_text(self.folder / DIARY / FINISH, "")

    def remove(self, theta: str) -> None:
        """Its folder with its data, and its Θ, called so among the models. Raises UserError where they cannot be removed."""
        self.kill()
        for folder in (self.folder, zoo.OWN / theta if self.record.state == "done" else None):
            if folder is not None and folder.exists():
                try:
                    shutil.rmtree(folder)
                except OSError as error:
                    raise UserError(f"{folder} cannot be removed: {error.strerror}.") from error
