"""While it trains the app answers as it otherwise does, and what a visitor waits for has the processor before the training."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.app.racing import FORM
from tests.app.visiting import Page, config, events, opened, post, queued, served
from tests.tiny.plugins import plugin

SERVER = """
import os, sys
sys.path.insert(0, os.getcwd())
os.chdir(FOLDER)
from pathlib import Path
from app.runs.models import Models
from app.serving import serve
from app.train.models import Trainable
from app.train.queue import Trainings
from app.train.request import Request
from app.ui import build_app, launch_options
from landscape_core.plugins.task import bare_task, with_thetas
from tests.tiny.models import tiny_task
bare = bare_task("mine.py")
models = Models({"faces": lambda _: tiny_task(), "decay": lambda _: with_thetas(bare)}, own={"decay": "mine.py"})
trainings = Trainings(Path("trainings"), Trainable(models))
trainings.begin(Request(task="decay", name="mine", minutes=60, buffers=1000), [])
serve(build_app(models, trainings=trainings), {**launch_options(port=int(sys.argv[1])), "quiet": True})
"""
SHORT = 2.0  # seconds
SHARE = 0.25  # of the processor time that a run takes, at most, for the training beside it; the kernel's weights say 0.015


class Visitor:
    """Who asks a server's views, as a page that is open does."""

    def __init__(self, address: str) -> None:
        self.address, self.session = address, opened(address)
        self.views = {each["props"].get("elem_id"): each["id"] for each in config(address)["components"]}

    def called(self, component: str, name: str, asked: Any) -> Any:
        """What the server answers a view at once."""
        body = {"data": asked, "component_id": self.views[component], "fn_name": name, "session_hash": self.session}
        status, answer = post(f"{self.address}gradio_api/component_server", body)
        assert status == 200, answer
        return json.loads(answer)

    @property
    def trains(self) -> bool:
        """Whether the server's training is going."""
        return bool(self.called("train", "state", ["", 0])["trainings"][0]["state"] == "running")


@contextmanager
def training(folder: Path) -> Iterator[tuple[Visitor, psutil.Process, psutil.Process]]:
    """A visitor of a server that trains, the server's process, and the training's."""
    plugin(folder)
    with served(code=SERVER.replace("FOLDER", repr(str(folder)))) as (address, server):
        process, visitor = psutil.Process(server.pid), Visitor(address)
        try:
            while not visitor.trains:
                time.sleep(0.1)
            (child,) = [each for each in process.children() if "landscape_core" in each.cmdline()]
            until_it_works(child)
            yield visitor, process, child
        finally:
            for child in process.children(recursive=True):
                child.kill()


def on_one_core(*processes: psutil.Process) -> None:
    """Let all threads of the processes compete for the same core."""
    for process in processes:
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {0})


def seconds(process: psutil.Process) -> float:
    """Of the processor, that a process has taken."""
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def until_it_works(process: psutil.Process) -> None:
    """Wait until a process has had the processor for a while; beside others that may take long."""
    before = seconds(process)
    while seconds(process) < before + 0.1:
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux's way to say which core")
def test_short_actions_answer_and_a_race_goes_before_the_training(tmp_path: Path) -> None:
    with training(tmp_path) as (visitor, server, child):
        group = Path(f"/proc/{child.pid}/autogroup")
        assert child.nice() == 19
        assert not group.exists() or group.read_text().endswith("nice 19\n")

        address, session = visitor.address, visitor.session
        page = Page(address)
        page.load(session, page.loads[0])
        pick = page.event("drawn-number", "submit")
        waits: dict[str, list[float]] = {"missed": [], "pick": []}
        for number in range(7):
            began = time.monotonic()
            assert visitor.called("race", "missed", ["nobody", 0]) == []
            waits["missed"].append(time.monotonic() - began)
            began = time.monotonic()
            assert '"success":true' in queued(address, pick, page.data(pick, {page.by_name["drawn-number"]: number}), session)
            waits["pick"].append(time.monotonic() - began)
        assert all(statistics.median(each) < SHORT for each in waits.values()), waits

        on_one_core(server, child)
        (run,) = events(address, "race", "run")
        before, own = seconds(child), seconds(server)
        said = queued(address, run, list((FORM | {"steps": 150}).values()), session)
        trained, raced = seconds(child) - before, seconds(server) - own
        assert "The step limit was reached" in said
        assert trained < SHARE * raced, (trained, raced)

        until_it_works(child)
        assert visitor.trains
