"""The pages that people read name commands, options, files and headings that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from app.start import main
from landscape_core import cli
from landscape_core.commands.serve import serve
from landscape_core.experiments.report import BEGIN

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "results/README.md",
    *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]
CALL = re.compile(r"(?:-m landscape_core|landscape-lab) (.+)")
COMMANDS: Any = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
LINK = re.compile(r"\[[^\]]*\]\(([^)]+)\)")


def written(page: str) -> str:
    """What people wrote of a page."""
    return (ROOT / page).read_text(encoding="utf-8").split(BEGIN)[0]


def lines_of(text: str) -> list[str]:
    """Every command line in blocks of code and every span of code, without comments and with continued lines joined."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [line.split("  #")[0].split(" # ")[0] for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    called = [found[1] for line in (*lines, *spans) if (found := CALL.search(line))]
    return called + [span for span in spans if span.split()[0] in COMMANDS]


def unknown(line: str) -> list[str]:
    """What of a command line there is not: its command, or options that the command does not have."""
    words = [word for word in shlex.split(line, posix=False) if word not in ("…", "[OPTIONS]")]
    commands, command = COMMANDS, None
    while words and words[0] in commands:
        command = commands[words.pop(0)]
        commands = getattr(command, "commands", {})
    if command is None or (commands and words and words[0].islower() and words[0].isalpha()):
        return [line]
    options = {word for each in command.params for word in (*each.opts, *each.secondary_opts)} | {"--help"}
    return [word for word in words if word.startswith("-") and word not in options] if not commands else []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_of_a_page_exists(page: str) -> None:
    lines = [line for line in lines_of(written(page)) if not line.startswith(("…", "serve"))]
    assert {line: unknown(line) for line in lines if unknown(line)} == {}


def test_a_command_or_option_that_there_is_not_is_found() -> None:
    assert unknown("invert a.png --step 3") == ["--step"]
    assert unknown("inwert a.png") == ["inwert a.png"]
    assert unknown("reproduce everything") == ["reproduce everything"]
    assert not unknown("train mapping --data pictures.zip --domain mine")


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_repository_leads_somewhere(page: str) -> None:
    for link in LINK.findall(written(page)):
        if not link.startswith(("http:", "https:")):
            path, _, heading = link.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            assert file.exists(), link
            assert not heading or heading in headings(file), link


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_the_repository_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"`((?:landscape_core|app|tests|docs|assets|results)/[\w./+-]+)`", written(page))
    assert [name for name in named if not (ROOT / name).exists() and not re.search("[A-Z]{3}", name)] == []


def test_the_readmes_map_has_every_folder_of_the_core() -> None:
    drawn = written("README.md").split("## Where things are")[1].split("## ")[0]
    folders = [path for path in (ROOT / "landscape_core").iterdir() if (path / "__init__.py").exists()]
    assert [path.name for path in folders if not re.search(rf"\b{path.name}\b", drawn)] == []


def test_serve_names_every_option_of_the_app() -> None:
    options = {word for each in typer.main.get_command(_app()).params for word in each.opts}
    assert options <= set(re.findall(r"--\w+", serve.__doc__ or ""))


def _app() -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command()(main)
    return app
