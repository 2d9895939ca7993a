"""What a page asks of the server, as bodies and addresses to damage, and what the server says of it in its log."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.app.visiting import Page, get, opened, post

ROOT = Path(__file__).resolve().parents[2]
JOIN, SERVED = "gradio_api/queue/join", "gradio_api/component_server"
VIEWS = ("race", "gallery", "figures", "surfaces")
SENT = {  # with an event of a view; each takes what it knows
    "visible": ["Head"], "restarts": 2, "n": 10, "steps": 2, "run": "x", "box": [1, 2, 30], "points": [[20, 20], [40, 20]],
    "name": "cat", "index": 1, "mask": "data:image/png;base64,", "tab": "invert", "place": [0.1, 0.2], "card": "{}",
}  # fmt: skip
QUERY = {
    "steps": "3", "lanes": "X-adam,Z-adam:0.3,Z-lbfgs:1:2:10", "target": "drawn-3", "seed": "7", "start": "random",
    "space": "residual", "model": "faces", "perceptual": "lpips", "tab": "complete", "c_steps": "4", "c_k": "5",
    "c_mask": "left", "c_lanes": "X-adam", "observation": "whole", "hidden": "Head", "edit": "Head:1:2:3",
}  # fmt: skip
PATHS = [
    "", "config", "theme.css", "lab/invert/race.js", "lab/plotly.min.js", "lab-results/convergence.png", "gradio_api/info",
    "gradio_api/file=/etc/passwd", "gradio_api/heartbeat/x", "gradio_api/upload_progress?upload_id=x", "static/img/logo.svg",
]  # fmt: skip
OURS = re.compile(rf'File "{re.escape(str(ROOT))}/(?:app|landscape_core)/(?!guard|admission|scratch)')
PATIENCE = 2.0  # seconds after which a run that was asked for is left


@dataclass
class Server:
    """The app under test: its address, its configuration, where its log is and how far that was read."""

    address: str
    log: Path
    page: Page = field(init=False)
    read: int = 0

    def __post_init__(self) -> None:
        self.page = Page(self.address)

    def fault(self) -> str:
        """What the log says since it was last read, of an exception that passed through our code; empty where none did."""
        with self.log.open("rb") as file:
            file.seek(self.read)
            new = file.read()
        self.read += len(new)
        traces = new.decode(errors="replace").split("Traceback (most recent call last)")[1:]
        return next((trace for trace in traces if OURS.search(trace)), "")

    def events(self) -> list[dict[str, Any]]:
        """Every event of the page with a function on the server, as the body that the page would send, without a session.
        `queued` is for us."""
        return [
            {
                "data": self.page.data(each), "fn_index": each["id"],
                "trigger_id": each["targets"][0][0] if each["targets"] else None, "event_data": SENT, "queued": each["queue"],
            }
            for each in self.page.config["dependencies"]
            if each["backend_fn"] and not any(name == "unload" for _, name in each["targets"])
        ]  # fmt: skip

    def openings(self) -> list[dict[str, Any]]:
        """Those that the page sends when it is opened."""
        loads = [each["id"] for each in self.page.loads]
        return [each for each in self.events() if each["fn_index"] in loads]

    def missed(self) -> list[dict[str, Any]]:
        """Bodies that ask for messages that were missed, of every view of runs."""
        return [{"data": ["x", 0], "component_id": self.page.by_name[view], "fn_name": "missed"} for view in VIEWS]

    def session(self) -> str:
        """A page that was opened, its form filled, for runs that take moments."""
        session = opened(self.address)
        for each in self.page.loads:
            self.page.load(session, each)
        steps = [number for name, number in self.page.by_name.items() if name and name.endswith("steps")]
        self.page.values |= dict.fromkeys(steps, 2)
        return session

    def ask(self, body: Any, session: str, path: str) -> tuple[int, str]:
        """Status and answer; of what is queued, its last message."""
        sent = {**body, "session_hash": body.get("session_hash", session)} if isinstance(body, dict) else body
        queued = isinstance(sent, dict) and sent.pop("queued", False)
        status, answer = post(f"{self.address}{JOIN if queued else path}", json.dumps(sent).encode("utf-8", "surrogatepass"))
        if not queued or status != 200:
            return status, answer.decode(errors="replace")
        return status, self.answered(str(sent["session_hash"]), json.loads(answer)["event_id"])

    def answered(self, session: str, event: str) -> str:
        """The last message of an event in the queue; nothing where the visitor left, because it takes long."""
        until = time.monotonic() + PATIENCE
        url = f"{self.address}gradio_api/queue/data?session_hash={quote(session, errors='replace')}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as lines:
                for line in lines:
                    if b"process_completed" in line and event.encode() in line:
                        return str(line, errors="replace")
                    if time.monotonic() > until:
                        break
        except (TimeoutError, urllib.error.HTTPError):
            pass
        return ""

    def look(self, path: str) -> tuple[int, bytes]:
        """Status and body of what lies there."""
        return get(f"{self.address}{quote(path, safe='/?=&%.:,-', errors='replace')}")
