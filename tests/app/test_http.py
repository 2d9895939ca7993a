"""The app over raw HTTP: what a visitor without our page can ask of it."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.app.racing import FORM

SERVER = """
import sys
from app.runs.models import Models
from app.ui import build_app, launch_options
from tests.tiny.models import tiny_task
build_app(Models({"faces": lambda perceptual: tiny_task()})).launch(**launch_options(port=int(sys.argv[1])), quiet=True)
"""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app in a process of its own, so that its threads and sockets are gone when the tests are over."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", SERVER, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}/"
        while server.poll() is None:
            try:
                get(url)
                break
            except urllib.error.URLError:
                time.sleep(0.2)
        assert server.poll() is None, "the app did not start"
        yield url
        server.kill()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def post(url: str, body: dict[str, Any]) -> tuple[int, bytes]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json"})
    return get(request)  # type: ignore[arg-type]


def config(address: str) -> dict[str, Any]:
    return json.loads(get(f"{address}config")[1])


def events(address: str, component: str, event: str) -> list[dict[str, Any]]:
    """The listeners of an event of the component with that element id."""
    found = config(address)
    (number,) = (c["id"] for c in found["components"] if c["props"].get("elem_id") == component)
    return [d for d in found["dependencies"] if [number, event] in d["targets"]]


def queued(address: str, event: dict[str, Any], data: list[Any]) -> str:
    """Everything the server sends for a queued event, in a session that has opened the page."""
    session = secrets.token_hex(6)
    load = next(d for d in config(address)["dependencies"] if any(name == "load" for _, name in d["targets"]))
    opened, answer = post(f"{address}gradio_api/run/predict", {"data": [], "fn_index": load["id"], "session_hash": session})
    assert opened == 200, answer
    body = {"data": data, "fn_index": event["id"], "session_hash": session, "trigger_id": event["targets"][0][0]}
    status, answer = post(f"{address}gradio_api/queue/join", body)
    assert status == 200, answer
    return get(f"{address}gradio_api/queue/data?session_hash={session}")[1].decode()


def uploaded(address: str, path: Path) -> str:
    """Upload a file the way the page does; returns where the server keeps it."""
    border = secrets.token_hex(8)
    head = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n\r\n'
    body = head.encode() + path.read_bytes() + f"\r\n--{border}--\r\n".encode()
    kind = {"content-type": f"multipart/form-data; boundary={border}"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}gradio_api/upload", body, kind), timeout=60) as answer:
        return str(json.loads(answer.read())[0])


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}], ids=["bare", "with meta"])
def test_an_upload_is_taken_and_a_path_of_the_server_is_not(address: str, tmp_path: Path, meta: dict[str, Any]) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (80, 80), "red").save(path)
    (upload,) = events(address, "upload", "upload")
    kept = uploaded(address, path)
    taken = queued(address, upload, [{"path": kept, "meta": {"_type": "gradio.FileData"}}, *FORM])
    assert "data:image/jpeg" in taken
    refused = queued(address, upload, [{"path": str(path), **meta}, *FORM])
    assert '"success":false' in refused
    assert "data:image/jpeg" not in refused


@pytest.mark.parametrize("path", ["/etc/passwd", "{root}/app/ui.py", "{root}/assets/examples/cat.png", "../app.py"])
def test_no_file_of_the_server_can_be_read(address: str, path: str) -> None:
    status, _ = get(f"{address}gradio_api/file={path.format(root=ROOT)}")
    assert status in (403, 404)


@pytest.mark.parametrize("path", ["../ui.py", "%2e%2e/ui.py", "..%2fui.py", "../../pyproject.toml"])
def test_our_own_scripts_folder_ends_where_it_should(address: str, path: str) -> None:
    assert get(f"{address}lab/race.js")[0] == 200
    assert get(f"{address}lab/{path}")[0] == 404


def test_plotly_comes_from_this_machine(address: str) -> None:
    status, script = get(f"{address}lab/plotly.min.js")
    assert status == 200
    assert b"plotly.js v" in script[:300]


def test_nothing_is_offered_as_an_interface_for_programs(address: str) -> None:
    assert json.loads(get(f"{address}gradio_api/info")[1])["named_endpoints"] == {}
    assert get(f"{address}docs")[0] == 404


@pytest.mark.parametrize("asked", [None, [], ["guess", 0], ["guess", "x"], {"a": 1}, ["a", -1]])
def test_messages_of_a_run_are_for_those_who_know_it(address: str, asked: Any) -> None:
    found = config(address)
    (number,) = (c["id"] for c in found["components"] if c["props"].get("elem_id") == "race")
    body = {"data": asked, "component_id": number, "fn_name": "missed", "session_hash": "nobody"}
    status, answer = post(f"{address}gradio_api/component_server", body)
    assert status == 200
    assert json.loads(answer) == []
