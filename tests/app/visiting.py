"""The app in a process of its own on tiny models, and what a visitor without our page can ask of it over raw HTTP."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

SERVER = """
import sys
from app.scratch import scratch
from app.serving import Stop, leave, serve, stoppable
try:
    with stoppable(), scratch():
        from app.runs.models import Models
        from app.ui import build_app, launch_options
        from tests.tiny.models import tiny_task
        models = Models({"faces": lambda perceptual: tiny_task()})
        serve(build_app(models), {**launch_options(port=int(sys.argv[1])), "quiet": True})
except Stop:
    leave(0)
"""
ROOT = Path(__file__).resolve().parents[2]
LOADED = "gradio_api/run/predict"
# Gradio only warns of a listener that it will call with too few arguments; then the app must not start.
STRICT = "error::UserWarning:gradio.utils"


@contextmanager
def served(temporary: Path | None = None, code: str = SERVER) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Address and process of a server. With a temporary folder for it, what it says is in `log(temporary)`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | ({"TMPDIR": str(temporary)} if temporary else {})
    command = [sys.executable, "-W", STRICT, "-c", code, str(port)]
    with ExitStack() as stack:
        said = stack.enter_context(log(temporary).open("wb")) if temporary else None  # a pipe that nobody reads would fill
        server = stack.enter_context(subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=said))
        stack.callback(server.kill)
        url = f"http://127.0.0.1:{port}/"
        while server.poll() is None:
            try:
                get(url)
                break
            except urllib.error.URLError:
                time.sleep(0.2)
        assert server.poll() is None, "the app did not start"
        yield url, server


def log(temporary: Path) -> Path:
    """Where a server with that temporary folder writes what it says."""
    return temporary.with_name(f"{temporary.name}.log")


def get(url: str | urllib.request.Request) -> tuple[int, bytes]:
    """Status and body."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def post(url: str, body: Any, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of a POST of JSON, or of bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return get(urllib.request.Request(url, data=data, headers={"content-type": "application/json", **(headers or {})}))


def config(address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(f"{address}config")[1])
    return found


def events(address: str, component: str, event: str) -> list[dict[str, Any]]:
    """The listeners of an event of the component with that element id."""
    found = config(address)
    (number,) = (c["id"] for c in found["components"] if c["props"].get("elem_id") == component)
    return [d for d in found["dependencies"] if [number, event] in d["targets"]]


def opened(address: str) -> str:
    """The session of a page that was opened, as the page's first event opens it."""
    session = secrets.token_hex(6)
    body = {"data": [], "fn_index": load_event(address), "session_hash": session}
    status, answer = post(f"{address}{LOADED}", body)
    assert status == 200, answer
    return session


def load_event(address: str) -> int:
    """The number of the load event that fills the Invert tab's form."""
    found = config(address)
    (race,) = (c["id"] for c in found["components"] if c["props"].get("elem_id") == "race")
    (load,) = (d for d in found["dependencies"] if any(n == "load" for _, n in d["targets"]) and race in d["outputs"])
    return int(load["id"])


class Page:
    """A page as the browser has it: what the server configured, and the value of every component as it was last told."""

    def __init__(self, address: str, configured: dict[str, Any] | None = None) -> None:
        self.address, self.config = address, configured or config(address)
        self.by_name = {each["props"].get("elem_id"): each["id"] for each in self.config["components"]}
        self.values: dict[int, Any] = {each["id"]: each["props"].get("value") for each in self.config["components"]}

    @property
    def loads(self) -> list[dict[str, Any]]:
        """The events of its opening, the one that fills the form first."""
        found = [each for each in self.config["dependencies"] if any(name == "load" for _, name in each["targets"])]
        return sorted(found, key=lambda each: -len(each["outputs"]))

    def event(self, component: str, name: str) -> dict[str, Any]:
        """An event of the component with that element id."""
        number = self.by_name[component]
        return next(each for each in self.config["dependencies"] if [number, name] in each["targets"])

    def data(self, event: dict[str, Any], own: Mapping[int, Any] | None = None) -> list[Any]:
        """What an event sends: the components' values, or one's `own`."""
        return [(self.values | dict(own or {})).get(number) for number in event["inputs"]]

    def load(self, session: str, event: dict[str, Any]) -> tuple[int, bytes]:
        """Take up what an event of the opening answers."""
        body = {"data": self.data(event), "fn_index": event["id"], "session_hash": session}
        status, answer = post(f"{self.address}{LOADED}", body)
        shown = json.loads(answer)["data"] if status == 200 else []
        for number, value in zip(event["outputs"], shown, strict=status == 200):
            updated = isinstance(value, dict) and "__type__" in value
            self.values[number] = value.get("value", self.values[number]) if updated else value
        return status, answer


def join(address: str, session: str, event: dict[str, Any], data: list[Any]) -> tuple[int, bytes]:
    """Put an event of a page in the queue."""
    body = {"data": data, "fn_index": event["id"], "session_hash": session, "trigger_id": event["targets"][0][0]}
    return post(f"{address}gradio_api/queue/join", body)


def queued(address: str, event: dict[str, Any], data: list[Any], session: str | None = None) -> str:
    """Everything the server sends for a queued event, in a session that has opened the page."""
    session = session or opened(address)
    status, answer = join(address, session, event, data)
    assert status == 200, answer
    return get(f"{address}gradio_api/queue/data?session_hash={session}")[1].decode()


def multipart(files: Mapping[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an upload of files by name."""
    border, body = secrets.token_hex(8), b""
    for name, content in files.items():
        head = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{border}--\r\n".encode(), {"content-type": f"multipart/form-data; boundary={border}"}


def uploaded(address: str, path: Path) -> str:
    """Upload a file the way the page does; returns where the server keeps it."""
    body, headers = multipart({path.name: path.read_bytes()})
    status, answer = post(f"{address}gradio_api/upload", body, headers)
    assert status == 200, answer
    return str(json.loads(answer)[0])
