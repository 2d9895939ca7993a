"""What is refused over raw HTTP before it is read, and who may stand in the queue."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import Headers

from app import limits
from app.admission import Admission
from app.guard import Parts
from tests.app.racing import FORM
from tests.app.visiting import LOADED, events, join, load_event, multipart, opened, post, queued, served

JOIN, UPLOAD = "gradio_api/queue/join", "gradio_api/upload"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as (url, _):
        yield url


def said(answer: bytes) -> str:
    return str(json.loads(answer)["detail"])


def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(address: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    for path, size in (
        (JOIN, limits.JSON_BODY),
        ("gradio_api/component_server", limits.JSON_BODY),
        (UPLOAD, limits.UPLOAD_BODY),
    ):
        kind = "multipart/form-data; boundary=x" if path == UPLOAD else "application/json"
        connection.putrequest("POST", f"/{path}")
        connection.putheader("content-type", kind)
        connection.putheader("content-length", str(size + 1))
        connection.endheaders()  # no byte of the body
        answer = connection.getresponse()
        assert answer.status == 413
        assert f"at most {size // limits.MB} MB" in said(answer.read())
        connection.close()


def test_a_body_of_untold_length_is_read_no_further_than_the_limit(address: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(60):
            sent += limits.MB
            yield b" " * limits.MB

    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)) as connection:
        try:
            connection.request("POST", f"/{JOIN}", endless(), {"content-type": "application/json"}, encode_chunked=True)
            with connection.getresponse() as answer:
                status = answer.status
        except (BrokenPipeError, ConnectionResetError):  # it hung up while we were still sending
            status = 413
    assert status == 413
    assert sent < 30 * limits.MB  # what lies in the sockets between us


@pytest.mark.parametrize("path", [JOIN, LOADED, "gradio_api/component_server", "gradio_api/cancel", "gradio_api/reset"])
def test_json_is_not_taken_as_plain_text(address: str, path: str) -> None:
    """Which a page of another site may send without a preflight."""
    status, answer = post(f"{address}{path}", {}, {"content-type": "text/plain"})
    assert status == 415, answer
    assert "application/json" in said(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_page_of_another_origin_changes_nothing(address: str, headers: dict[str, str]) -> None:
    body, kind = multipart({"a.png": b"x"})
    assert post(f"{address}{UPLOAD}", body, kind | headers)[0] == 403
    assert post(f"{address}{JOIN}", {}, headers)[0] == 403
    status, answer = post(f"{address}{LOADED}", {}, headers)
    assert (status, said(answer)) == (403, "Only this app's own page may ask for that.")


def test_the_apps_own_page_is_let_in(address: str) -> None:
    body, kind = multipart({"a.png": b"x"})
    own = {"origin": address.rstrip("/"), "sec-fetch-site": "same-origin"}
    assert post(f"{address}{UPLOAD}", body, kind | own)[0] == 200


@pytest.mark.parametrize("path", ["", "config", JOIN])
def test_a_name_that_is_not_the_servers_is_refused(address: str, path: str) -> None:
    """A page whose own name was made to lead here would be of the same origin as we are."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    for host, known in (
        ("rebound.example", False),
        ("localhost.evil.example:80", False),
        ("localhost", True),
        ("[::1]:1", True),
    ):
        connection.request("GET", f"/{path}", headers={"host": host})
        answer = connection.getresponse()
        content = answer.read()
        assert (answer.status == 421) is not known, host
        assert known or "This server is not called" in said(content)
        connection.close()


def test_files_of_one_upload_are_counted(address: str) -> None:
    body, kind = multipart({f"{i}.png": b"x" for i in range(limits.UPLOAD_FILES)})
    assert post(f"{address}{UPLOAD}", body, kind)[0] == 200
    body, kind = multipart({f"{i}.png": b"x" for i in range(limits.UPLOAD_FILES + 1)})
    status, answer = post(f"{address}{UPLOAD}", body, kind)
    assert status == 413
    assert f"At most {limits.UPLOAD_FILES} files" in said(answer)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_parts_are_counted_wherever_the_body_is_cut(size: int) -> None:
    body, headers = multipart({f"{i}.png": b"--" * i for i in range(9)})
    parts = Parts(Headers(headers))
    assert [parts.seen(body[i : i + size]) for i in range(0, len(body), size)][-1] == 9


@pytest.mark.parametrize("body", [b"[" * 500_000, b"[]", b"3", b"{", b"\xff", b'{"fn_index": 1}', b'"' + b"a" * 1_900_000])
def test_a_body_that_is_no_event_is_refused(address: str, body: bytes) -> None:
    for path in (JOIN, LOADED, "gradio_api/component_server"):
        status, answer = post(f"{address}{path}", body)
        assert status == 400, (path, answer)
        assert "not an event" in said(answer)


