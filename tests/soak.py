"""A soak: eight clients on the app for ten minutes, who open pages, upload, run, export and leave. Not run by pytest.

    python -m tests.soak [--minutes 10] [--clients 8]

It starts the app with the embedded models in a process and a temporary folder of its own, and prints what was served and
refused, the worst wait of short actions while runs went on, the memory after the first minute and at the end, and what was
left on the disk. It exits with 1 where something was lost: a short action that took too long, a run that did not end, an
unexpected answer, or a file that stayed.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from tests.app.visiting import LOADED, Page, config, get, join, log, multipart, opened, post, served

APP = """
import sys
sys.argv = ["app.py", "--port", sys.argv[1]]
import app.serving, runpy
runpy.run_path("app.py", run_name="__main__")
"""
LONGEST_SHORT = 2.0  # seconds
GROWTH = 1.10
PATIENCE = 5.0  # seconds after which a visitor stops a run
LAST = 90.0  # seconds that the last visits may take
VIEWS = ("figures", "surfaces", "defence")  # of other runs than a race of pictures
REFUSALS = (410, 429, 503)


@dataclass
class Tally:
    """What happened, from all clients."""

    served: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    waits: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, what: str, status: int, seconds: float, answer: str = "") -> None:
        with self.lock:
            if status == 200 and '"success":false' not in answer:
                self.served[what] += 1
                self.waits[what] = max(self.waits.get(what, 0.0), seconds)
            elif status in REFUSALS:
                self.refused[f"{what} ({status})"] += 1
            else:
                self.lost.append(f"{what}: {status} {answer[-300:]}")


class Client:
    """One visitor: opens a page, does some things on it, and leaves."""

    def __init__(self, page: Page, picture: bytes, tally: Tally, seed: int) -> None:
        self.page, self.picture, self.tally = page, picture, tally
        self.address, self.random = page.address, random.Random(seed)

    def timed(self, what: str, do: Any) -> Any:
        begun = time.monotonic()
        status, answer = do()
        self.tally.add(what, status, time.monotonic() - begun, answer.decode(errors="replace"))
        return status, answer

    def visit(self) -> None:
        """A page from its opening to its closing, by which the server knows that the visitor left."""
        self.timed("page", lambda: get(self.address))
        session = opened(self.address)
        with urllib.request.urlopen(f"{self.address}gradio_api/heartbeat/{session}", timeout=60):
            for load in self.page.loads:
                self.timed("load", partial(self.page.load, session, load))
            for _ in range(self.random.randint(1, 4)):
                self.random.choice([self.upload, self.run, self.run_other, self.reload])(session)
            self.queued("export", session, self.page.event("race", "export"))
            if self.random.random() < 0.3:  # leave while it computes
                self.queued("run that is left", session, self.page.event("race", "run"), left=True)

    def upload(self, session: str) -> None:
        body, headers = multipart({"a.png": self.picture})
        status, answer = self.timed("upload", lambda: post(f"{self.address}gradio_api/upload", body, headers))
        if status == 200:
            event = self.page.event("upload", "upload")
            path = {"path": json.loads(answer)[0], "meta": {"_type": "gradio.FileData"}}
            self.queued("upload read", session, event, {event["inputs"][0]: path})

    def run(self, session: str) -> None:
        steps = {self.page.by_name["steps"]: self.random.choice([5, 20])}
        self.queued("run", session, self.page.event("race", "run"), steps)

    def run_other(self, session: str) -> None:
        view = self.random.choice(
            [name for name in ("figures", "surfaces", "defence") if name in self.page.by_name] or ["race"]
        )
        stop = {"data": [], "fn_index": self.page.event(view, "stop")["id"], "session_hash": session}
        pressed = threading.Timer(PATIENCE, lambda: self.timed("stop", lambda: post(f"{self.address}{LOADED}", stop)))
        pressed.start()
        self.queued(f"run in {view}", session, self.page.event(view, "run"))
        pressed.cancel()

    def reload(self, session: str) -> None:
        self.timed("page", lambda: get(self.address))
        self.timed("settings", lambda: get(f"{self.address}config"))

    def queued(
        self,
        what: str,
        session: str,
        event: dict[str, Any],
        own: dict[int, Any] | None = None,
        *,
        left: bool = False,
    ) -> None:
        """An event in the queue, and all of its answer, unless the visitor has left."""
        data = self.page.data(event, own)
        begun = time.monotonic()
        status, answer = join(self.address, session, event, data)
        if status != 200:
            self.tally.add(what, status, 0.0, answer.decode(errors="replace"))
            return
        if left:
            with urllib.request.urlopen(f"{self.address}gradio_api/queue/data?session_hash={session}", timeout=60) as lines:
                lines.readline()
            self.tally.add(what, 200, 0.0)
            return
        said = self.answered(session, json.loads(answer)["event_id"])
        self.tally.add(what, 200 if said else 0, time.monotonic() - begun, said)

    def answered(self, session: str, event: str) -> str:
        """The last message of an event; nothing where none came. The server closes the connection, for where the visitor does
        it drops what they have in the queue."""
        last = ""
        with urllib.request.urlopen(f"{self.address}gradio_api/queue/data?session_hash={session}", timeout=120) as lines:
            for line in lines:
                message = line.decode()
                if event in message and "process_completed" in message:
                    last = str(message)
        return last


def memory(process: int) -> float:
    """Resident megabytes of a process."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    asked = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / "temporary"
        temporary.mkdir()
        Image.effect_noise((300, 300), 60).convert("RGB").save(Path(folder) / "a.png")
        picture = (Path(folder) / "a.png").read_bytes()
        with served(temporary, APP) as (address, server):
            page, end = config(address), time.monotonic() + 60 * asked.minutes
            before = memory(server.pid)

            def live(seed: int) -> None:
                client = Client(Page(address, page), picture, tally, seed)
                while time.monotonic() < end:
                    try:
                        client.visit()
                    except Exception as error:
                        with tally.lock:
                            tally.lost.append(f"{type(error).__name__}: {error}")

            clients = [threading.Thread(target=live, args=(seed,), daemon=True) for seed in range(asked.clients)]
            for each in clients:
                each.start()
            time.sleep(min(60.0, 30 * asked.minutes))
            early = memory(server.pid)
            for each in clients:
                each.join(max(0.0, end + LAST - time.monotonic()))
            tally.lost += ["a visit that did not end" for each in clients if each.is_alive()]
            late = memory(server.pid)
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
        said = log(temporary).read_text()
        left = [path.name for path in temporary.iterdir()]
    report(tally, before, early, late)
    faults = [*tally.lost, *(f"left in the temporary folder: {name}" for name in left)]
    faults += [f"exit status {server.returncode}"] if server.returncode else []
    faults += [f"in the log: {said[-500:]}"] if "Traceback" in said else []
    faults += [f"memory grew by {late / early - 1:.0%} after the first minute"] if late > GROWTH * early else []
    short = {what: wait for what, wait in tally.waits.items() if not what.startswith(("run", "export"))}
    faults += [f"{what} took {wait:.1f} s" for what, wait in short.items() if wait > LONGEST_SHORT]
    for fault in faults:
        print("FAULT:", fault)
    return 1 if faults else 0


def report(tally: Tally, before: float, early: float, late: float) -> None:
    """Print what happened."""
    for what, number in sorted(tally.served.items()):
        print(f"served  {number:6d}  {what}, worst wait {tally.waits[what]:.2f} s")
    for what, number in sorted(tally.refused.items()):
        print(f"refused {number:6d}  {what}")
    print(f"memory  {before:.0f} MB at the start, {early:.0f} MB after the first minute, {late:.0f} MB at the end")


if __name__ == "__main__":
    sys.exit(main())
