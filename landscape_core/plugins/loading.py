"""Finding a plug-in's code and running the function that makes its task.

A plug-in is code and runs with all rights of the user: it is named on the command line that starts a command or the app,
never by what a browser sends, a run card or a bundle says.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from landscape_core.errors import UserError, listed, reading
from landscape_core.search.task import Task
from landscape_core.storage.fingerprint import fingerprint
from landscape_core.storage.zoo import check_name

GROUP = "landscape.tasks"  # entry points by which an installed package brings tasks of its own
FUNCTION = "task"  # what the function is called where a file's is not named


@dataclass(frozen=True)
class Plugin:
    """A user's task as the function made it, and what tells it from others: the hash of its code, weights and prior."""

    task: Task
    sha256: str


def is_plugin(name: str) -> bool:
    """Whether a task's name names code: mine.py, mine.py:function, package.module:function."""
    return ":" in name or name.endswith(".py")


def entry_names() -> list[str]:
    """The tasks that installed packages bring, by name."""
    return sorted(each.name for each in entry_points(group=GROUP))


def load_plugin(spec: str) -> Plugin:
    """The task that a file, a module or an entry point makes: "mine.py", "mine.py:function", "package.module:function", "name".

    Raises:
        UserError: there is no such code or function, it raises an exception, or what it returns is no `Task`.
    """
    module, function = _found(spec)
    with reading(f"The function {function.__name__} of {spec}", "raises an exception"):
        made: Any = function()
    if not isinstance(made, Task):
        raise UserError(f"The function {function.__name__} of {spec} returns a {type(made).__name__}; a Task is needed.")
    check_name(made.name)
    code = Path(module.__file__).read_bytes() if module.__file__ else b""
    content = fingerprint(made.forward.state_dict(), made.prior.mean, made.prior.factor)
    return Plugin(made, hashlib.sha256(code + content.encode()).hexdigest())


def _found(spec: str) -> tuple[ModuleType, Callable[[], object]]:
    entries: tuple[EntryPoint, ...] = tuple(entry_points(group=GROUP))
    entry = next((each for each in entries if each.name == spec), None)
    place, _, name = (entry.value if entry is not None else spec).rpartition(":")
    if not place:
        place, name = name, FUNCTION
    module = _file(Path(place)) if place.endswith(".py") else _module(place)
    function = getattr(module, name, None)
    if not callable(function):
        there = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        raise UserError(f"There is no function {name!r} in {place}; there are: {listed(there)}.")
    return module, function


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    name = f"landscape_plugin_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None  # the name ends in .py
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses look their module up
    with reading(str(path), "is not Python that can be run"):
        found.loader.exec_module(module)
    return module


def _module(name: str) -> ModuleType:
    with reading(f"The module {name}", "cannot be imported"):
        return importlib.import_module(name)
