"""The command line: help that explains itself, mistakes as sentences, and commands that do what they say."""

from __future__ import annotations

import json
import os
import re
import signal
import zipfile
from pathlib import Path

import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from landscape_core import cli, console, options
from landscape_core.console import command_line
from landscape_core.errors import UserError
from landscape_core.generators import domain
from landscape_core.generators.commands import reproduce
from landscape_core.generators.commands import run as complete
from landscape_core.generators.run_card import card_target, read_run_card
from landscape_core.generators.training.autoencoder import AutoencoderTrainer
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import prepare
from landscape_core.search.trajectory import run
from tests.tiny.exports import FILES
from tests.tiny.models import tiny_task

runner = CliRunner()
COMMANDS = [
    [], ["invert"], ["restore"], ["complete"], ["surface"], ["bench"], ["models"], ["serve"], ["train"], ["train", "generator"],
    ["train", "mapping"], ["reproduce"], ["reproduce", "convergence"], ["reproduce", "landscapes"],
    ["reproduce", "completions"], ["reproduce", "ablation"], ["reproduce", "z-dimension"], ["reproduce", "features"],
    ["reproduce", "w-plus"], ["sheets"], ["reproduce", "pose"], ["reproduce", "pose-completions"], ["reproduce", "report"],
    ["reproduce", "restore"], ["reproduce", "editing"],
]  # fmt: skip


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (complete, domain, reproduce):
        monkeypatch.setattr(module, "load_image_task", lambda name, perceptual="lpips", device="cpu": tiny_task(name))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = runner.invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.usefixtures("tiny")
def test_invert_writes_a_run_that_replays(tmp_path: Path) -> None:
    picture = tmp_path / "grey.png"
    Image.new("RGB", (90, 70), (120, 130, 140)).save(picture)
    result = runner.invoke(
        cli.app, ["invert", str(picture), "--out", str(tmp_path / "runs"), "--steps", "6", "--start", "random", "--seed", "4"]
    )
    assert result.exit_code == 0, result.output
    assert "grey.png: No face was found" in result.output
    with zipfile.ZipFile(tmp_path / "runs/grey.zip") as archive:
        assert set(archive.namelist()) == FILES
        card = read_run_card(archive.read("run.json").decode())
        rows = archive.read("measures.csv").decode().splitlines()
    assert card.settings.seed == 4
    assert len(rows) == 1 + 2 * 7
    trajectory = run(*prepare(tiny_task(), card.settings, card_target(card, 64)))
    recorded = [float(row.split(",")[2]) for row in rows[1:] if row.split(",")[1] == "Z"]
    assert recorded == pytest.approx(trajectory.lane("Z").loss_table()[:, 0].tolist(), abs=1e-7)


@pytest.mark.usefixtures("tiny")
def test_invert_keeps_near_to_the_prior_where_it_is_told_to_and_replays_that(tmp_path: Path) -> None:
    picture = tmp_path / "grey.png"
    Image.new("RGB", (64, 64), (120, 130, 140)).save(picture)
    found = []
    for weight in ("0", "0.5"):
        out = tmp_path / weight
        words = ["--task", "cats", "--steps", "4", "--prior-weight", weight, "--out", str(out)]
        result = runner.invoke(cli.app, ["invert", str(picture), *words])
        assert result.exit_code == 0, result.output
        with zipfile.ZipFile(out / "grey.zip") as archive:
            found.append((read_run_card(archive.read("run.json").decode()), archive.read("measures.csv")))
    assert [card.settings.prior_weight for card, _ in found] == [0.0, 0.5]
    assert found[0][1] != found[1][1]
    replayed = runner.invoke(cli.app, ["replay", str(tmp_path / "0.5/grey.zip")])
    assert "repeats the card's run exactly" in replayed.output


