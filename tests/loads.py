"""A thousand page loads, one after the other, and what the server keeps of them. Not run by pytest.

    python -m tests.loads [--pages 1000]

Each page is opened, filled as the browser fills it, and closed. The app runs on tiny models in a process of its own. It exits
with 1 where memory grew by more than `GROWTH` MB after the first pages, or a page was not answered.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import urllib.request
from pathlib import Path

from tests.app.visiting import Page, get, opened, served
from tests.soak import memory

GROWTH = 50.0  # MB
FIRST = 100  # pages after which memory is measured first: what is kept of pages is full then


def visit(address: str, page: Page) -> None:
    """A page from its opening to its closing. Raises AssertionError where something of it is not answered."""
    assert get(address)[0] == 200
    session = opened(address)
    with urllib.request.urlopen(f"{address}gradio_api/heartbeat/{session}", timeout=60):
        for load in page.loads:
            status, answer = page.load(session, load)
            assert status == 200, answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=1000)
    pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / "temporary"
        temporary.mkdir()
        with served(temporary) as (address, server):
            page, early = Page(address), 0.0
            for number in range(1, FIRST + pages + 1):
                visit(address, page)
                if number == FIRST:
                    early = memory(server.pid)
                if number % FIRST == 0:
                    print(f"{number:5d} pages, {memory(server.pid):.0f} MB", flush=True)
            grown = memory(server.pid) - early
    print(f"{pages} pages after the first {FIRST}: {grown:+.1f} MB")
    return 1 if grown > GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
