"""Panels and files: the numbers are those of the surface, and the files stand alone."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.trajectory import run
from landscape_core.surfaces.averages import AVERAGED, averages
from landscape_core.surfaces.bench import bench_surfaces
from landscape_core.surfaces.data import COLUMNS, surfaces_csv, surfaces_npz
from landscape_core.surfaces.export import surface_figure, surface_page
from landscape_core.surfaces.look import COLOURS, SCALE, draped, loss_range
from landscape_core.surfaces.panels import Panel, figures, panel, sentences
from landscape_core.surfaces.planes import Grid, Plane
from landscape_core.surfaces.png import surface_png
from landscape_core.surfaces.surface import PathOnPlane, Surface, evaluate
from landscape_core.surfaces.views import View, views
from tests.tiny.models import tiny_task

SAID = {"task": "tiny", "steps": 3}
SCREEN = Path(__file__).parents[2] / "app" / "landscape" / "figure.js"


def panels_of(kind: str, size: int = 5) -> list[Panel]:
    task = tiny_task()
    with torch.no_grad():
        target = Target(task.forward(task.prior.sample(1, torch.Generator().manual_seed(1))))
    race = run(*prepare(task, RunSettings.pair(space="paper", steps=3), target))
    found = []
    for view in views(task, race, "paper", kind, size=size):
        *_, surface = evaluate(task, target, view.grid)
        found.append(panel(task, target, view, surface))
    return found


@pytest.fixture(scope="module")
def pair() -> list[Panel]:
    return panels_of("path")


def test_a_panel_measures_its_surface_and_says_so(pair: list[Panel]) -> None:
    for each in pair:
        assert each.measures is not None
        assert each.measures.depth == pytest.approx(float(each.surface.losses.max() - each.surface.losses.min()))
        said = " ".join(sentences(each))
        explained = each.surface.grid.plane.explained
        assert explained is not None
        assert f"{100 * sum(explained):.0f} % of the variance" in said
        assert f"local minima: {each.measures.minima};" in said


def test_figures_are_plain_json_and_complete(pair: list[Panel]) -> None:
    content = json.loads(json.dumps(figures(pair[1])))
    assert content["space"] == "paper"
    assert np.allclose(content["losses"], pair[1].surface.losses)
    path = content["paths"]["Z"]
    assert len(path["coordinates"]) == len(path["distance_from_plane"]) == len(path["true_loss"]) == 4


def test_both_surfaces_share_colours_and_heights(pair: list[Panel]) -> None:
    figure = surface_figure(pair)
    low, high = loss_range(pair)
    assert figure.layout.scene.zaxis.range == figure.layout.scene2.zaxis.range == (low, high)
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (low, high)
    surfaces = [trace for trace in figure.data if trace.type == "surface"]
    assert [trace.coloraxis for trace in surfaces] == ["coloraxis", "coloraxis"]
    u, v, losses = pair[0].drawn
    # Plotly: z[j][i] belongs to (x[i], y[j]).
    assert surfaces[0].z[3][1] == pytest.approx(float(losses[1, 3]))
    assert surfaces[0].x[1] == pytest.approx(float(u[1]))
    assert surfaces[0].y[3] == pytest.approx(float(v[3]))


def test_a_log_axis_is_log_in_height_and_colour(pair: list[Panel]) -> None:
    figure = surface_figure(pair, log=True)
    low, high = loss_range(pair)
    assert figure.layout.scene.zaxis.type == "log"
    assert figure.layout.scene.zaxis.range == pytest.approx((np.log10(low), np.log10(high)))
    assert figure.data[0].surfacecolor[0][0] == pytest.approx(float(pair[0].drawn[2][0, 0].log10()), rel=1e-4)


def test_the_page_stands_alone(pair: list[Panel]) -> None:
    page = surface_page(pair, settings=SAID, heading="a <b>")
    assert page.startswith("<!doctype html>")
    assert "a &lt;b&gt;" in page
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', page)
    assert "plotly_relayout" in page
    assert "<li>task: tiny</li><li>steps: 3</li>" in page
    assert "Solid: the path on the surface" in page
    assert sentences(pair[0])[0] in page
    assert "<h2>X</h2>" in page
    assert "<h2>Z (The paper&#x27;s Θ (MLP))</h2>" in page  # as the forms of the app call it


def test_data_of_a_surface_with_both_paths_is_named_by_both() -> None:
    (shared,) = panels_of("shared")
    assert shared.view.title == "X, shared plane"
    with np.load(io.BytesIO(surfaces_npz([shared], [0, 1, 2, 3], SAID)), allow_pickle=False) as arrays:
        assert {"X and Z/losses", "X and Z/path X/coordinates", "X and Z/path Z/coordinates"} <= set(arrays.files)


def test_averages_stand_on_the_page_and_below_the_picture(pair: list[Panel]) -> None:
    columns = {f"{name} | {lane}": [1.0, 2.0, 3.0] for name in AVERAGED for lane in ("X", "Z")}
    known = averages("a command", columns, {"X": "adam 0.1", "Z": "lbfgs 1"}, steps=50)
    page = surface_page(pair, [known], settings=SAID)
    assert "3 examples after 50 steps (a command; X by adam 0.1, Z by lbfgs 1), mean ± standard deviation in X and in Z" in page
    assert "roughness 2 ± 1 and 2 ± 1" in page
    assert "Averages" not in surface_page(pair, settings=SAID)
    with (
        Image.open(io.BytesIO(surface_png(pair, [known], settings=SAID))) as told,
        Image.open(io.BytesIO(surface_png(pair, settings=SAID))) as bare,
    ):
        lines = [lines_of_text(each) for each in (told, bare)]
    assert lines[0] == lines[1] + 2  # the sentence is too long for one line


def lines_of_text(picture: Image.Image) -> int:
    """Lines at the foot of a picture, up to the first row that reaches higher than a letter."""
    inked = (np.asarray(picture.convert("L")) < 128).any(axis=1)[::-1]
    runs = [(ink, len(list(rows))) for ink, rows in itertools.groupby(inked)]
    text = itertools.takewhile(lambda run: run[1] < 16, runs[1:])
    return sum(bool(ink) for ink, _ in text)


def test_each_surface_can_have_its_own_range(pair: list[Panel]) -> None:
    figure = surface_figure(pair, shared=False)
    for scene, axis, each in ((figure.layout.scene, figure.layout.coloraxis, pair[0]),
                              (figure.layout.scene2, figure.layout.coloraxis2, pair[1])):  # fmt: skip
        assert scene.zaxis.range == (axis.cmin, axis.cmax) == loss_range([each])
    assert [trace.coloraxis for trace in figure.data if trace.type == "surface"] == ["coloraxis", "coloraxis2"]


def test_axes_are_named(pair: list[Panel]) -> None:
    scene = surface_figure(pair).layout.scene
    titles = [axis.title.text for axis in (scene.xaxis, scene.yaxis, scene.zaxis)]
    assert titles == ["path direction 1", "path direction 2", "loss"]


@pytest.mark.parametrize("log", [False, True])
def test_a_path_lies_on_the_drawn_surface_and_its_true_loss_is_a_dotted_line(pair: list[Panel], log: bool) -> None:
    figure = surface_figure(pair[1:], log=log)
    on_surface, true = (trace for trace in figure.data if trace.type == "scatter3d")
    assert (on_surface.line.dash, true.line.dash) == ("solid", "dot")
    path = pair[1].paths["Z"]
    assert np.allclose(true.z, path.true_loss)
    assert np.allclose(on_surface.x[::8], path.coordinates[:, 0])
    # The run's last step is the grid's centre, where the drawn surface is exact.
    assert on_surface.z[-1] == pytest.approx(float(pair[1].surface.losses[2, 2]), rel=1e-5)
    below = {trace.name: trace.line.dash for trace in figure.data if trace.type == "scatter"}
    assert below == {"Z, on the surface": "solid", "Z, true loss": "dot"}


def test_a_draped_path_follows_the_surface_between_its_steps() -> None:
    u = torch.linspace(-1, 1, 41)[:, None].expand(41, 41)
    grid = Grid(Plane(torch.zeros(2), torch.eye(2), "X"), (1.0, 1.0), size=41)
    ridge = Surface(grid, 1 + (1 - u.abs()), torch.ones(41, 41, dtype=torch.bool))
    path = PathOnPlane(torch.tensor([[-0.8, 0.0], [0.8, 0.5]]), torch.zeros(2), torch.ones(2), torch.ones(2))
    points = draped(Panel(View("a ridge", grid, {}, {}), ridge, {"X": path}, None), path, log=False)
    assert points[:, 2].tolist() == pytest.approx((2 - np.abs(points[:, 0])).tolist(), abs=1e-5)
    assert points[:, 2].max() > 1.95  # over the ridge, not through it


def test_the_screen_has_the_colours_of_the_exports() -> None:
    script = SCREEN.read_text()
    assert all(f'"{colour}"' in script for colour in [*SCALE, *COLOURS.values()])


def test_data_holds_every_point_and_the_settings(pair: list[Panel]) -> None:
    with np.load(io.BytesIO(surfaces_npz(pair, [0, 1, 2, 3], SAID)), allow_pickle=False) as arrays:
        assert json.loads(str(arrays["settings"])) == SAID
        assert np.allclose(arrays["Z/losses"], pair[1].surface.losses)
        assert np.allclose(arrays["X/path X/distance"], pair[0].paths["X"].distance)
        at = arrays["X/origin"] + arrays["X/path X/coordinates"] @ arrays["X/axes"]
        assert np.allclose(at[-1], pair[0].view.paths["X"][-1], atol=1e-5)
    settings, rows = surfaces_csv(pair, [0, 1, 2, 3], SAID).split(",".join(COLUMNS) + "\n")
    assert settings == "# task: tiny\n# steps: 3\n"
    table = list(csv.reader(rows.splitlines()))
    assert len(table) == 2 * (5 * 5 + 4)
    first = next(row for row in table if row[:2] == ["Z", "path Z"])
    assert float(first[6]) == pytest.approx(float(pair[1].paths["Z"].true_loss[0]))


@pytest.mark.parametrize("log", [False, True])
def test_the_png_is_a_picture_of_the_surfaces(pair: list[Panel], log: bool) -> None:
    with Image.open(io.BytesIO(surface_png(pair, settings=SAID, log=log))) as image:
        assert image.width > 1000
        assert np.asarray(image.convert("L")).std() > 20


def test_a_shared_view_is_one_surface_with_two_paths() -> None:
    (shared,) = panels_of("shared")
    assert set(shared.paths) == {"X", "Z"}
    lines = [trace for trace in surface_figure([shared]).data if trace.type == "scatter3d"]
    assert len(lines) == 4


def test_nothing_is_drawn_of_a_surface_that_has_no_level() -> None:
    task = tiny_task()
    with torch.no_grad():
        target = Target(task.forward(task.prior.mean[None]))
    race = run(*prepare(task, RunSettings.pair(space="paper", steps=3), target))
    view = views(task, race, "paper", "path", size=11)[0]
    blank = next(evaluate(task, target, view.grid))
    each = panel(task, target, view, blank)
    assert each.measures is None
    with pytest.raises(ValueError, match="no level"):
        surface_figure([each])


def test_the_benchmark_compares_every_point_with_itself() -> None:
    task, seen = tiny_task(), 0

    class Counting(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            nonlocal seen
            seen += len(x)
            return task.forward(x)

    cost = bench_surfaces(replace(task, forward=Counting()), space="paper", size=21, batch=64)
    assert cost.points == 2 * 21 * 21
    assert seen == 3 * cost.points + 2 * 64 + 1  # the surfaces, twice bare, the warm-ups and the target
    assert 0 < cost.coarse_seconds < cost.seconds
    assert cost.ratio == cost.seconds / cost.bare_seconds
    assert cost.ratio_forward == cost.seconds / cost.bare_forward_seconds
