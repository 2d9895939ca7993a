"""The run of a defence's card, again: the attack, then the steps of both lanes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscape_core.defence.counting import DefencePlan, attack_knowing
from landscape_core.defence.objective import Defence
from landscape_core.defence.run_card import DefenceCard
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_tensor, to_unit
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Solver


def prepared(card: DefenceCard, defence: Defence, tick: Callable[[int, int], bool]) -> tuple[Solver, list[Tensor]]:
    """Solver and starts as the card's run had them, once its picture is attacked as it was.

    Raises:
        UserError: `tick` stopped the attack, the picture cannot be read, or the card has other lanes than X and Z.
    """
    settings = card.settings
    if [lane.row for lane in settings.lanes] != ["X", "Z"]:
        raise UserError("A defence has one lane in X and one in Z; this card has others.")
    x, z = (lane.optimizer for lane in settings.lanes)
    plan = DefencePlan(card.attack, settings.space, settings.steps, x, z, settings.seed)
    lanes, clean = plan.lanes(defence), to_unit(png_tensor(card.target_png, side=defence.task.side))[None]
    attacked = attack_knowing(defence, lanes.get(card.knows), clean, torch.tensor([card.truth]), plan, tick)
    if attacked is None:
        raise UserError("The attack was stopped; without it nothing can be repeated.")
    lane_list = list(lanes.values())
    solver = Solver(defence.task.forward, defence.task.objective, Target(attacked), lane_list, max_steps=settings.steps)
    return solver, plan.starts(lane_list, 1)
