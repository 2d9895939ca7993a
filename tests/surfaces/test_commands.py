"""`surface` and `complete` from the command line, on the tiny task."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from landscape_core.commands import complete as complete_command
from landscape_core.commands import surface as surface_command
from landscape_core.errors import UserError
from landscape_core.generators import domain
from landscape_core.generators.commands import run as generators
from landscape_core.generators.completion import completion_solver
from landscape_core.generators.run_card import card_target, read_run_card
from landscape_core.images.pixels import to_bytes
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.kinematics import matrix_to_rotvec
from landscape_core.pose.task import load_body, load_pose_task
from landscape_core.search.objectives import PerceptualObjective, Target
from landscape_core.search.summary import replay_sentence
from landscape_core.search.trajectory import run
from landscape_core.surfaces.planes import StoppedError
from landscape_core.surfaces.recovered import load_recovered, save_recovered
from landscape_core.surfaces.views import recovered_planes
from tests.tiny.models import tiny_task


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    task = tiny_task()
    with torch.no_grad():
        drawn = to_bytes(task.forward(task.prior.sample(1, torch.Generator().manual_seed(1))))[0]
    Image.fromarray(drawn.permute(1, 2, 0).numpy()).save(tmp_path / "face.png")
    return tmp_path / "face.png"


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (generators, domain):
        monkeypatch.setattr(module, "load_image_task", lambda name, perceptual, device: tiny_task(name))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def invoke(command: Callable[..., None], *arguments: object) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_surface_writes_page_picture_and_numbers(picture: Path, tmp_path: Path) -> None:
    common = ("--out", tmp_path / "out", "--size", 5, "--steps", 3, "--cache", tmp_path / "cache")
    said = invoke(surface_command.surface, picture, "--kind", "path", *common)
    content = json.loads((tmp_path / "out" / "face-path.json").read_text())
    assert [surface["space"] for surface in content["surfaces"]] == ["X", "residual"]
    assert (tmp_path / "out" / "face-path.html").read_text().startswith("<!doctype html>")
    assert pixels(tmp_path / "out" / "face-path.png").shape[1] > 1000
    assert "local minima" in said
    assert len(list((tmp_path / "cache").iterdir())) == 2
    invoke(surface_command.surface, picture, "--kind", "path", *common)
    assert len(list((tmp_path / "cache").iterdir())) == 2
    again = json.loads((tmp_path / "out" / "face-path.json").read_text())
    assert [surface["losses"] for surface in again["surfaces"]] == [surface["losses"] for surface in content["surfaces"]]


def test_a_hessian_plane_and_a_cut_are_written_with_their_settings(picture: Path, tmp_path: Path) -> None:
    common = (picture, "--space", "paper", "--out", tmp_path, "--size", 5, "--steps", 3)
    said = invoke(surface_command.surface, *common, "--kind", "hessian", "--at-step", 1, "--own-scale")
    content = json.loads((tmp_path / "face-hessian.json").read_text())
    assert content["settings"]["Hessian at step"] == 1
    assert [len(each["curvature"]) for each in content["surfaces"]] == [2, 2]
    assert "the loss curves by" in said
    with pytest.raises(UserError, match="no step 4"):
        invoke(surface_command.surface, *common, "--kind", "hessian", "--at-step", 4)
    said = invoke(surface_command.surface, *common, "--kind", "cut")
    assert "apart in X" in said
    cut = json.loads((tmp_path / "face-cut.json").read_text())["cut"]
    assert len(cut["losses"]) == 9
    for name in ("face-hessian", "face-cut"):
        assert {path.suffix for path in tmp_path.glob(f"{name}.*")} == {".json", ".html", ".png", ".npz", ".csv"}
        assert "# task: faces" in (tmp_path / f"{name}.csv").read_text()


def test_the_papers_plane_comes_from_the_targets_given(picture: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "targets"
    pictures.mkdir()
    for index in range(4):
        noise = np.random.default_rng(index).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(pictures / f"{index}.png")
    arguments = (picture, "--out", tmp_path / "out", "--size", 5, "--steps", 2, "--targets", pictures, "--number", 4)
    assert "No directions" not in invoke(surface_command.surface, *arguments)
    content = json.loads((tmp_path / "out" / "face-recovered.json").read_text())
    assert all(0 < sum(surface["explained_variance"]) <= 1.0 for surface in content["surfaces"])


def test_poses_have_surfaces_too(tmp_path: Path) -> None:
    poses, body = load_pose_task(), load_body()
    rotvec = matrix_to_rotvec(poses.sampled(2, torch.Generator().manual_seed(0)).value)
    (tmp_path / "walk.bvh").write_text(bvh_text(body.skeleton, rotvec))
    common = ("--task", "pose-positions", "--kind", "path", "--size", 5, "--steps", 3, "--out", tmp_path / "out")
    invoke(surface_command.surface, tmp_path / "walk.bvh", "--frame", 1, *common)
    content = json.loads((tmp_path / "out" / "walk-path.json").read_text())
    task = load_pose_task("positions")
    start = task.objective.bind(load_body("positions").target(rotvec[1:]))(task.forward(task.prior.mean[None]))
    assert content["surfaces"][0]["paths"]["X"]["true_loss"][0] == pytest.approx(float(start), rel=1e-3)
    with pytest.raises(UserError, match="frame"):
        invoke(surface_command.surface, tmp_path / "walk.bvh", "--frame", 2, *common)


def test_a_map_names_the_joints_of_a_motion(tmp_path: Path) -> None:
    skeleton = load_body().skeleton
    text = bvh_text(skeleton, matrix_to_rotvec(load_pose_task().sampled(2, torch.Generator().manual_seed(0)).value))
    for number, joint in enumerate(skeleton.names):
        text = text.replace(f"JOINT {joint}\n", f"JOINT Knochen{number}q\n")
    (tmp_path / "walk.bvh").write_text(text)
    common = ("--task", "pose-positions", "--kind", "path", "--size", 5, "--steps", 3, "--out", tmp_path / "out")
    with pytest.raises(UserError):
        invoke(surface_command.surface, tmp_path / "walk.bvh", "--frame", 1, *common)
    names = {joint: f"Knochen{number}q" for number, joint in enumerate(skeleton.names)}
    (tmp_path / "map.json").write_text(json.dumps(names))
    invoke(surface_command.surface, tmp_path / "walk.bvh", "--frame", 1, "--map", tmp_path / "map.json", *common)
    assert (tmp_path / "out" / "walk-path.json").exists()


def test_bad_options_are_sentences(picture: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="odd"):
        invoke(surface_command.surface, picture, "--size", 10)
    with pytest.raises(UserError, match="There is no file"):
        invoke(complete_command.complete, picture, "--mask", tmp_path / "absent.png")


@pytest.mark.parametrize("paste", ["--paste", "--whole"])
def test_complete_writes_sheet_pictures_and_numbers(picture: Path, tmp_path: Path, paste: str) -> None:
    arguments = (picture, "--mask", "left-half", "-k", 3, "--steps", 2, "--out", tmp_path / "out", paste)
    said = invoke(complete_command.complete, *arguments)
    folder = tmp_path / "out" / "face"
    content = json.loads((folder / "completions.json").read_text())
    assert set(content["spaces"]) == {"X", "Z"}
    assert content["spaces"]["Z"]["losses"] == sorted(content["spaces"]["Z"]["losses"])
    assert pixels(folder / "sheet.png").shape == (2 * 64, 4 * 64, 3)
    assert len(list(folder.glob("[XZ]-*.png"))) == 6
    assert "diversity" in said
    completed, original = (pixels(path) for path in (folder / "Z-01.png", picture))
    difference = np.abs(completed - original)[:, 32:].max()
    assert difference == 0 if paste == "--paste" else difference > 0


def test_the_card_of_complete_repeats_its_losses(picture: Path, tmp_path: Path) -> None:
    invoke(complete_command.complete, picture, "--mask", "mouth", "-k", 3, "--steps", 2, "--seed", 6, "--out", tmp_path)
    card = read_run_card((tmp_path / "face" / "run.json").read_text())
    target = card_target(card, 64)
    assert target.mask is not None
    assert card.k == 3
    solver, starts = completion_solver(tiny_task(), target, card.k, card.settings)
    assert replay_sentence(card.result, run(solver, starts)).startswith("This repeats")


@pytest.mark.parametrize(
    ("command", "more"), [(complete_command.complete, ("--mask", "eyes", "-k", 2)), (surface_command.surface, ())]
)
def test_a_face_is_looked_for_only_where_faces_were_learned(
    command: Callable[..., None], more: tuple[object, ...], picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = (picture, *more, "--steps", 2, "--out", tmp_path)
    if command is surface_command.surface:
        common = (*common, "--kind", "path", "--size", 5)
    assert "No face was found" in invoke(command, *common)
    monkeypatch.setattr("landscape_core.images.faces.find_faces", None)  # calling it would fail
    assert "No face" not in invoke(command, *common, "--task", "cats")


def test_complete_takes_a_painted_mask(picture: Path, tmp_path: Path) -> None:
    paint = np.zeros((64, 64), np.uint8)
    paint[:32] = 255
    Image.fromarray(paint).save(tmp_path / "mask.png")
    invoke(complete_command.complete, picture, "--mask", tmp_path / "mask.png", "-k", 2, "--steps", 1, "--out", tmp_path)
    masked = pixels(tmp_path / "face" / "sheet.png")[:64, :64]
    assert masked[:32].std() == 0
    assert masked[32:].std() > 0


def test_options_that_would_do_nothing_are_refused(picture: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--kind hessian"):
        invoke(surface_command.surface, picture, "--kind", "path", "--at-step", 1)
    with pytest.raises(UserError, match="--kind recovered"):
        invoke(surface_command.surface, picture, "--kind", "path", "--targets", tmp_path)
    (tmp_path / "walk.bvh").write_text(bvh_text(load_body().skeleton, torch.zeros(1, 20, 3), 25.0))
    with pytest.raises(UserError, match="pose is not searched on pictures"):
        invoke(surface_command.surface, tmp_path / "walk.bvh", "--task", "pose", "--targets", tmp_path)


def test_recovering_can_be_stopped_and_goes_by_the_races_optimisers(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def recovered(*_: object, optimizers: object, stop: Callable[[], bool], **__: object) -> None:
        asked.append((optimizers, stop()))
        raise StoppedError("the targets of the paper's plane were recovered")

    monkeypatch.setattr(surface_command, "recovered_planes", recovered)
    app = typer.Typer()
    app.command()(surface_command.surface)
    words = ["--space", "paper", "--optimizer", "adam", "--x-lr", "0.1", "--z-lr", "0.2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, [str(picture), *words])
    assert result.exit_code == 130
    assert "Stopped before the targets of the paper's plane were recovered" in result.output
    (((x, z), stopped),) = asked
    assert ((x.name, x.lr), (z.name, z.lr), stopped) == (("adam", 0.1), ("adam", 0.2), False)


def test_embedded_directions_come_back_for_the_same_models_only(tmp_path: Path) -> None:
    task = tiny_task()
    assert isinstance(task.objective, PerceptualObjective)
    with torch.no_grad():
        targets = Target(task.forward(task.prior.sample(4, torch.Generator().manual_seed(0))))
    planes = recovered_planes(task, "residual", targets, steps=2)
    save_recovered(
        task, planes, n=4, steps=2, trained_on="test", licence="none", command="test", seed=0, assets=tmp_path
    )  # fmt: skip
    again = load_recovered(task, "residual", tmp_path)
    assert again is not None
    for space, plane in planes.items():
        assert torch.equal(again[space].axes, plane.axes)
        assert again[space].explained == pytest.approx(plane.explained)
    assert load_recovered(task, "paper", tmp_path) is None
    assert load_recovered(replace(task, hashes={"faces/generator": "1" * 64}), "residual", tmp_path) is None
    other_theta = replace(task, hashes={**task.hashes, "faces/theta-paper": "1" * 64})
    assert load_recovered(other_theta, "residual", tmp_path) is not None


def test_an_unknown_task_is_told_which_there_are(picture: Path) -> None:
    with pytest.raises(UserError, match=r"no task 'dogs'; there are: faces, .*pose, pose-positions, .*\.$"):
        invoke(surface_command.surface, picture, "--task", "dogs")
