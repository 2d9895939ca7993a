"""Table 1: accuracy under attack after 0, 1, 3 and 5 steps of defence, baseline (X) and ours (Z), static and defence-aware.

The static attack sees the bare classifier only. The defence-aware one attacks classifier and defence together, around
the search (BPDA) and over its random starts, and counts as well whatever the static one achieved. Croce et al. (2022)
found that no adaptive defence at test time which they studied was significantly better than its static model once the
attack knew of it, so neither figure is given without the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from torch import Tensor

from landscape_core.attacks import ATTACKS, AttackSettings, attacked
from landscape_core.defence import Defence, restored
from landscape_core.inversion import Solver
from landscape_core.objectives import Target
from landscape_core.reproduce.defence_runs import (
    Contender,
    DefenceSettings,
    aware_attack,
    contenders,
    right_after,
    right_when_aware,
    share_difference,
    tune,
    wilson,
)
from landscape_core.reproduce.results import Claim, Result

Tick = Callable[[str, int, int], None]
Outcome = dict[int, Tensor]  # steps -> whether every picture is classified rightly (n,)
# Table 1: no optimisation, then the baseline and ours after one step.
PAPER = {"ro": (0.3199, 0.3462, 0.4465), "mart": (0.3566, 0.3977, 0.5177)}
STYLES = {"X tuned": "C0o-", "X": "C2^--", "Z": "C1s-"}


@dataclass
class _Table:
    """Collects what was right into a result's series: accuracies by steps 0, then `settings.steps`."""

    result: Result
    steps: tuple[int, ...]

    def add(self, label: str, undefended: Tensor, after: Mapping[int, Tensor]) -> None:
        rows = [undefended, *(after[k] for k in self.steps)]
        self.result.series[label] = [float(each.float().mean()) for each in rows]
        for side, name in enumerate(("low", "high")):
            self.result.series[f"{label} | {name}"] = [wilson(each)[side] for each in rows]


def run_defence(
    defence: Defence, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor],
    attacks: Mapping[str, AttackSettings], settings: DefenceSettings, command: str, tick: Tick, *, label: str = "test",
) -> Result:  # fmt: skip
    """`train` and `test` are pictures (n, 3, 32, 32) in [-1, 1] with labels (n,); `train` alone chooses anything.

    `attacks` are the static ones by name, "l2" first; `label` says what `test` is.
    """
    pictures, labels = test
    tune_attack = aware_attack(ATTACKS["l2"], 20)
    harmed = attacked(defence.classifier, *train, tune_attack, seed=settings.seed, batch=settings.batch, bf16=settings.bf16)
    assert harmed is not None  # nothing stops it
    sweep = tune(defence, harmed, train[1], settings)
    columns = contenders(defence, sweep, settings)
    result = Result(
        f"defence-{defence.name}", command, settings.seed, defence.task.hashes, {label: len(pictures)},
        _details(defence, attacks, settings, sweep, columns),
    )  # fmt: skip
    table = _Table(result, settings.steps)
    undefended = defence.logits(pictures).argmax(dim=1) == labels
    outcome: dict[str, dict[str, Outcome]] = {"clean": {}}
    for each in (each for each in columns if each.name != "X"):
        tick("clean pictures", columns.index(each), len(columns))
        outcome["clean"][each.name] = {0: undefended, **right_after(defence, each, pictures, labels, settings)}
        table.add(f"{each.name} | clean", undefended, outcome["clean"][each.name])
    for name, attack in attacks.items():
        outcome |= _under(defence, columns, name, attack, test, settings, table, tick)
    result.series |= {f"ms | {name}": [value] for name, value in milliseconds(defence, columns, pictures[:1]).items()}
    result.claims += claims(defence.name, outcome, settings)
    return result


