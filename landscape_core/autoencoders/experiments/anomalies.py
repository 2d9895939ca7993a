"""One class against the rest, by a decoder that learned that class alone: what cannot be inverted is strange.

As in the paper every class has its decoder. A picture's score is what is left of the distance of features once its code was
searched, by descent in X and, where there is a Θ for codes, in Z; beside it stands the plain error of reconstruction. Θ was
learned for the decoder of all classes, and serves those of single ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from landscape_core.autoencoders.anomaly import optimised_error, reconstruction_error
from landscape_core.autoencoders.experiments.inversion import mean_difference
from landscape_core.autoencoders.models import Inverter
from landscape_core.autoencoders.task import code_task
from landscape_core.autoencoders.training.decoder import DecoderConfig, Learn
from landscape_core.experiments.results import Claim, Result
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Tick
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM
from landscape_core.storage import zoo

PAPER = "robust above standard"
PLAIN = "error of reconstruction"
ROBUST, STANDARD = "robust", "standard"
_FEW = DecoderConfig(images=10_000)  # for every decoder: there are twenty


@dataclass(frozen=True)
class AnomalySettings:
    """`steps` of Adam from the encoder's code; `rates` are tried in every space on `tune` known pictures of the first class."""

    decoder: DecoderConfig = _FEW
    steps: int = 20
    rates: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3)
    tune: int = 20


def run_anomaly(
    inverters: Mapping[str, Inverter], train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], settings: AnomalySettings,
    learn: Learn, result: Result, tick: Tick, assets: Path = zoo.ASSETS,
) -> Result:  # fmt: skip
    """`features-anomaly`: pictures are uint8 (N, 3, 32, 32) with labels (N,); every class of `train` is the known one in turn.
    Learned spaces of codes are those below `assets`.

    The series "AUROC | WHO, SCORE" has one value a class, in the order of `CIFAR10_CLASSES`.
    """
    pictures, chosen = to_unit(test[0]), {}
    classes = sorted(set(test[1].tolist()))
    for who, inverter in inverters.items():
        for label in classes:
            known = train[0][train[1] == label]
            model = learn(f"{who}-{CIFAR10_CLASSES[label]}", inverter.model.encoder, known, settings.decoder)
            task = code_task(replace(inverter, model=model), assets)
            for words, space in _spaces(task).items():
                if f"{who}, {words}" not in chosen:
                    chosen[f"{who}, {words}"] = _rate(task, space, to_unit(known[: settings.tune]), settings)
            scores = {PLAIN: reconstruction_error(model, pictures)} | {
                words: _searched(task, space, pictures, chosen[f"{who}, {words}"], settings)
                for words, space in _spaces(task).items()
            }
            for words, score in scores.items():
                area = float(roc_auc_score((test[1] != label).numpy(), score.numpy()))
                result.series.setdefault(f"AUROC | {who}, {words}", []).append(area)
            tick(who, classes.index(label) + 1, len(classes))
    result.settings = {**result.settings, "rates_chosen": chosen}
    result.claims += _claims(result)
    return result


def _spaces(task: Task) -> dict[str, str]:
    """Where codes are searched, by the score's words: in X, and in Z by a trained Θ."""
    learned = [name for name in task.mappings if name != RANDOM][:1]
    return dict(zip(("code searched in X", "code searched in Z"), (X, *learned), strict=False))


def _searched(task: Task, space: str, pictures: Tensor, lr: float, settings: AnomalySettings) -> Tensor:
    return optimised_error(task, pictures, OptimizerSettings(name="adam", lr=lr), space=space, steps=settings.steps)


def _rate(task: Task, space: str, known: Tensor, settings: AnomalySettings) -> float:
    """The rate that leaves least of the loss of known training pictures."""
    return min(settings.rates, key=lambda lr: float(_searched(task, space, known, lr, settings).mean()))


def _claims(result: Result) -> list[Claim]:
    """Every score's mean over classes against chance, robust against standard, and searched against plain."""
    areas = {key.removeprefix("AUROC | "): torch.tensor(values) for key, values in result.series.items()}
    claims = []
    for label, values in areas.items():
        mean, interval = mean_difference(values, torch.full_like(values, 0.5))
        claims.append(
            Claim(f"{label}: mean AUROC over classes", None, mean + 0.5, 0.5, "higher", (interval[0] + 0.5, interval[1] + 0.5))
        )
    for label, values in areas.items():
        who, _, words = label.partition(", ")
        pairs: dict[str, str | None] = {f"{STANDARD}, {words}": PAPER} if who == ROBUST else {}
        pairs |= {} if words == PLAIN else {f"{who}, {PLAIN}": None}
        for other, paper in pairs.items():
            if other in areas:
                gain, interval = mean_difference(values, areas[other])
                claims.append(Claim(f"AUROC, {label} minus {other}", paper, gain, 0.0, "higher", interval))
    return claims


def areas_by_class(result: Result, path: Path) -> None:
    """AUROC of every score, class by class."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.4), layout="constrained")
    axis = figure.add_subplot()
    rows = {key: values for key, values in result.series.items() if key.startswith("AUROC | ")}
    for i, (key, values) in enumerate(rows.items()):
        places = [place + 0.8 * (i + 0.5) / len(rows) - 0.4 for place in range(len(values))]
        axis.bar(places, values, 0.8 / len(rows), label=key.removeprefix("AUROC | "))
    axis.axhline(0.5, color="gray", linewidth=1)
    axis.set_xticks(range(len(CIFAR10_CLASSES)), CIFAR10_CLASSES, fontsize=8)
    axis.set_ylabel("AUROC against the other classes")
    axis.set_ylim(0.2, 1.0)
    axis.legend(fontsize=7, ncols=3)
    figure.savefig(path, dpi=110)