@pytest.mark.usefixtures("tiny")
def test_reproduce_convergence_takes_anybodys_pictures(tmp_path: Path) -> None:
    for index in range(3):
        folder = tmp_path / "train" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), (40 * index, 100, 200)).save(folder / f"{index}.png")
    data = tmp_path / "data"
    data.mkdir()
    with zipfile.ZipFile(data / "faces128.zip", "w") as archive:
        for path in (tmp_path / "train/train").glob("*.png"):
            archive.write(path, f"train/{path.name}")
    arguments = [
        "--data",
        str(data),
        "--images",
        str(tmp_path / "train"),
        "--targets",
        "3",
        "--steps",
        "3",
        "--out",
        str(tmp_path / "r"),
        "--tune-targets",
        "1",
        "--work",
        str(tmp_path / "w"),
    ]
    result = runner.invoke(cli.app, ["reproduce", "convergence", *arguments])
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "r/convergence.json").read_text())
    assert content["n"] == {"images": 3}
    assert len(content["series"]["Z L-BFGS | images"]) == 4
    assert (tmp_path / "r/convergence.png").exists()


@pytest.mark.usefixtures("tiny")
def test_bench_prints_ratios() -> None:
    result = runner.invoke(cli.app, ["bench", "--rounds", "5", "--size", "5"])
    assert result.exit_code == 0, result.output
    assert result.output.count("race is") == result.output.count("surfaces are") == 2
    assert "5 x 5 surfaces" in result.output
    with pytest.raises(UserError, match="odd"):
        runner.invoke(cli.app, ["bench", "--size", "10"], catch_exceptions=False)


def test_mistakes_are_one_sentence_and_exit_code_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["landscape_core", "models", "no/such"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert "no model 'no/such'" in error
    assert "Traceback" not in error


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--x-lr", "0"], "X learning rate: it must be more than 0, not 0.0."),
        (["--optimizer", "adam", "--x-lr", "0"], "X learning rate: it must be more than 0, not 0.0."),
        (["--z-lr", "-1"], "residual learning rate: it must be more than 0, not -1.0."),
        (["--x-lr", "nan"], "X learning rate: a number is needed, not nan."),
        (["--x-lr", "1e9"], "X learning rate: it must be at most 1000, not 1000000000.0."),
        (["--optimizer", "lbfgs", "--x-first-move", "0"], "X first move: it must be more than 0, not 0.0."),
        (["--optimizer", "lbfgs", "--z-history", "1000"], "residual history: it must be at most 200, not 1000."),
        (["--optimizer", "adam", "--x-first-move", "4"], "Only L-BFGS has a first move; X is searched by adam."),
        (["--optimizer", "levenberg-marquardt"], "Levenberg-Marquardt needs a loss that is a sum of squares"),
    ],
)
def test_optimiser_options_that_make_no_sense_are_refused_in_a_sentence(
    tmp_path: Path, options: list[str], sentence: str
) -> None:
    picture = tmp_path / "grey.png"
    Image.new("RGB", (64, 64), (120, 130, 140)).save(picture)
    with pytest.raises(UserError) as refused:
        runner.invoke(cli.app, ["invert", str(picture), "--out", str(tmp_path / "r"), *options], catch_exceptions=False)
    assert str(refused.value).startswith(sentence)


@pytest.mark.usefixtures("tiny")
def test_optimiser_options_are_on_the_card(tmp_path: Path) -> None:
    picture = tmp_path / "grey.png"
    Image.new("RGB", (64, 64), (120, 130, 140)).save(picture)
    options = ["--x-first-move", "4", "--x-lr", "0.5", "--z-history", "7", "--steps", "2", "--optimizer", "lbfgs"]
    result = runner.invoke(cli.app, ["invert", str(picture), "--out", str(tmp_path), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "grey.zip") as archive:
        settings = read_run_card(archive.read("run.json").decode()).settings
    assert settings.lanes[0].optimizer.model_dump() == {"name": "lbfgs", "lr": 0.5, "first_move": 4.0, "history": 100}
    assert settings.lanes[1].optimizer.model_dump() == {"name": "lbfgs", "lr": 1.0, "first_move": 1.0, "history": 7}


def test_settings_refused_anywhere_are_a_sentence_and_exit_code_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "app", lambda: OptimizerSettings(lr=-1.0))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err.strip() == "learning rate: it must be more than 0, not -1.0."