def test_a_page_that_the_server_does_not_know_is_told_to_reload(address: str) -> None:
    """As one that was opened before the server was restarted: its choices are not known any longer either."""
    (run,) = events(address, "race", "run")
    status, answer = join(address, "of-an-earlier-server", run, [*FORM.values()])
    assert status == 410
    assert "Reload the page" in said(answer)


def test_a_page_has_its_share_of_the_queue_and_short_work_waits_for_no_run(address: str) -> None:
    (run,), (upload,) = events(address, "race", "run"), events(address, "upload", "upload")
    (stop,) = events(address, "race", "stop")
    values = list({**FORM, "steps": 2000}.values())
    long, other = opened(address), opened(address)
    for _ in range(limits.WAITING_A_PAGE):
        assert join(address, long, run, values)[0] == 200
    status, answer = join(address, long, run, values)
    assert status == 429
    assert f"{limits.WAITING_A_PAGE} things waiting" in said(answer)
    try:
        begun = time.monotonic()
        answered = queued(address, upload, [None, *FORM.values()], other)
        assert "process_completed" in answered
        assert time.monotonic() - begun < 5
        assert join(address, long, run, values)[0] == 429  # for they are still there
    finally:
        post(f"{address}{LOADED}", {"data": [], "fn_index": stop["id"], "session_hash": long})


def test_what_is_kept_of_pages_is_bounded(address: str) -> None:
    """A page that many others have followed is let go, and says so."""
    first = opened(address)
    load = load_event(address)
    for _ in range(limits.PAGES + 1):
        body = {"data": [], "fn_index": load, "session_hash": secrets.token_hex(6)}
        assert post(f"{address}{LOADED}", body)[0] == 200
    (run,) = events(address, "race", "run")
    assert join(address, first, run, [*FORM.values()])[0] == 410


@pytest.mark.parametrize("steps", [None, 2000], ids=["at rest", "while its run goes on"])
def test_a_closed_page_is_forgotten_for_good(address: str, steps: int | None) -> None:
    session = opened(address)
    (run,), (stop,) = events(address, "race", "run"), events(address, "race", "stop")
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)) as connection:
        connection.request("GET", f"/gradio_api/heartbeat/{session}")
        with connection.getresponse() as answer:
            answer.read(5)
            if steps is not None:
                assert join(address, session, run, list({**FORM, "steps": steps}.values()))[0] == 200
    pressed = {"data": [], "fn_index": stop["id"], "session_hash": session}
    until = time.monotonic() + 30
    while post(f"{address}{LOADED}", pressed)[0] != 410:
        assert time.monotonic() < until
        time.sleep(0.1)
    other = opened(address)
    assert "process_completed" in queued(address, run, [*FORM.values()], other)  # the run before has ended meanwhile
    assert post(f"{address}{LOADED}", pressed)[0] == 410


class Holder:
    """What Gradio keeps of pages."""

    def __init__(self) -> None:
        self.session_data: dict[str, None] = {}

    def __contains__(self, page: str) -> bool:
        return page in self.session_data


def test_one_address_takes_no_more_than_its_share_and_lets_go_of_its_own_pages() -> None:
    """Pages of this machine, or of a proxy on it that names nobody, share nothing: they are anybody's."""
    holder = Holder()
    queue = SimpleNamespace(event_queue_per_concurrency_id={}, active_jobs=[])
    blocks: Any = SimpleNamespace(state_holder=holder, _queue=queue)
    admission = Admission(lambda *_: None)

    def opens(page: str, address: str) -> None:
        admission.make_room(blocks, page, {"client": (address, 1)})
        holder.session_data[page] = None

    opens("other", "10.0.0.8")
    for number in range(limits.PAGES_AN_ADDRESS + 1):
        opens(f"page {number}", "10.0.0.7")
        opens(f"local {number}", "127.0.0.1")
    assert "page 0" not in holder.session_data
    assert {"page 1", "other", "local 0"} <= holder.session_data.keys()
    waiting = [SimpleNamespace(session_hash=f"page {number}") for number in range(1, limits.WAITING_AN_ADDRESS + 1)]
    queue.event_queue_per_concurrency_id["x"] = SimpleNamespace(queue=waiting)
    assert admission.crowded(blocks, "page 1")
    assert not admission.crowded(blocks, "other")
    assert not admission.crowded(blocks, "local 0")
    waiting.pop()
    assert not admission.crowded(blocks, "page 1")
