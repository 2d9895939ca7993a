"""An address that cannot be served at is one sentence; a stopped server ends cleanly and leaves nothing behind."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from app.scratch import PREFIX
from app.serving import check_address, is_here
from landscape_core.errors import UserError
from tests.app.racing import FORM
from tests.app.visiting import SERVER, events, join, log, opened, served, uploaded

# What Gradio finds where the first page takes longer than it waits.
LATE = "        import gradio.networking\n        gradio.networking.url_ok = lambda url: False\n"
BUSY = SERVER.replace("        serve(", f"{LATE}        serve(")


def test_a_port_in_use_and_a_host_that_is_none_are_sentences() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = rf"Port {port} of 127.0.0.1 cannot be listened on \(address already in use\); .*--port 0"
        with pytest.raises(UserError, match=words):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", port)
    check_address("127.0.0.1", 0)
    for host in ("no.such.host.invalid", "a" * 300, "..", "\x00"):
        with pytest.raises(UserError, match="There is no host"):
            check_address(host, 0)
    with pytest.raises(UserError, match="cannot be listened on"):
        check_address("192.0.2.1", 0)  # an address of documentation, no machine's


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False), ("192.0.2.1", False)])
def test_whether_other_machines_reach_it_decides_whether_it_trains(host: str, here: bool) -> None:
    assert is_here(host) is here


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGINT],
        pytest.param([signal.SIGTERM], marks=pytest.mark.slow),
        pytest.param([signal.SIGKILL, signal.SIGTERM], marks=pytest.mark.slow),
    ],
    ids=["interrupted", "terminated", "after one that was killed"],
)
def test_a_server_ends_cleanly_during_a_run_and_leaves_no_file_behind(tmp_path: Path, signals: list[signal.Signals]) -> None:
    """It has started, too, on a machine that is too busy for Gradio's own look at its page."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (tmp_path / "a.png").write_bytes(b"a picture")
    for ended in signals:
        with served(temporary, BUSY) as (address, server):
            assert Path(uploaded(address, tmp_path / "a.png")).is_relative_to(temporary)
            assert len([*temporary.glob(f"{PREFIX}*/")]) == 1  # its own alone
            (run,) = events(address, "race", "run")
            for _ in range(2):
                assert join(address, opened(address), run, list({**FORM, "steps": 2000}.values()))[0] == 200
            server.send_signal(ended)
            server.wait(timeout=30)
            said = log(temporary).read_text()
            assert server.returncode == (-signal.SIGKILL if ended == signal.SIGKILL else 0), said
            assert "terminate called" not in said
            assert "Traceback" not in said
    assert [*temporary.iterdir()] == []
