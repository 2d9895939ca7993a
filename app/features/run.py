"""What happens in the Features tab: a session and plain values in, messages for its views out. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from app.features.models import Features, words
from app.runs import picture_stream as stream
from app.runs import settings
from app.runs.address import TARGET
from app.runs.cards import LOADED, read_card_file
from app.runs.judged import judged
from app.runs.lanes import CELLS, LANES, table_of
from app.runs.legs import Legs, lasting, png, result_so_far
from app.runs.session import Message, Picked, Run, Session
from app.runs.told import to_export, told_of
from app.scratch import export_path
from app.target.targets import LABELS, example, first
from landscape_core.autoencoders.metrics import ssim
from landscape_core.autoencoders.run_card import FeaturesCard, features_card_target, make_features_card
from landscape_core.autoencoders.showcase import Shown, denoised, given_back, placed, styled
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_tensor, to_bytes, to_unit
from landscape_core.records.run_card import Card, replay_promise
from landscape_core.records.run_zip import export_zip
from landscape_core.search.judges import PSNR, Found, Judge, best_of, features_judge
from landscape_core.search.objectives import Target
from landscape_core.search.race import MAX_STEPS, RunSettings, prepare
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM
from landscape_core.search.trajectory import Trajectory

Inversion = Run[Picked]
FeaturesSession = Session[Picked, Inversion]
USUAL_STEPS = 60
USUAL_MORE = 100
DECODER = "decoder"
NO_THETA = "No Θ was trained for this stage: Z, switched on under Lanes, is untrained and says nothing of a learned space."
SSIM = Judge(
    "SSIM", "Structural similarity to the picture; 1 is the same.",
    lambda found, target: 1.0 - ssim(found.output, target.value),
    lambda value: f"{1.0 - value:.3f}",
)  # fmt: skip


def open_page(features: Features, session: FeaturesSession, query: Mapping[str, str]) -> tuple[RunSettings, list[str]]:
    """Settings and picture that the page's address asks for, with a sentence for each thing it could not have."""
    tasks = features.tasks
    chosen, notes = settings.from_query(query, settings.defaults(tasks, query.get("model"), steps=USUAL_STEPS), tasks)
    chosen = chosen if LANES in query else worthwhile(features, chosen)
    name, task = query.get(TARGET), tasks.get(chosen.task)
    unknown = session.open(lambda: example(name, task.side) if name in LABELS else first(task), name)
    return chosen, [*notes, *unknown]


def note(features: Features, session: FeaturesSession, values: Mapping[str, Any]) -> Message:
    """What the form means now: an error, or what is known of the learned space; and its address."""
    try:
        chosen = settings.from_values(values)
        usual = settings.defaults(features.tasks, chosen.task, steps=USUAL_STEPS)
        query = settings.query_of(chosen, features.tasks, usual) | session.query
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    text = features.compared(chosen.task, str(values["space"])) or only_untrained(features.tasks.get(chosen.task))
    return {"text": text, "level": "plain", "query": query, "tab": "features", "table": table_of(chosen)}


def usual(features: Features, model: str) -> RunSettings:
    """The settings that a model begins with. Raises UserError where its files are damaged."""
    return worthwhile(features, settings.defaults(features.tasks, model, steps=USUAL_STEPS))


def other_model(features: Features, values: Mapping[str, Any]) -> RunSettings:
    """The form's settings after another model was chosen in it. Raises UserError where its files are damaged."""
    return worthwhile(features, settings.for_model(features.tasks, {**values, LANES: [*CELLS]}))


def worthwhile(features: Features, chosen: RunSettings) -> RunSettings:
    """Settings without lanes in Z where no learned space was trained."""
    if not only_untrained(features.tasks.get(chosen.task)):
        return chosen
    return chosen.model_copy(update={"lanes": tuple(lane for lane in chosen.lanes if lane.row == X)})


def only_untrained(task: Task) -> str:
    """A sentence where no learned space of a task was trained."""
    return NO_THETA if set(task.mappings) == {RANDOM} else ""


def start(features: Features, session: FeaturesSession, chosen: RunSettings) -> Iterator[Message]:
    """Look for the session's picture by its features, in X and in Z.

    Raises:
        UserError: no picture was chosen, or the settings ask for what the task does not have.
    """
    if session.target is None:
        raise UserError("Choose a picture first: an example, or your own.")
    task = features.tasks.get(chosen.task)
    session.target = session.target.at(task.side)
    solver, starts = prepare(task, chosen, Target(to_unit(session.target.picture)[None]))
    run = Run(session.count + 1, chosen, session.target, task, solver, Trajectory.empty(chosen.names()))
    return _legs(features).start(session, run, starts)


def resume(features: Features, session: FeaturesSession, more: Any) -> Iterator[Message]:
    """Take `more` steps from where the session's run stands. Raises UserError as `continued`."""
    return _legs(features).resume(session, more)


