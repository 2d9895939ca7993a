"""Damaged requests: every event of the page with other values, and addresses. The server answers each, and no exception that
our code let through stands in its log.

Quick: every file in `found/bodies/`, once a request that broke something. Slow: the valid requests, and damaged ones, a minute
or two; longer with FUZZ_EXAMPLES=100000, repeatable with --hypothesis-seed=N.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.visiting import LOADED, log, served
from tests.fuzz.bodies import PATHS, QUERY, SERVED, Server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))

FOUND = sorted((Path(__file__).parent / "found" / "bodies").glob("*.json"))
ODD = [
    None, True, 0, -1, 3, 1.5, 1e308, -1e-308, float("nan"), float("inf"), 10**30, "", "x", "\0", "a" * 3000, "\ud800", "../x",
    "nan", "1e9", [], [[]], [None] * 50, {}, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, {"a": {"b": []}},
]  # fmt: skip
TEXTS = [
    "",
    "nan",
    "-1",
    "1e99",
    "0",
    "½",
    "a" * 500,
    ",",
    ":",
    "X-adam:1e999",
    "Z-x",
    "drawn--1",
    "drawn-99999999999999",
    "%00",
    "\ud800",
]
ANSWERS = (200, 400, 404, 405, 410, 413, 415, 421, 422, 429, 500, 503)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    temporary = tmp_path_factory.mktemp("fuzz") / "temporary"
    temporary.mkdir()
    with served(temporary) as (address, _):
        yield Server(address, log(temporary))


def answered(server: Server, body: Any, path: str, session: str | None = None) -> None:
    """Ask, and fail where an exception passed through our code."""
    status, answer = server.ask(body, session or server.session(), path)
    assert status in ANSWERS, answer
    assert not (fault := server.fault()), fault


def damaged(body: dict[str, Any], draw: Any) -> Any:
    """The body with one value in what the page chose replaced; sometimes anything in it."""
    where = draw(st.sampled_from(["data", "data", "event_data", None]))
    if where in body:
        return {**body, where: damage(body[where], draw)}
    return damage(body, draw)


def damage(value: Any, draw: Any) -> Any:
    """A copy of some JSON with one value in it replaced."""
    whole: Any = [copy.deepcopy(value)]
    place, key = whole, 0
    while isinstance(place[key], list | dict) and place[key] and draw(st.integers(0, 9)):
        place = place[key]
        key = draw(st.sampled_from(range(len(place)) if isinstance(place, list) else sorted(place)))
    place[key] = draw(st.sampled_from(ODD))
    return whole[0]


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_what_the_page_sends_is_answered(server: Server) -> None:
    session = server.session()
    for body in server.events():
        answered(server, body, LOADED, session)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_broke_the_server_is_answered_now(server: Server, path: Path) -> None:
    asked = json.loads(path.read_text(encoding="utf-8"))
    session, event = server.session(), server.page.event(*asked["event"])
    own = {server.page.by_name[name]: value for name, value in asked["values"].items()}
    (body,) = (each for each in server.events() if each["fn_index"] == event["id"])
    answered(server, {**body, "data": server.page.data(event, own), **asked["body"]}, LOADED, session)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_damaged_events_are_answered(server: Server) -> None:
    bodies, sessions = server.events(), []

    @settings(max_examples=3 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def try_one(data: st.DataObject) -> None:
        if data.draw(st.integers(0, 40)) == 0 or not sessions:
            sessions[:] = [server.session()]
        body = data.draw(st.sampled_from(bodies))
        for _ in range(data.draw(st.integers(1, 3))):
            body = damaged(body, data.draw) if isinstance(body, dict) else body
        answered(server, body, LOADED, sessions[0])

    try_one()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_damaged_questions_of_views_are_answered(server: Server) -> None:
    bodies, session = server.missed(), server.session()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def try_one(data: st.DataObject) -> None:
        answered(server, damage(data.draw(st.sampled_from(bodies)), data.draw), SERVED, session)

    try_one()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_damaged_addresses_of_the_page_are_answered(server: Server) -> None:
    opening = server.openings()
    session = server.session()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def try_one(data: st.DataObject) -> None:
        names = data.draw(st.lists(st.sampled_from(sorted(QUERY)), unique=True, max_size=5))
        query = {name: data.draw(st.sampled_from([QUERY[name], *TEXTS])) for name in names}
        body = data.draw(st.sampled_from(opening))
        answered(server, body, f"{LOADED}?{urlencode(query, errors='replace')}", session)

    try_one()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_damaged_paths_show_nothing(server: Server) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def try_one(data: st.DataObject) -> None:
        path = list(data.draw(st.sampled_from(PATHS)))
        for _ in range(data.draw(st.integers(1, 3))):
            piece = data.draw(
                st.sampled_from(["..", "/", "%2e%2e", "%00", "\\", "~", "app.py", "x" * 300, "\ud800", "?", "=", "%"])
            )
            path.insert(data.draw(st.integers(0, len(path))), piece)
        if "heartbeat" in "".join(path):
            return  # it stays open by design
        status, content = server.look("".join(path))
        assert status < 500, content
        assert b"from __future__" not in content
        assert b"root:x:" not in content
        assert not (fault := server.fault()), fault

    try_one()
