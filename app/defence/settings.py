"""The settings of an attack and a defence as form values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.defence.pictures import Defences
from app.runs import address
from app.runs.address import Values, over
from landscape_core.defence.attacks import ATTACKS, AttackSettings
from landscape_core.defence.counting import DefencePlan
from landscape_core.defence.run_card import DefenceCard
from landscape_core.errors import UserError, first_problem, in_words
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import RunSettings
from landscape_core.search.task import X

MAX_STEPS, USUAL_STEPS = 100, 5
KNOWS = {"static": "no defence", "X": "the defence in X", "Z": "the defence in Z"}


@dataclass(frozen=True)
class DefenceSettings:
    """One attack and the defence against it; `settings.task` names the classifier, `knows` what the attacker knows ("static",
    "X", "Z"), `truth` the true class."""

    settings: RunSettings
    attack: AttackSettings
    knows: str
    truth: int

    def plan(self) -> DefencePlan:
        """The same as the core takes it."""
        s = self.settings
        x, z = (lane.optimizer for lane in s.lanes)
        return DefencePlan(self.attack, s.space, s.steps, x, z, s.seed)


def advice(defences: Defences, name: str, space: str | None = None) -> tuple[list[str], float, float]:
    """A classifier's spaces, and the advised rates in X and in a space (the first where None), in 1/255."""
    task = defences.get(name).task
    spaces = list(task.mappings)
    z = task.advice(space if space in spaces else spaces[0])
    return spaces, round(task.advice(X, z.name).lr * 255, 4), round(z.lr * 255, 4)


LIMITS = {"steps": (1, MAX_STEPS), "ascents": (1, max(each.steps for each in ATTACKS.values())), "seed": (0, 2**31 - 1)}


def defaults(defences: Defences, classifier: str | None = None, space: str | None = None, attack: str | None = None) -> Values:
    """The form's values that a page opens with, for a classifier, a learned space and an attack, the picture's class apart.

    Raises:
        UserError: there is no classifier at all, or its files are damaged.
    """
    name = classifier if classifier in defences.names else next(iter(defences.names), None)
    spaces, x, z = advice(defences, str(name), space)
    norm = attack if attack in ATTACKS else "l2"
    return {
        "classifier": name, "attack": norm, "knows": "static", "space": space if space in spaces else spaces[0],
        "steps": USUAL_STEPS, "x_rate": x, "z_rate": z, "ascents": ATTACKS[norm].steps, "seed": 0,
    }  # fmt: skip


def from_query(defences: Defences, query: Mapping[str, str]) -> tuple[Values, list[str]]:
    """The form's values that an address asks for, the picture's class apart; a sentence for each thing changed or ignored."""
    usual = defaults(defences, query.get("classifier"), query.get("space"), query.get("attack"))
    return over(query, usual, lambda values: from_values(defences, {**values, "truth": 0}), LIMITS)


def values_of(defences: Defences, card: DefenceCard) -> Values:
    """The form's values that a card describes.

    Raises:
        UserError: the form cannot hold its lanes, or its attack.
    """
    norm = next((name for name, each in ATTACKS.items() if each.norm == card.attack.norm and each.eps == card.attack.eps), None)
    optimizers = [lane.optimizer for lane in card.settings.lanes]
    if norm is None or [lane.row for lane in card.settings.lanes] != ["X", "Z"] or len(card.settings.optimizers) > 1:
        raise UserError("This card's attack or lanes are none that the form here can hold.")
    known = {"classifier": card.settings.task, "attack": norm, "knows": card.knows, "space": card.settings.space}
    x, z = (round(each.lr * 255, 4) for each in optimizers)
    numbers = {"steps": card.settings.steps, "x_rate": x, "z_rate": z, "ascents": card.attack.steps, "seed": card.settings.seed}
    return {**known, **numbers, "truth": card.truth}


def query_of(defences: Defences, values: Mapping[str, Any]) -> dict[str, str]:
    """URL parameters of what differs from the values a page opens with.

    Raises:
        UserError: as `from_values`.
    """
    from_values(defences, values)
    usual = defaults(defences, values["classifier"], values["space"], values["attack"])
    first = defaults(defences) | {name: usual[name] for name in ("x_rate", "z_rate", "ascents")}
    return address.query_of({name: values[name] for name in usual}, first)


def attack_named(name: str) -> AttackSettings:
    """One of Table 1's attacks. Raises UserError where there is none of that name."""
    if name not in ATTACKS:
        raise UserError(f"There is no attack {name!r}; there are: {', '.join(ATTACKS)}.")
    return ATTACKS[name]


def from_values(defences: Defences, values: Mapping[str, Any]) -> DefenceSettings:
    """What is to be run, from the form's values, which are untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    name, attack, space = values["classifier"], values["attack"], values["space"]
    task = defences.get(name).task
    if values["knows"] not in KNOWS:
        raise UserError(f"An attacker may know: {', '.join(KNOWS)}.")
    if not isinstance(values["truth"], int):
        raise UserError("Say what the picture shows: one of the classifier's classes.")
    task.space(space)
    try:
        advised = task.advice(space)  # one kind of optimiser in both, so that only the space differs
        x, z = _optimiser(task.advice(X, advised.name), values["x_rate"]), _optimiser(advised, values["z_rate"])
        settings = RunSettings.pair(space, x, z, task=name, steps=values["steps"], seed=values["seed"])
        chosen = AttackSettings.model_validate({**attack_named(attack).model_dump(), "steps": values["ascents"]})
    except ValidationError as error:
        raise UserError(first_problem(error, lambda place: in_words(place).capitalize())) from error
    if settings.steps > MAX_STEPS:
        raise UserError(f"A defence takes at most {MAX_STEPS} steps.")
    return DefenceSettings(settings, chosen, values["knows"], values["truth"])


def _optimiser(advised: OptimizerSettings, rate: Any) -> OptimizerSettings:
    if not isinstance(rate, int | float):
        raise UserError("A learning rate is a number above 0, in 1/255 of the range of a pixel.")
    return OptimizerSettings(name=advised.name, lr=rate / 255)
