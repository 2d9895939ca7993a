"""Table 1: accuracy under attack after 0, 1, 3 and 5 steps of defence, baseline (X) and ours (Z), static and defence-aware.

The static attack sees the bare classifier only. The defence-aware one attacks classifier and defence together, around
the search (BPDA) and over its random starts, and counts as well whatever the static one achieved. Croce et al. (2022)
found that no adaptive defence at test time which they studied was significantly better than its static model once the
attack knew of it, so neither figure is given without the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from math import isnan, nan
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from landscape_core.defence.attacks import ATTACKS, AttackSettings, aware_attack
from landscape_core.defence.experiments.contenders import (
    Contender,
    DefenceSettings,
    after,
    contenders,
    right_when_aware,
    static_attack,
    tune,
)
from landscape_core.defence.objective import Defence, restored
from landscape_core.defence.steps import Steps
from landscape_core.experiments.results import Claim, Result, share_difference, wilson
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Solver
from landscape_core.search.task import X
from landscape_core.storage.cache import Kept
from landscape_core.storage.fingerprint import fingerprint

Outcome = dict[int, Tensor]  # steps -> whether every picture is classified rightly (n,)
# Table 1: no optimisation, then the baseline and ours after one step.
PAPER = {"ro": (0.3199, 0.3462, 0.4465), "mart": (0.3566, 0.3977, 0.5177)}
STYLES = {"X tuned": "C0o-", "Z tuned": "C1s-", "X": "C0^--", "Z": "C1v--"}


def run_defence(
    defence: Defence, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], attacks: Mapping[str, AttackSettings],
    settings: DefenceSettings, command: str, tick: Tick, *, label: str = "test", folder: Path | None = None,
) -> Result:  # fmt: skip
    """`train` and `test` are pictures (n, 3, 32, 32) in [-1, 1] with labels (n,); `train` alone chooses anything.

    `attacks` are the static ones by name, Table 1's first; the others are met after the smallest number of steps only.
    `label` says what `test` is; what takes long is kept in `folder`, and taken from there when the same is run again.
    """
    harmed = static_attack(defence, *train, aware_attack(ATTACKS["l2"], 20), settings, lambda *_: False)
    sweeps = {space: tune(defence, space, harmed, train[1], settings) for space in (X, settings.space)}
    columns = contenders(sweeps, settings)
    result = Result(
        f"defence-{defence.name}", command, settings.seed, defence.task.hashes, {label: len(test[0])},
        _details(defence, attacks, settings, sweeps, columns),
    )  # fmt: skip
    kept = Kept(folder, fingerprint(result.models, label, settings, test))
    measured = _Measured(defence, test, settings, columns, tick, kept)
    outcome = measured.clean()
    for position, (name, attack) in enumerate(attacks.items()):
        outcome |= measured.under(name, attack, settings.steps if position == 0 else settings.steps[:1])
    for column, each in outcome.items():
        for name, rows in each.items():
            result.series |= _series(f"{name} | {column}", rows)
    result.series |= measured.losses
    result.series |= {f"ms | {name}": [value] for name, value in milliseconds(defence, columns, test[0][:1]).items()}
    result.claims += claims(defence.name, outcome, settings)
    return result


@dataclass(frozen=True)
class _Measured:
    """Which of the test pictures each column gets right, by attack and steps."""

    defence: Defence
    test: tuple[Tensor, Tensor]
    settings: DefenceSettings
    columns: Sequence[Contender]
    tick: Tick
    kept: Kept
    losses: dict[str, list[float]] = field(default_factory=dict)

    def _progress(self, label: str) -> Callable[[int, int], bool]:
        def count(done: int, total: int) -> bool:
            self.tick(label, done, total)
            return False

        return count

    def _defended(self, each: Contender, label: str, what: str, pictures: Tensor, steps: tuple[int, ...]) -> Outcome:
        """After every number of steps on given pictures; `what` says all of them."""
        self.tick(f"{each.name}, {label}", 0, 1)
        made = replace(self.settings, steps=steps)

        def run() -> Tensor:
            found = after(self.defence, each, pictures, self.test[1], made)
            return torch.stack([torch.stack([found[k].right.float(), found[k].loss]) for k in steps])

        rows = self.kept.get(f"{each} {what} {steps}", run)  # (steps, 2, n)
        self.losses[f"{each.name} | {label} | loss"] = rows[:, 1].mean(dim=1).tolist()
        return {0: self._bare(pictures), **{k: row[0] > 0 for k, row in zip(steps, rows, strict=True)}}

    def _bare(self, pictures: Tensor) -> Tensor:
        return self.defence.logits(pictures).argmax(dim=1) == self.test[1]

    def clean(self) -> dict[str, dict[str, Outcome]]:
        """Nothing attacked: what the defence costs."""
        rows = {each.name: self._defended(each, "clean", "clean", self.test[0], self.settings.steps) for each in self.columns}
        return {"clean": rows}

    def under(self, name: str, attack: AttackSettings, steps: tuple[int, ...]) -> dict[str, dict[str, Outcome]]:
        """Static and defence-aware; at section 7.3's rate X meets the static one alone."""
        pictures, labels = self.test
        report = self._progress(f"{name}, static")
        harmed = self.kept.get(
            f"static {attack}", lambda: static_attack(self.defence, pictures, labels, attack, self.settings, report)
        )
        static = {
            each.name: self._defended(each, f"{name}, static", f"static {attack}", harmed, steps) for each in self.columns
        }
        aware = {
            each.name: self._aware(each, name, attack, static[each.name]) for each in self.columns if each.name != "X"
        }  # fmt: skip
        return {f"{name}, static": static, f"{name}, aware": aware}

    def _aware(self, each: Contender, name: str, attack: AttackSettings, survived: Outcome) -> Outcome:
        report = self._progress(f"{name}, aware of {each.name}")
        found = {0: survived[0]}
        for k in list(survived)[1:]:
            found[k] = self.kept.get(
                f"aware {attack} {each} {k}",
                partial(right_when_aware, self.defence, each, k, *self.test, survived[k], attack, self.settings, report),
            )
        return found


