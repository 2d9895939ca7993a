"""The Results tab: plain answers, what was measured, and the models it was measured on. From files, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from jinja2 import Environment, FileSystemLoader

from app.optional import left_out
from app.results.charts import marks, panels
from app.results.replay import replay_of
from app.views.page import Page
from app.views.view import APP, ROUTE
from landscape_core.experiments.answers import answers
from landscape_core.experiments.report import EARLIER, outdated
from landscape_core.experiments.results import bracketed, figure, read_result
from landscape_core.storage import zoo
from landscape_core.storage.zoo import RESULTS

NAME = "Results"
ADDRESS = f"{ROUTE}-results"
OPENS_TABLES = f"import(new URL('{ROUTE}/results/results.js', document.baseURI)).then(module => module.mount(element));"
# What is known of by more than its command's name, in the order it is shown in; others follow by name.
TITLES = {
    "convergence": "Faces, recovered step by step",
    "convergence-cats": "Cats, recovered step by step",
    "converged": "Faces, until nothing changes",
    "why": "Why Z is faster, on faces",
    "why-pose": "Why Z is faster, on poses",
    "em": "Both steps of Algorithm 1, on faces",
    "em-pose": "Both steps of Algorithm 1, on poses",
    "em-pose-paper": "Both steps of Algorithm 1, the paper's Θ on poses",
    "spectrum": "Ever farther pictures",
    "noise": "Ever noisier pictures",
    "noise-only": "A Θ that saw noise alone",
    "cost": "What a Θ costs, in pictures",
    "fragile": "Rates, restarts, inputs found again",
    "weighting": "The squared error's weight",
    "budget": "Every method at equal cost",
    "ablation": "What the lead is made of",
    "z-dimension": "How wide Z is",
    "w-plus": "W+ against W",
    "completions-x-lbfgs": "Completions, both by L-BFGS",
    "completions": "Completions, each by its own optimiser",
    "pose": "Poses from rotations, step by step",
    "pose-positions": "Poses from 3D positions, step by step",
    "pose-completions": "Hypotheses of hidden joints",
    "landscapes": "Landscapes of faces",
    "landscapes-x-lbfgs": "Landscapes of faces, both by L-BFGS",
    "landscapes-cats": "Landscapes of cats",
    "landscapes-pose": "Landscapes of poses, rotations",
    "landscapes-pose-positions": "Landscapes of poses, 3D positions",
    "playground": "F's of two inputs",
    "defence-ro": "Defence of the RO classifier",
    "defence-mart": "Defence of the MART classifier",
    "features": "Robust features against plain ones",
    "features-table": "What decoders give back of features",
    "features-inversion": "Pictures from features: decoder against descent",
    "features-inversion-robust-stage3": "The same of less deep features",
    "features-resolution": "The same decoders on larger pictures",
    "features-denoise": "Noise, by decoders that never saw it and ones that did",
    "features-style": "Another's style, by decoders",
    "features-anomaly": "What does not belong, by a decoder a class",
    "features-ablation": "What each loss of a decoder does",
    "features-sweet-spot": "How robust a network is best given back",
    "features-sweet-spot-vgg": "The same of a second architecture",
    "restore": "Blur, noise and fewer pixels undone",
    "restore-200": "The same after two hundred steps",
    "restore-observed": "A Θ that learned on what is seen through blur, noise and masks",
    "editing": "Edits of what X and Z found",
    "follow": "Clips of poses, frame by frame",
    "follow-positions": "Clips of poses from 3D positions, frame by frame",
    "plugins": "Networks of one's own",
}


def build(page: Page, folder: Path = RESULTS, assets: Path = zoo.ASSETS) -> None:
    """Lay the tab out inside the current container."""
    gr.HTML(results_page(folder, assets), elem_id="results", js_on_load=OPENS_TABLES)
    page.opens(NAME, lambda *_: {}, [])


def results_page(folder: Path, assets: Path) -> str:
    """Answers, experiments and models as HTML; every text from a file is escaped. A file that is bad is left out by name."""
    templates = Environment(loader=FileSystemLoader(APP / "results"), autoescape=True)
    templates.filters.update(figure=figure, interval=bracketed, cost=cost)
    said: list[str] = []
    results: list[Mapping[str, Any]] = []
    cards: list[zoo.Card] = []
    for path in sorted(folder.glob("*.json")):
        with left_out("A result", said.append):
            results.append(read_result(path))
    for name in zoo.names(assets):
        with left_out("A model", said.append):
            cards.append(zoo.read_card(name, assets))
    by_name = {each["experiment"]: each for each in results}

    def replay(experiment: str, what: str) -> tuple[str, str]:
        """Where a number's comparison is run again: an address, and the command."""
        return replay_of(by_name[experiment], what), by_name[experiment]["command"]

    old = outdated(results, {card.name: card.sha256 for card in cards})
    order = {name: place for place, name in enumerate(TITLES)}
    experiments = []
    for each in sorted(results, key=lambda each: (order.get(each["experiment"], len(order)), each["experiment"])):
        with left_out(f"The result {each['experiment']}", said.append):
            experiments.append(_experiment(each, folder, each["experiment"] in old))
    return templates.get_template("results.jinja").render(
        answers=answers(results, old),
        replay=replay,
        experiments=experiments,
        cards=cards,
        address=ADDRESS,
        earlier=EARLIER,
        left_out=said,
    )


def _experiment(result: Mapping[str, Any], folder: Path, old: bool) -> dict[str, Any]:
    name = result["experiment"]
    plot = folder / f"{name}.png"
    return {
        **result,
        "title": TITLES.get(name, name),
        "old": old,
        "panels": panels(result),
        "claims": list(zip(result["claims"], marks(result["claims"]), strict=True)),
        "met": sum(claim["met"] for claim in result["claims"]),
        "plot": plot.name if plot.exists() else None,
    }


def cost(budget: Mapping[str, Any]) -> str:
    """The seconds on a card as minutes, and the hardware."""
    seconds = budget.get("seconds")
    total = sum(seconds.values()) if isinstance(seconds, Mapping) else seconds
    time = [f"{total / 60:.0f} min" if total >= 90 else f"{total:.0f} s"] if isinstance(total, int | float) else []
    return ", ".join([*time, *([str(budget["hardware"])] if "hardware" in budget else [])]) or "–"
