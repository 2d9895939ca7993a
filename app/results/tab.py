"""The Results tab: what was measured, and the models it was measured on. From results/*.json and the cards, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from jinja2 import Environment, FileSystemLoader

from app.views.page import Page
from app.views.view import APP, ROUTE
from landscape_core.storage import zoo
from landscape_core.storage.zoo import RESULTS

NAME = "Results"
ADDRESS = f"{ROUTE}-results"


def build(page: Page, folder: Path = RESULTS, assets: Path = zoo.ASSETS) -> None:
    """Lay the tab out inside the current container."""
    gr.HTML(results_page(folder, assets), elem_id="results")


def results_page(folder: Path, assets: Path) -> str:
    """Experiments and models as HTML; every text from a file is escaped."""
    templates = Environment(loader=FileSystemLoader(APP / "results"), autoescape=True)
    templates.filters.update(figure=figure, interval=interval, cost=cost)
    return templates.get_template("results.jinja").render(
        experiments=[_experiment(path) for path in sorted(folder.glob("*.json"))],
        cards=[zoo.read_card(name, assets) for name in zoo.names(assets)],
        address=ADDRESS,
    )


def _experiment(path: Path) -> dict[str, Any]:
    plot = path.with_suffix(".png")
    return {**json.loads(path.read_text()), "plot": plot.name if plot.exists() else None}


def figure(value: float | None) -> str:
    """Three significant digits with a true minus sign; – where the value was not finite."""
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def interval(ends: list[float | None] | None) -> str:
    """ " [low, high]", or nothing where there is none."""
    return "" if ends is None or None in ends else f" [{figure(ends[0])}, {figure(ends[1])}]"


def cost(budget: Mapping[str, Any]) -> str:
    """The seconds on a card as minutes, and the hardware."""
    seconds = budget.get("seconds")
    total = sum(seconds.values()) if isinstance(seconds, Mapping) else seconds
    time = [f"{total / 60:.0f} min" if total >= 90 else f"{total:.0f} s"] if isinstance(total, int | float) else []
    return ", ".join([*time, *([str(budget["hardware"])] if "hardware" in budget else [])]) or "–"
