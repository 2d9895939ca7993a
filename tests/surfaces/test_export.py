"""Panels and files: the numbers are those of the surface, and the files stand alone."""

from __future__ import annotations

import io
import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.trajectory import run
from landscape_core.surfaces.averages import AVERAGED, averages
from landscape_core.surfaces.bench import bench_surfaces
from landscape_core.surfaces.export import loss_range, surface_figure, surface_page, surface_png
from landscape_core.surfaces.panels import Panel, figures, panel, sentences
from landscape_core.surfaces.surface import evaluate
from landscape_core.surfaces.views import views
from tests.tiny.models import tiny_task


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
    page = surface_page(pair, heading="a <b>")
    assert page.startswith("<!doctype html>")
    assert "a &lt;b&gt;" in page
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', page)
    assert "plotly_relayout" in page
    assert sentences(pair[0])[0] in page


def test_averages_stand_on_the_page_and_below_the_picture(pair: list[Panel]) -> None:
    columns = {f"{name} | {lane}": [1.0, 2.0, 3.0] for name in AVERAGED for lane in ("X", "Z")}
    known = averages("a command", columns, {"X": "adam 0.1", "Z": "lbfgs 1"})
    page = surface_page(pair, [known])
    assert "3 examples (a command; X by adam 0.1, Z by lbfgs 1), mean ± standard deviation in X and in Z" in page
    assert "roughness 2 ± 1 and 2 ± 1" in page
    assert "Averages" not in surface_page(pair)
    with Image.open(io.BytesIO(surface_png(pair, [known]))) as told, Image.open(io.BytesIO(surface_png(pair))) as bare:
        lines = [lines_of_text(each) for each in (told, bare)]
    assert lines[0] == lines[1] + 2  # the sentence is too long for one line


def lines_of_text(picture: Image.Image) -> int:
    """Lines at the foot of a picture, up to the first row that reaches higher than a letter."""
    inked = (np.asarray(picture.convert("L")) < 128).any(axis=1)[::-1]
    runs = [(ink, len(list(rows))) for ink, rows in itertools.groupby(inked)]
    text = itertools.takewhile(lambda run: run[1] < 16, runs[1:])
    return sum(bool(ink) for ink, _ in text)


@pytest.mark.parametrize("log", [False, True])
def test_the_png_is_a_picture_of_the_surfaces(pair: list[Panel], log: bool) -> None:
    with Image.open(io.BytesIO(surface_png(pair, log=log))) as image:
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