def _series(label: str, rows: Outcome) -> dict[str, list[float]]:
    """Accuracies by number of steps, with the two ends of their intervals."""
    intervals = [wilson(each) for each in rows.values()]
    return {
        label: [float(each.float().mean()) for each in rows.values()],
        f"{label} | low": [low for low, _ in intervals],
        f"{label} | high": [high for _, high in intervals],
    }


def _details(
    defence: Defence, attacks: Mapping[str, AttackSettings], settings: DefenceSettings,
    sweeps: Mapping[str, Mapping[float, Steps]], columns: Sequence[Contender],
) -> dict[str, Any]:  # fmt: skip
    return {
        **asdict(settings),
        "steps_of_series": [0, *settings.steps],
        "attack_settings": {name: attack.model_dump() for name, attack in attacks.items()},
        "aware_attack": "BPDA around the search, a fresh random start in every pass; the static attack's successes count too",
        "sweep_on_train": {
            space: {f"{lr * 255:g}/255": each.right.float().mean(dim=1).tolist() for lr, each in sweep.items()}
            for space, sweep in sweeps.items()
        },
        "sweep_loss_on_train": {
            space: {f"{lr * 255:g}/255": each.loss.mean(dim=1).tolist() for lr, each in sweep.items()}
            for space, sweep in sweeps.items()
        },
        "rates": {each.name: {k: o.lr for k, o in each.optimizers.items()} for each in columns},
        "paper": PAPER.get(defence.name),
    }


def claims(name: str, outcome: Mapping[str, Mapping[str, Mapping[int, Tensor]]], settings: DefenceSettings) -> list[Claim]:
    """Points gained by one step: over the baseline, over no defence, static and defence-aware; and what clean pictures lose."""
    k, made = settings.steps[0], []
    none, baseline, theirs = PAPER.get(name, (nan, nan, nan))
    for label, each in outcome.items():
        bare = each["Z"][0]
        if label == "clean":
            for column in ("Z tuned", "Z"):
                change, interval = share_difference(each[column][k], bare)
                said = f"clean accuracy, {column} after {k} step minus undefended"
                made.append(Claim(said, None, change, -0.01, "higher", interval))
            continue
        for ours, base in (("Z tuned", "X tuned"), ("Z", "X")):
            if base in each:
                change, interval = share_difference(each[ours][k], each[base][k])
                said, gain = f"{label}: accuracy after {k} step, {ours} minus {base}", _paper(label, theirs - baseline)
                made.append(Claim(said, gain, change, 0.10, "higher", interval))
        change, interval = share_difference(each["Z tuned"][k], bare)
        gain = _paper(label, theirs - none)
        made.append(Claim(f"{label}: accuracy after {k} step, Z tuned minus undefended", gain, change, 0.0, "higher", interval))
    return made


def _paper(label: str, gain: float) -> float | None:
    """The paper measures the static L2 attack alone, and not every classifier."""
    return round(gain, 4) if label == "l2, static" and not isnan(gain) else None


def milliseconds(defence: Defence, columns: Sequence[Contender], picture: Tensor, *, repeats: int = 15) -> dict[str, float]:
    """Median milliseconds for one picture (1, 3, 32, 32): the bare classifier, and each column's defence of one step."""

    def timed(run: Callable[[], object]) -> float:
        run()
        spent = []
        for _ in range(repeats):
            started = time.perf_counter()
            run()
            spent.append(1000 * (time.perf_counter() - started))
        return median(spent)

    def defended(each: Contender) -> Callable[[], object]:
        lane = each.lane(defence, 1)

        def run() -> None:
            solver = Solver(defence.task.forward, defence.task.objective, Target(picture), [lane], max_steps=1)
            last = solver.step(solver.init([lane.space.mean_start(1)]))
            defence.logits(restored(picture, last.lanes[0].output))

        return run

    return {"bare": timed(lambda: defence.logits(picture)), **{each.name: timed(defended(each)) for each in columns}}


def plot(result: Result, path: Path) -> None:
    """Accuracy over steps with Wilson intervals, a panel for each attack: X dashed, Z solid."""
    from matplotlib.figure import Figure

    panels = sorted({label.split(" | ")[1] for label in result.series if " | " in label and not label.startswith("ms")})
    figure = Figure(figsize=(3.4 * len(panels), 3.6), layout="constrained")
    steps = result.settings["steps_of_series"]
    for axes, panel in zip(figure.subplots(1, len(panels), sharey=False, squeeze=False)[0], panels, strict=True):
        for name, style in STYLES.items():
            values = result.series.get(f"{name} | {panel}")
            if values is not None:
                low, high = (result.series[f"{name} | {panel} | {side}"] for side in ("low", "high"))
                axes.plot(steps[: len(values)], values, style, label=name)
                axes.fill_between(steps[: len(values)], low, high, color=style[:2], alpha=0.12)
        axes.set(title=panel, xlabel="steps of defence")
    figure.axes[0].set_ylabel("accuracy")
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=150)
