"""A defence as messages for the browser: the clean picture, the attack and its progress, every step of both lanes, the end."""

from __future__ import annotations

import torch
from torch import Tensor

from app.defence.session import DefenceRun
from app.defence.settings import KNOWS
from app.runs.legs import finite, png
from app.runs.session import Message, Picked
from landscape_core.defence.attacks import AttackSettings
from landscape_core.defence.objective import Defence, margin, restored
from landscape_core.defence.report import magnified, race_sentence
from landscape_core.images.pixels import png_base64, to_unit
from landscape_core.search.optimizers import OPTIMISER_NAMES
from landscape_core.search.solver import LaneState
from landscape_core.search.thetas import space_name

NORMS = {"l2": "L2", "linf": "L∞"}
PICTURES = ("png", "added")  # the columns that are pictures


def picture_message(defence: Defence, picked: Picked, truth: int) -> Message:
    """A picture before it is attacked, and what the classifier says of it."""
    clean = to_unit(picked.picture)[None]
    return {
        "kind": "picture",
        "label": picked.label,
        "classes": list(defence.classes),
        "truth": truth,
        "clean": {"png": png_base64(picked.picture), **answer(defence, clean, truth)},
    }


def answer(defence: Defence, picture: Tensor, truth: int) -> Message:
    """Class probabilities and margin of one picture (1, 3, 32, 32)."""
    logits = defence.logits(picture)
    return {
        "probabilities": [round(float(p), 4) for p in logits.softmax(dim=1)[0]],
        "margin": round(float(margin(logits, torch.tensor([truth]))[0]), 5),
    }


def begin(run: DefenceRun) -> Message:
    """The first message of a run."""
    shown = picture_message(run.defence, run.target, run.truth)
    run.clean = shown["clean"]
    return {
        **shown,
        "kind": "begin",
        "number": run.number,
        "lanes": [lane.name for lane in run.solver.lanes],
        "optimizer": OPTIMISER_NAMES[run.settings.lanes[0].optimizer.name],
        "limit": run.solver.max_steps,
        "attack": ball_words(run.attack),
        "about": f"{attack_words(run.attack)}; the attacker knows {KNOWS[run.knows]}",
        "settings": words(run),
    }


def words(run: DefenceRun) -> list[list[str]]:
    """Every setting as [what, value]."""
    settings = run.settings
    x, z = (f"{lane.optimizer.lr * 255:g}/255" for lane in settings.lanes)
    shows = [["shows", run.defence.classes[run.truth]], ["classifier", run.defence.name.upper()]]
    attack = [["attack", attack_words(run.attack)], ["the attacker knows", KNOWS[run.knows]]]
    search = [
        ["space Z", space_name(settings.space)],
        ["steps", str(settings.steps)],
        ["X learning rate", x],
        ["Z learning rate", z],
    ]
    return [*shows, *attack, *search, ["seed", str(settings.seed)]]


def ball_words(attack: AttackSettings) -> str:
    """ "L2 256/255"."""
    return f"{NORMS[attack.norm]} {attack.eps * 255:.0f}/255"


def attack_words(attack: AttackSettings) -> str:
    """ "L2 256/255, 200 steps"."""
    return f"{ball_words(attack)}, {attack.steps} steps"


def met(run: DefenceRun, attacked: Tensor) -> Message:
    """The attack's result (1, 3, 32, 32)."""
    run.attacked = answer(run.defence, attacked, run.truth)
    added = magnified((attacked - to_unit(run.target.picture)[None])[0])
    return {
        "kind": "attacked",
        "png": png(attacked[0]),
        "added": {"png": png_base64(added.picture), "factor": added.factor, "l2": added.l2 * 255, "linf": added.linf * 255},
        **run.attacked,
    }


def column(run: DefenceRun, step: int, lane: LaneState) -> Message:
    """What a lane measures at a step, its picture, and what the defence added, magnified."""
    picture = restored(run.solver.target.value, lane.output)
    added = magnified(lane.output[0])
    return {
        "loss": finite(float(lane.loss[0])),
        "png": png(picture[0]),
        "added": png_base64(added.picture),
        "factor": added.factor,
        "l2": added.l2 * 255,
        "linf": added.linf * 255,
        **answer(run.defence, picture, run.truth),
    }


def end(run: DefenceRun, reason: str) -> Message:
    """The last message: why, and what came of it in a sentence."""
    if run.attacked is None:
        return {"kind": "end", "reason": reason, "summary": "", "more": 0}
    margins = {lane: columns["margin"] for lane, columns in run.columns.items()}
    summary = race_sentence(run.clean["margin"], run.attacked["margin"], margins)
    about = f"Attack: {attack_words(run.attack)}; the attacker knows {KNOWS[run.knows]}."
    return {"kind": "end", "reason": f"{reason} {about}", "summary": summary}