def test_a_recorded_command_leaves_out_where_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ["landscape_core", "train", "mapping", "--work", "/tmp/w", "--data", "my faces.zip", "--out=/tmp/o", "--seed", "3"]
    monkeypatch.setattr("sys.argv", typed)
    assert command_line() == "python -m landscape_core train mapping --data 'my faces.zip' --seed 3"


def test_threads_are_set() -> None:
    console.apply_threads(1)
    assert torch.get_num_threads() == 1


def test_a_device_that_is_not_there_is_a_sentence() -> None:
    from landscape_core.search.device import check_device

    assert check_device("cpu").type == "cpu"
    for name in ("cuda:99", "toaster", "meta", ""):
        with pytest.raises(UserError, match="cannot compute on this machine, while cpu always can"):
            check_device(name)


def test_boxes_are_read_or_refused() -> None:
    assert options.parse_box("0,7,64,59") == (0, 7, 64, 59)
    assert options.parse_box(None) is None
    for wrong in ("1,2,3", "a,b,c,d", "5,0,5,9", "-1,0,4,4"):
        with pytest.raises(UserError, match="--box"):
            options.parse_box(wrong)


def test_a_bar_stops_at_the_first_interrupt_and_quits_at_the_second() -> None:
    with console.Bar("test") as bar:
        assert bar(1, 3, {"loss": 0.5}) is False
        bar._ask_to_stop()
        assert bar(2, 3, {}) is True
        with pytest.raises(KeyboardInterrupt):
            bar._ask_to_stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wish_to_stop_outlives_the_stage_and_is_the_exit_code(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with console.Stopping() as stop:
        first = stop.bar("first stage")
        assert first(1, 1, {"loss": 0.5}) is False
        os.kill(os.getpid(), number)  # between two stages
        assert stop.bar("second stage")(1, 9, {}) is True
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
    with pytest.raises(typer.Exit) as left:
        stop.leave_if_asked("everything so far is in work.")
    assert left.value.exit_code == 130


def test_without_a_wish_to_stop_one_goes_on() -> None:
    with console.Stopping() as stop:
        assert stop.bar("stage")(1, 2, {}) is False
    stop.leave_if_asked("nothing.")


@pytest.mark.usefixtures("no_lpips")
def test_ctrl_c_between_two_stages_stops_the_training_and_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = AutoencoderTrainer.finish

    def interrupted(trainer: AutoencoderTrainer) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return finish(trainer)

    monkeypatch.setattr(AutoencoderTrainer, "finish", interrupted)
    (tmp_path / "data").mkdir()
    for i in range(4):
        Image.new("RGB", (64, 64), (60 * i, 100, 200)).save(tmp_path / "data" / f"{i}.png")
    folders = ["--data", str(tmp_path / "data"), "--work", str(tmp_path / "work"), "--assets", str(tmp_path / "assets")]
    command = ["train", "generator", *folders, "--recipe", "smoke", "--domain", "toys"]
    stopped = CliRunner().invoke(cli.app, command)
    assert stopped.exit_code == 130, stopped.output
    assert "everything so far is in" in stopped.output
    assert not (tmp_path / "assets").exists()
    monkeypatch.setattr(AutoencoderTrainer, "finish", finish)
    assert CliRunner().invoke(cli.app, command, catch_exceptions=False).exit_code == 0
    assert (tmp_path / "assets" / "toys" / "generator").is_dir()


@pytest.mark.parametrize("domain", ["", "../../evil", "a\nb"])
def test_a_domain_that_cannot_be_a_name_is_refused_before_anything_is_read(tmp_path: Path, domain: str) -> None:
    for command in ("generator", "mapping"):
        result = CliRunner().invoke(cli.app, ["train", command, "--data", str(tmp_path), "--domain", domain])
        assert isinstance(result.exception, UserError)
        assert re.search("cannot name a model|There is no task", str(result.exception))