def _under(
    defence: Defence, columns: Sequence[Contender], name: str, attack: AttackSettings, test: tuple[Tensor, Tensor],
    settings: DefenceSettings, table: _Table, tick: Tick,
) -> dict[str, dict[str, Outcome]]:  # fmt: skip
    """Everything under one attack, static and defence-aware; X at Z's rate meets the static one alone."""
    pictures, labels = test

    def progress(label: str) -> Callable[[int, int], bool]:
        def count(done: int, total: int) -> bool:
            tick(label, done, total)
            return False

        return count

    harmed = attacked(
        defence.classifier, pictures, labels, attack, seed=settings.seed, batch=settings.batch, bf16=settings.bf16,
        tick=progress(f"{name}, static"),
    )  # fmt: skip
    assert harmed is not None  # nothing stops it
    undefended = defence.logits(harmed).argmax(dim=1) == labels
    static: dict[str, Outcome] = {}
    aware: dict[str, Outcome] = {}
    for each in columns:
        static[each.name] = {0: undefended, **right_after(defence, each, harmed, labels, settings)}
        table.add(f"{each.name} | {name}, static", undefended, static[each.name])
        if each.name != "X":
            report = progress(f"{name}, aware of {each.name}")
            found = right_when_aware(
                defence, each, pictures, labels, static[each.name], attack, settings, report
            )  # fmt: skip
            aware[each.name] = {0: undefended, **found}
            table.add(f"{each.name} | {name}, aware", undefended, aware[each.name])
    return {f"{name}, static": static, f"{name}, aware": aware}


def _details(
    defence: Defence, attacks: Mapping[str, AttackSettings], settings: DefenceSettings,
    sweep: Mapping[float, list[float]], columns: Sequence[Contender],
) -> dict[str, Any]:  # fmt: skip
    return {
        **asdict(settings),
        "steps_of_series": [0, *settings.steps],
        "attack_settings": {name: attack.model_dump() for name, attack in attacks.items()},
        "aware_attack": "BPDA around the search, a fresh random start in every pass; the static attack's successes count too",
        "x_sweep": {f"{lr * 255:g}/255": values for lr, values in sweep.items()},
        "rates": {each.name: {k: o.lr for k, o in each.optimizers.items()} for each in columns},
        "paper": PAPER.get(defence.name),
    }


def claims(name: str, outcome: Mapping[str, Mapping[str, Mapping[int, Tensor]]], settings: DefenceSettings) -> list[Claim]:
    """Points gained by one step: over the baseline, over no defence, static and defence-aware; and what clean pictures lose."""
    k, made = settings.steps[0], []
    none, baseline, ours = PAPER.get(name, (None, None, None))
    for label, each in outcome.items():
        if label == "clean":
            change, interval = share_difference(each["Z"][k], each["Z"][0])
            made.append(Claim(f"clean accuracy, Z after {k} step minus undefended", None, change, -0.01, "higher", interval))
            continue
        paper = label == "l2, static" and none is not None
        change, interval = share_difference(each["Z"][k], each["X tuned"][k])
        gain = round(ours - baseline, 4) if paper and ours is not None and baseline is not None else None
        made.append(Claim(f"{label}: accuracy after {k} step, Z minus X tuned", gain, change, 0.10, "higher", interval))
        if "X" in each:
            change, interval = share_difference(each["Z"][k], each["X"][k])
            made.append(
                Claim(f"{label}: accuracy after {k} step, Z minus X at Z's rate", gain, change, 0.10, "higher", interval)
            )
        change, interval = share_difference(each["Z"][k], each["Z"][0])
        gain = round(ours - none, 4) if paper and ours is not None and none is not None else None
        made.append(Claim(f"{label}: accuracy after {k} step, Z minus undefended", gain, change, 0.0, "higher", interval))
    return made


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
                axes.plot(steps, values, style, label=name)
                axes.fill_between(steps, low, high, color=style[:2], alpha=0.12)
        axes.set(title=panel, xlabel="steps of defence")
    figure.axes[0].set_ylabel("accuracy")
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=150)
