"""Table 2: what alternating optimisation, the buffer and training are worth, for the paper's Θ and for the residual one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.experiments.results import Claim, Result
from landscape_core.experiments.rows import BASELINE, Losses, TableSettings, claim, measure_rows, record, with_rows
from landscape_core.generators.training.theta import published_name
from landscape_core.progress import Tick
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task
from landscape_core.search.thetas import mapping_from, random_mapping, untrained
from landscape_core.storage import zoo

AIMS = {20: (-0.35, -0.15), 200: (-0.30, -0.25), 2000: (-0.20, -0.15)}  # by number of steps: faces, cats


@dataclass(frozen=True)
class Family:
    """The rows of one kind of Θ: trained in full, trained without alternating optimisation and buffer, not trained."""

    full: str
    online: str
    untrained: str

    @property
    def rows(self) -> tuple[str, str, str]:
        return self.full, self.online, self.untrained


PAPER = Family("paper Θ, full", "paper Θ, without AO and buffer", "paper Θ, random")
RESIDUAL = Family("residual Θ, full", "residual Θ, without AO and buffer", "residual Θ, curvature only")
PRESETS = {PAPER.full: "paper", PAPER.online: "online", RESIDUAL.full: "residual", RESIDUAL.online: "online-residual"}
# Table 2 by (set, steps), sets in order: full, without AO and buffer, random Θ, baseline
TABLE2 = {
    (0, 20): (3.082, 3.583, 4.417, 4.456), (1, 20): (4.932, 5.127, 5.135, 5.292),
    (0, 200): (1.964, 3.034, 2.723, 2.569), (1, 200): (3.498, 4.756, 3.823, 4.617),
}  # fmt: skip


def trained_rows(task: Task, thetas: Path, embedded: Path = zoo.ASSETS) -> tuple[dict[str, SearchSpace], dict[str, zoo.Card]]:
    """The four trained Θs, by row, and their cards: from below `thetas`, else the embedded ones.

    Raises:
        UserError: one is not there; the sentence says how to train it.
    """
    spaces: dict[str, SearchSpace] = {}
    cards = {}
    for row, preset in PRESETS.items():
        name = published_name(task.name, preset)
        found = next((folder for folder in (thetas, embedded) if (folder / name / zoo.CARD).exists()), None)
        if found is None:
            raise UserError(
                f"Table 2 needs {name} below {thetas}, which is not there; train it with: python -m landscape_core train "
                f"mapping --domain {task.name} --preset {preset} --data PICTURES --assets {thetas}"
            )
        cards[row], spaces[row] = mapping_from(name, task.prior, found)
    return spaces, cards


def run_ablation(
    task: Task,
    spaces: Mapping[str, SearchSpace],
    cards: Mapping[str, zoo.Card],
    train: Tensor,
    sets: Mapping[str, Tensor],
    settings: TableSettings,
    command: str,
    tick: Tick,
) -> Result:
    """`spaces` are the four trained rows; `train` (n, 3, H, W) chooses optimisers; `sets` in-distribution first."""
    rows = {
        **spaces,
        PAPER.untrained: random_mapping(task.prior),
        RESIDUAL.untrained: untrained(task.prior, spaces[RESIDUAL.full]),
    }
    order = [*PAPER.rows, *RESIDUAL.rows, BASELINE]
    chosen, losses = measure_rows(with_rows(task, rows), order, train, sets, settings, tick)
    hashes = {**task.hashes, **{card.name: card.sha256 for card in cards.values()}}
    budgets = {row: card.budget for row, card in cards.items()}
    result = Result(
        "ablation", command, settings.seed, hashes, {label: len(pictures) for label, pictures in sets.items()},
        {**settings.describe(), "training_budget": budgets},
    )  # fmt: skip
    record(result, chosen, losses)
    for index, label in enumerate(sets):
        for at in settings.steps:
            result.claims += _claims(losses, label, at, side=min(index, 1))
    return result


def _claims(losses: Losses, label: str, at: int, *, side: int) -> list[Claim]:
    """Full against each other row of its family, and against the baseline; the paper's own changes beside the paper's Θ."""
    full, online, untrained, baseline = TABLE2.get((side, at), (float("nan"),) * 4)
    paper = {PAPER.online: full / online - 1, PAPER.untrained: full / untrained - 1, BASELINE: full / baseline - 1}
    aim = AIMS[at][side] if at in AIMS else 0.0
    claims = []
    for family in (PAPER, RESIDUAL):
        for against in (BASELINE, family.online, family.untrained):
            known = paper.get(against) if (side, at) in TABLE2 else None
            goal = aim if against == BASELINE else 0.0
            claims.append(claim(losses, label, at, family.full, against, paper=known, aim=goal))
    return claims


def plot(result: Result, path: Path) -> None:
    """One panel per set and number of steps: a bar per row."""
    from matplotlib.figure import Figure

    tables = {key.removeprefix("rows at "): values for key, values in result.series.items() if key.startswith("rows at ")}
    rows = result.settings["rows"]
    figure = Figure(figsize=(3.6 * len(tables), 0.45 * len(rows) + 1.2), layout="constrained")
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    colours = {row: colour for family, colour in ((PAPER, "#7c3aed"), (RESIDUAL, "#0369a1")) for row in family.rows}
    for axes, (title, values) in zip(panels, tables.items(), strict=True):
        axes.barh(rows, values, color=[colours.get(row, "#c2410c") for row in rows])
        if BASELINE in rows:
            axes.axvline(values[rows.index(BASELINE)], color="#c2410c", linewidth=0.8)
        axes.set(title=title, xlabel="mean loss (Eq. 5)")
    panels[0].invert_yaxis()
    figure.savefig(path, dpi=150)