def _legs(features: Features) -> Legs[Inversion]:
    return Legs(_begin, stream.column, partial(_end, features), card_of, MAX_STEPS, USUAL_MORE, _repeats)


def _begin(run: Inversion) -> Message:
    """The first message: what is observed are features, and no distance of pictures takes part."""
    message = stream.begin(run)
    told = [pair for pair in message["settings"] if pair[0] not in ("perceptual distance", "observed")]
    return {**message, "settings": [*told, ["observed", "the picture's features"]]}


def _end(features: Features, run: Inversion, reason: str) -> Message:
    """The race's end, and what PSNR, SSIM and LPIPS say of the decoder's answer and of every lane's best."""
    last, task, target = run.trajectory.last, run.task, run.solver.target
    assert last is not None  # a run always records its start
    assert task.encode is not None  # the decoder is at hand for every task here
    with torch.no_grad():
        guess = task.encode(target.value)
        output = task.forward(guess)
        found = {DECODER: Found(task.objective.bind(target)(output), guess, output)}
    found |= {lane.name: best_of(run.solver, lane, now) for lane, now in zip(run.solver.lanes, last.lanes, strict=True)}
    lpips = features_judge(features.lpips, "LPIPS", "Perceptual distance to the picture; lower is better.")
    hint = only_untrained(task) if run.settings.learned else ""
    return {**stream.end(run, reason), **judged(found, target, [PSNR, SSIM, lpips]), "hint": hint}


def _repeats(card: Card, run: Inversion) -> bool:
    same = isinstance(card, FeaturesCard) and torch.equal(png_tensor(card.target_png), run.target.picture)
    return same and card.settings == run.settings


def load_card(features: Features, session: FeaturesSession, data: bytes, said: str = LOADED) -> tuple[FeaturesCard, str]:
    """Take the picture of a card for the session; nothing is run. The sentence begins with what is `said`, and says whether a
    replay can be exact.

    Raises:
        UserError: not the card of a run on features, or one that asks for what is not here.
    """
    card = read_card_file(data, FeaturesCard)
    task = features.tasks.get(card.settings.task)
    picture = to_bytes(features_card_target(card, task.side).value)[0]
    settings.values_of(card.settings)  # lanes that the form has no place for are refused now, before anything is taken over
    promise = replay_promise(card, task)
    session.target, session.card = Picked(picture, "from a run card"), card
    return card, f"{said}; {promise}"


def card_of(run: Inversion) -> FeaturesCard:
    """The run's card."""
    return make_features_card(run.task, lasting(run), run.target.picture, **result_so_far(run))


def export(session: FeaturesSession) -> Path:
    """A zip with the run's card, losses, latents and pictures. Raises UserError where there is no run yet."""
    run = to_export(session.run)
    card = card_of(run)
    path = export_path(f"features-run-{run.number}.zip")
    export_zip(path, card, run.task, run.solver.lanes, run.trajectory, run.solver.target, told_of(run))
    return path


def applied(features: Features, session: FeaturesSession, task: str, noise: Any, style: Any, strength: Any) -> Message:
    """What the chosen picture becomes without any descent: given back, freed of noise, in a style, placed among known ones.

    Raises:
        UserError: a number out of range, an example that there is not, or damaged files.
    """
    if session.target is None:
        return {"kind": "applied", "groups": [], "text": ""}
    deviation, share = (_between(value, name) for value, name in ((noise, "noise"), (strength, "strength of the style")))
    inverter, beside = features.inverter(task), features.beside(task)
    picture = to_unit(session.target.at(inverter.side).picture)[None]
    other = to_unit(example(style, inverter.side).picture)[None]
    groups = [
        ("Given back in one pass", given_back(beside, picture, features.lpips)),
        ("Freed of noise", denoised(beside, picture, deviation, 0, features.lpips)),
        ("Another's style", styled(features.of_network(task), picture, other, share)),
    ]
    error, below = placed(inverter, picture)
    said = (
        f"{words(inverter.name)}: this picture's error of reconstruction is {error:.3g}, larger than that of "
        f"{100 * below:.0f}\u00a0% of unseen pictures of the kind that the decoder was trained on."
    )
    tiles = [{"title": title, "tiles": [_tile(one) for one in each]} for title, each in groups]
    return {"kind": "applied", "groups": tiles, "text": said, "place": {"error": error, "known": inverter.known_errors}}


def _tile(shown: Shown) -> Message:
    reading = ""
    if shown.quality is not None:
        each = {name: float(values[0]) for name, values in shown.quality.items()}
        reading = f"{each['psnr']:.1f} dB · SSIM {each['ssim']:.2f} · LPIPS {each['lpips']:.2f}"
    return {"title": shown.title, "png": png(shown.picture), "reading": reading}


def _between(value: Any, name: str) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UserError(f"The {name} must be a number from 0 to 1.")
    return float(value)
