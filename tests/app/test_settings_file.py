"""The app's settings file gives its options their defaults; what is typed goes before it, and a mistake is told. Published
checkpoints that it names are tasks from then on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

from app import limits, start
from app.runs.models import embedded_models, pose_models
from landscape_core.pose.network import load_published_vposer
from landscape_core.storage import zoo
from tests.generators.test_published import DIM, published, saved
from tests.pose.test_adopting import folder


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the app would be started with, whatever else listens on this machine."""
    monkeypatch.setattr("app.serving.check_address", lambda host, port: None)
    monkeypatch.setattr("app.limits.put", lambda others: None)  # they would hold for all tests to come
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(start, "_serve", lambda *arguments: calls.append(arguments))
    return calls


def started(*words: object) -> str:
    app = typer.Typer()
    app.command()(start.main)
    result = CliRunner().invoke(app, [*map(str, words)])
    return result.output if result.exit_code == 0 else f"refused: {' '.join(result.output.split())}"


def test_a_file_gives_defaults_and_what_is_typed_goes_before(tmp_path: Path, served: list[tuple[Any, ...]]) -> None:
    file = tmp_path / "app.toml"
    said = {
        "host": '"127.0.0.1"',
        "port": "7999",
        "name": '["lab.example"]',
        "task": '["mine.py", "mine:other"]',
        "device": '"auto"',
    }
    file.write_text("\n".join(f"{name} = {value}" for name, value in (said | {"work": '"kept"'}).items()))
    started("--settings", file)
    started("--port", 7998, "--settings", file, "--task", "third.py")
    names = ["127.0.0.1", "lab.example"]
    assert served == [
        ("127.0.0.1", 7999, names, ["mine.py", "mine:other"], "auto", Path("kept")),
        ("127.0.0.1", 7998, names, ["third.py"], "auto", Path("kept")),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port = ", "cannot be read"),
        ('port = "7860"', "port"),
        ("port = 70000", "port"),
        ("prot = 1", "It may have: host, port, name, task, device, work, train, adopt, limits"),
        ("limits = 3", "limits"),
        ("[limits]\nsesions = 3", "There is no limit 'sesions'; there are: json_body, upload_body,"),
        ("[limits]\nsessions = '3'", "The limit sessions is a whole number from 1 to 64,000, not '3'"),
        ("[limits]\nsessions = true", "The limit sessions is a whole number"),
        ("[limits]\nruns_at_once = 0", "The limit runs_at_once is a whole number from 1 to 4,000, not '0'"),
        ("[limits]\ntraining_minutes = 1_440_001", "The limit training_minutes is a whole number from 1 to 1,440,000"),
        ('task = "mine.py"', "task"),
        ('adopt = ["ffhq.pt"]', "adopt"),
    ],
)
def test_a_mistake_in_it_is_told(tmp_path: Path, served: list[tuple[Any, ...]], text: str, sentence: str) -> None:
    (tmp_path / "app.toml").write_text(text)
    said = started("--settings", tmp_path / "app.toml")
    assert said.startswith("refused")
    assert sentence in said.replace("│ ", "")
    assert not served


