"""What a command line does with what users do: distinct files, the rest goes on, exit codes, and never a traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from landscape_core import cli, console
from landscape_core.commands import invert
from landscape_core.generators import domain as generators
from landscape_core.generators.commands import run as complete
from landscape_core.records.run_zip import export_zip
from landscape_core.search.solver import State
from landscape_core.search.trajectory import states
from tests.tiny.models import tiny_task


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (complete, generators):
        monkeypatch.setattr(module, "load_image_task", lambda name, perceptual="lpips", device="cpu": tiny_task(name))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a command line as the shell would: its exit code, and all it printed."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["landscape_core", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return int(leaving.value.code or 0), printed.out + printed.err

    return run


def pictures(folder: Path, *names: str) -> list[Path]:
    for index, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (70, 70), (40 * index, 90, 120)).save(folder / name)
    return [folder / name for name in names]


@pytest.mark.usefixtures("tiny")
def test_pictures_of_one_name_become_distinct_files(command: Callable, tmp_path: Path) -> None:
    three, out = pictures(tmp_path, "a.png", "a.jpg", "sub/a.png"), tmp_path / "out"
    assert command("invert", *three, "--steps", 1, "--out", out)[0] == 0
    assert sorted(path.name for path in out.iterdir()) == ["a-2.zip", "a-3.zip", "a.zip"]
    targets = {json.loads(zipfile.ZipFile(path).read("run.json"))["target_png"] for path in out.iterdir()}
    assert len(targets) == 3
    code, said = command("invert", three[0], "--steps", 1, "--out", out)
    assert (code, "a-4.zip" in said) == (0, True)
    for number in ("", "-2"):
        assert command("complete", three[0], "--mask", "eyes", "--steps", 1, "-k", 2, "--out", out)[0] == 0
        assert (out / f"a{number}" / "run.json").exists()


@pytest.mark.usefixtures("tiny")
def test_a_folder_stands_for_its_pictures(command: Callable, tmp_path: Path) -> None:
    pictures(tmp_path / "in", "b.png", "sub/a.png")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    assert command("invert", tmp_path / "in", "--steps", 1, "--out", tmp_path / "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.zip", "b.zip"]
    (tmp_path / "empty").mkdir()
    code, said = command("invert", tmp_path / "empty", "--out", tmp_path / "out")
    assert (code, "There is no picture in the folder" in said) == (1, True)


@pytest.mark.usefixtures("tiny")
def test_one_bad_picture_does_not_stop_the_rest(command: Callable, tmp_path: Path) -> None:
    good, better = pictures(tmp_path, "good.png", "better.png")
    (tmp_path / "bad.png").write_text("no picture")
    four = (good, tmp_path / "bad.png", tmp_path / "absent.png", better)
    code, said = command("invert", *four, "--steps", 1, "--out", tmp_path / "o")
    assert code == 1
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["better.zip", "good.zip"]
    assert "bad.png is not a picture that can be read" in said
    assert f"Not done: {tmp_path}/bad.png, {tmp_path}/absent.png." in said


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_is_done_and_begins_no_further_picture(
    command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def interrupted(*arguments: object, **more: object):
        for state in states(*arguments, **more):  # type: ignore[arg-type]
            assert isinstance(state, State)
            if state.step == 2:
                os.kill(os.getpid(), number)
            yield state

    monkeypatch.setattr(console, "states", interrupted)
    two = pictures(tmp_path, "a.png", "b.png")
    code, said = command("invert", *two, "--steps", 50, "--out", tmp_path / "out")
    assert code == 130
    assert "Stopping after this update" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.zip"]
    with zipfile.ZipFile(tmp_path / "out/a.zip") as archive:
        assert json.loads(archive.read("run.json"))["result"]["step"] == 2


def test_an_interrupt_elsewhere_is_exit_code_130(command: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generators, "load_image_task", stopped)
    assert command("invert", *pictures(tmp_path, "a.png"), "--out", tmp_path / "out")[0] == 130


@pytest.mark.usefixtures("tiny")
def test_a_full_disk_is_a_sentence_and_harms_no_file(
    command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (picture,), out = pictures(tmp_path, "a.png"), tmp_path / "out"
    command("invert", picture, "--steps", 1, "--out", out)
    before = (out / "a.zip").read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    code, said = command("invert", picture, "--steps", 1, "--out", out)
    assert (code, "cannot be written: no space left on device" in said) == (1, True)
    assert [path.name for path in out.iterdir()] == ["a.zip"]
    assert (out / "a.zip").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["invert", "PICTURE", "--out", "FILE"], "cannot be a folder: FILE is a file"),
        (["invert", "PICTURE", "--out", "FILE/below"], "FILE/below"),
        (["complete", "PICTURE", "--mask", "eyes", "--out", "FILE"], "FILE is a file"),
        (["pose", "a.bvh", "--out", "FILE"], "FILE is a file"),
        (["attack", "PICTURE", "--out", "FILE"], "FILE is a file"),
        (["train", "mapping", "--data", "PICTURE", "--work", "FILE"], "FILE is a file"),
        (["train", "generator", "--data", "PICTURE", "--assets", "FILE"], "FILE is a file"),
        (["train", "classifier", "--cifar", "PICTURE", "--work", "FILE"], "FILE is a file"),
        (["train", "pose-mapping", "--assets", "FILE"], "FILE is a file"),
        (["train", "contrastive", "--work", "FILE"], "FILE is a file"),
        (["reproduce", "ablation", "--work", "FILE"], "FILE is a file"),
        (["invert", "PICTURE", "--threads", "100000"], "threads"),
        (["invert", "PICTURE", "--device", "meta"], "The device 'meta' cannot compute"),
        (["invert", "PICTURE", "--space", "X"], "Z searches a learned space, not X itself"),
        (["invert", "PICTURE", "--no-such-option"], "No such option"),
        (["train", "generator", "--data", "PICTURE", "--domain", "../../evil"], "cannot name a model"),
        (["train", "mapping", "--data", "PICTURE", "--domain", ""], "There is no task ''"),
        (["no-such-command"], "No such command"),
        (["attack", "PICTURE", "--mean", "0.5,0.5,0.5"], "belong to --checkpoint"),
        (["attack", "PICTURE", "--mean", "grey"], "needs three numbers"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    command: Callable, tmp_path: Path, arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(invert, "prepare", lambda *_: pytest.fail("computed"))
    (picture,), file = pictures(tmp_path, "a.png"), tmp_path / "file"
    file.touch()
    words = [word.replace("FILE", str(file)).replace("PICTURE", str(picture)) for word in arguments]
    code, said = command(*words)
    assert code == 1
    assert sentence.replace("FILE", str(file)) in said
    assert file.read_bytes() == b""


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("rate", ["0", "-1", "nan", "1e9", "inf"])
def test_rates_out_of_range_are_a_sentence(command: Callable, tmp_path: Path, rate: str) -> None:
    (picture,) = pictures(tmp_path, "a.png")
    for more in (("invert", "--x-lr"), ("invert", "--optimizer", "adam", "--x-lr"), ("complete", "--mask", "eyes", "--z-lr")):
        code, said = command(more[0], picture, *more[1:], rate, "--out", tmp_path / "out")
        assert (code, "learning rate" in said) == (1, True)
        assert not (tmp_path / "out").exists()


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.zip").write_bytes(b"the earlier one")
    with pytest.raises(AttributeError):
        export_zip(tmp_path / "run.zip", None, None, [], None, None)  # type: ignore[arg-type]
    assert (tmp_path / "run.zip").read_bytes() == b"the earlier one"