def test_a_file_has_limits_and_they_hold_whatever_was_imported_before(
    tmp_path: Path, served: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lower = {"sessions": 3, "runs_at_once": 1, "short_at_once": 2, "exports_at_once": 1, "training_minutes": 5}
    (tmp_path / "app.toml").write_text("port = 7999\n[limits]\n" + "\n".join(f"{name} = {n}" for name, n in lower.items()))
    found: list[dict[str, int]] = []
    monkeypatch.setattr("app.limits.put", found.append)
    started("--settings", tmp_path / "app.toml")
    assert found == [lower]
    assert len(served) == 1
    code = (
        "from app import limits\nfrom app.runs.models import Models\nfrom app.runs.session import Sessions\n"
        "from app.train.models import Trainable\nfrom app.train.request import asked\nfrom app.ui import build_app\n"
        "from landscape_core.errors import UserError\nfrom tests.tiny.models import tiny_task\n"
        f"limits.put({lower})\n"
        "models = Models({'faces': lambda perceptual: tiny_task()})\n"
        "lanes = {each.concurrency_id: each.concurrency_limit for each in build_app(models).fns.values()}\n"
        "print(Sessions()._capacity, *(lanes[name] for name in ('compute', 'short', 'export')))\n"
        "try:\n    asked(Trainable(models), {'task': 'faces', 'name': 'mine', 'minutes': 6})\n"
        "except UserError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "3 1 2 1\nminutes: at most 5 are taken, not 6.\n"


def test_every_limit_is_in_the_table_of_security() -> None:
    table = Path("SECURITY.md").read_text(encoding="utf-8")
    assert [name for name in limits.DEFAULTS if f"`{name}`" not in table] == []


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, served: list[tuple[Any, ...]]) -> None:
    assert started("--settings", tmp_path / "none.toml").startswith("refused")
    assert not served


@pytest.fixture
def adopting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file beside a StyleGAN2's checkpoint and a VPoser's folder, both of which it names."""
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, {"g_ema": published(levels=4)[1]})
    folder(tmp_path, 2)
    path = tmp_path / "lab.toml"
    path.write_text('task = ["ffhq", "smpl"]\n[adopt]\nffhq = "g.pt"\nsmpl = "V02"\n')
    return path


def cards() -> dict[str, int]:
    return {name: (zoo.OWN / name / "card.json").stat().st_mtime_ns for name in zoo.names(zoo.OWN)}


def test_checkpoints_that_it_names_are_models_of_the_app_and_draw_what_their_files_draw(
    adopting: Path, served: list[tuple[Any, ...]]
) -> None:
    said = started("--settings", adopting)
    assert "g.pt is the task ffhq: published StyleGAN2, F: w" in said
    assert "V02 is the task smpl: published VPoser v2" in said
    ((_, _, _, tasks, _, _),) = served
    models = embedded_models(plugins=tasks)  # what is offered anyway may be named, too
    assert not models.own
    w = torch.randn(2, DIM, generator=torch.Generator().manual_seed(0))
    vposer = load_published_vposer(next(Path("V02").rglob("*=13.ckpt")))
    with torch.no_grad():
        torch.testing.assert_close(models.get("ffhq").forward(w), published(levels=4)[0].synthesis(w))
        pose = pose_models().get("smpl")
        x = pose.prior.sample(2, torch.Generator().manual_seed(0))
        found, expected = pose.forward(x), vposer.decoder(x)
    torch.testing.assert_close(found.reshape(expected.shape), expected)


def test_its_checkpoints_are_converted_once_and_another_file_by_that_name_is_refused(
    adopting: Path,
    served: list[tuple[Any, ...]],
) -> None:
    started("--settings", adopting)
    before = cards()
    assert before.keys() == {"ffhq/generator", "smpl/vposer"}
    assert "is the task" not in started("--settings", adopting)
    assert cards() == before
    assert len(served) == 2
    Path("g.pt").rename("other.pt")
    adopting.write_text('[adopt]\nffhq = "other.pt"')
    assert "The task 'ffhq' is another one (by others; read from g.pt) than other.pt" in started("--settings", adopting)
    assert cards() == before
    assert len(served) == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('new = "none.pt"', "none.pt"),
        ('new = "ada.pkl"', "convert_weight.py"),
        ('faces = "g.pt"', "There is a generator 'faces' already"),
        ('"../new" = "g.pt"', "../new"),
    ],
)
def test_a_checkpoint_that_cannot_be_converted_is_told_and_nothing_is_served(
    adopting: Path,
    served: list[tuple[Any, ...]],
    line: str,
    sentence: str,
) -> None:
    Path("ada.pkl").write_bytes(b"\x80\x03")
    adopting.write_text(f"[adopt]\n{line}")
    said = started("--settings", adopting)
    assert said.startswith("refused")
    assert sentence in said
    assert not served
    assert cards() == {}
