"""`attack` and `defend`: harm pictures of the user's own, and restore them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from torch import Tensor, nn

from landscape_core.console import STOPPED, Bar, apply_threads, leave
from landscape_core.defence.attacks import ATTACKS, AttackSettings, Defended, attacked
from landscape_core.defence.commands.pictures import read_pictures
from landscape_core.defence.objective import Defence, margin, random_starts, restored
from landscape_core.defence.task import load_classifier, load_defence
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.features.robustbench import load_robustbench
from landscape_core.images.pixels import png_bytes, to_bytes
from landscape_core.options import Out, Seed, Threads
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.trajectory import states
from landscape_core.storage.files import unused, whole, write_bytes, write_text

Norm = Annotated[Literal["l2", "linf"], typer.Option(help="l2: Table 1's attack; linf: 8/255.")]
Eps = Annotated[
    float | None, typer.Option(help="Radius for pixels in 0..255; the attack's own where absent.", min=0.0, max=5100)
]
Step = Annotated[float | None, typer.Option(help="Length of an ascent step for pixels in 0..255.", min=0.001, max=5100)]
Steps = Annotated[int | None, typer.Option("--attack-steps", help="Ascent steps of the attack.", min=1, max=1000)]
Label = Annotated[
    str | None, typer.Option(help=f"True class: {', '.join(CIFAR10_CLASSES)}; what the bare classifier says if absent.")
]
PicturesAt = Annotated[Path, typer.Argument(help="A picture file, or a folder of them.")]
Name = Annotated[str, typer.Option("--classifier", help="Embedded classifier, e.g. ro or mart.")]


def attack_settings(norm: str, eps: float | None, step: float | None, steps: int | None) -> AttackSettings:
    """The named attack with what was changed; lengths come in for pixels in 0..255."""
    lengths = {key: value / 255 for key, value in (("eps", eps), ("step", step)) if value is not None}
    return ATTACKS[norm].model_copy(update=lengths if steps is None else {**lengths, "steps": steps})


def true_labels(label: str | None, logits: Tensor) -> Tensor:
    """The named class for every row of logits (n, 10), or what each says.

    Raises:
        UserError: there is no such class.
    """
    if label is None:
        return logits.argmax(dim=1)
    if label not in CIFAR10_CLASSES:
        raise UserError(f"There is no class {label!r}; there are: {', '.join(CIFAR10_CLASSES)}.")
    return torch.full((len(logits),), CIFAR10_CLASSES.index(label))


def colours(text: str | None, option: str) -> list[float] | None:
    """Three numbers with commas between, one a colour.

    Raises:
        UserError: something else.
    """
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"{option} needs three numbers, red,green,blue, such as 0.49,0.48,0.45; got {text!r}.") from error
    return numbers


def harm(model: nn.Module, pictures: Tensor, labels: Tensor, settings: AttackSettings, seed: int, what: str) -> Tensor:
    """The attacked pictures, with a progress bar.

    Raises:
        typer.Exit: Ctrl-C stopped it.
    """
    with Bar(what) as bar:
        harmed = attacked(model, pictures, labels, settings, seed=seed, tick=lambda done, total: bar(done, total, {}))
    if harmed is None:
        typer.echo("Stopped before the attack was done; nothing was written.", err=True)
        raise typer.Exit(STOPPED)
    return harmed


def attack(
    pictures: PicturesAt,
    out: Out = Path("runs/attack"),
    classifier: Name = "ro",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Attack this PreAct ResNet or WideResNet of RobustBench's naming instead.")
    ] = None,
    mean: Annotated[str | None, typer.Option(help="red,green,blue in [0, 1] that --checkpoint takes off pictures.")] = None,
    std: Annotated[str | None, typer.Option(help="red,green,blue in [0, 1] that --checkpoint divides them by.")] = None,
    label: Label = None,
    norm: Norm = "l2",
    eps: Eps = None,
    step: Step = None,
    attack_steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Attack a bare classifier: writes the attacked pictures and answers.json with the class probabilities."""
    apply_threads(threads)
    model = _attacked_model(classifier, checkpoint, colours(mean, "--mean"), colours(std, "--std"))
    read = read_pictures(pictures)
    names, clean = read.names, read.images
    settings = attack_settings(norm, eps, step, attack_steps)
    with torch.no_grad():
        before = model(clean)
    if before.shape[1] != len(CIFAR10_CLASSES):
        raise UserError(f"{checkpoint} tells {before.shape[1]} classes apart; a classifier of CIFAR-10's 10 is needed.")
    labels = true_labels(label, before)
    harmed = harm(model, clean, labels, settings, seed, "attack")
    with torch.no_grad():
        after = model(harmed)
    answers = []
    for i, name in enumerate(names):
        file = unused(out / f"{Path(name).stem}-attacked.png")
        write_bytes(file, png_bytes(to_bytes(harmed[i])))
        record = {"picture": name, "attacked_picture": file.name, "true": CIFAR10_CLASSES[int(labels[i])]}
        answers.append({**record, "clean": said(before[i]), "attacked": said(after[i])})
        typer.echo(f"{name}: {best(before[i])} before, {best(after[i])} attacked")
    content = {"attack": settings.model_dump(), "pictures": answers}
    write_text(unused(out / "answers.json"), json.dumps(content, indent=1) + "\n")
    leave(stopped=False, refused=read.refused)


def _attacked_model(classifier: str, checkpoint: Path | None, mean: list[float] | None, std: list[float] | None) -> nn.Module:
    """The embedded classifier, or the file's, with what was assumed of it said."""
    if checkpoint is None:
        if mean is not None or std is not None:
            raise UserError("--mean and --std belong to --checkpoint; the embedded classifiers have their own.")
        return load_classifier(classifier)[1]
    model = load_robustbench(checkpoint, mean=mean, std=std)
    for notice in model.notices:
        typer.echo(f"{checkpoint.name}: {notice}")
    return model


def said(logits: Tensor) -> dict[str, float]:
    """Class probabilities by name."""
    return {name: round(float(p), 4) for name, p in zip(CIFAR10_CLASSES, logits.softmax(dim=0), strict=True)}


def best(logits: Tensor) -> str:
    """The likeliest class with its probability."""
    p, index = logits.softmax(dim=0).max(dim=0)
    return f"{CIFAR10_CLASSES[int(index)]} {float(p):.0%}"


def defend(
    pictures: PicturesAt,
    out: Out = Path("runs/defend"),
    classifier: Name = "ro",
    space: Annotated[str, typer.Option(help="Space to search: X, or a learned one.")] = "residual",
    steps: Annotated[int, typer.Option(help="Steps of defence.", min=1, max=200)] = 5,
    lr: Annotated[float | None, typer.Option(help="Learning rate; the advised one where absent.", min=1e-6)] = None,
    label: Label = None,
    norm: Norm = "l2",
    eps: Eps = None,
    step: Step = None,
    attack_steps: Steps = None,
    aware: Annotated[bool, typer.Option("--aware/--static", help="Attack classifier and defence together.")] = False,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Attack pictures (--eps 0 takes them as they are), restore them, and print the probabilities step by step.

    A static attack does not know of the defence; one that does undoes most of what such defences gain (--aware).
    """
    apply_threads(threads)
    defence = load_defence(classifier)
    read = read_pictures(pictures)
    names, clean = read.names, read.images
    labels = true_labels(label, defence.logits(clean))
    lane = Lane(space, defence.task.space(space), defence.task.advice(space, lr=lr).build(steps))
    model = Defended(defence, lane, steps, seed=seed) if aware else defence.classifier
    settings = attack_settings(norm, eps, step, attack_steps)
    harmed = harm(model, clean, labels, settings, seed, "attack, aware of the defence" if aware else "attack")
    found = run_defence_steps(defence, lane, harmed, labels, steps, seed)
    made = {"classifier": classifier, "models": dict(defence.task.hashes), "space": space, "seed": seed, "aware": aware,
            "optimizer": defence.task.advice(space, lr=lr).model_dump(), "attack": settings.model_dump()}  # fmt: skip
    for i, name in enumerate(names):
        typer.echo(f"{name}: {best(defence.logits(clean[i : i + 1])[0])} clean")
        for k, (logits, loss, gap, _) in enumerate(found):
            typer.echo(f"  step {k}: {best(logits[i])}, contrastive loss {float(loss[i]):.4f}, margin {float(gap[i]):+.2f}")
        rows = [
            {"loss": float(loss[i]), "margin": float(gap[i]), "probabilities": said(each[i])} for each, loss, gap, _ in found
        ]
        record = {**made, "picture": name, "true": CIFAR10_CLASSES[int(labels[i])], "steps": rows}
        with whole(unused(out / f"{Path(name).stem}.zip")) as partial, zipfile.ZipFile(partial, "w") as archive:
            archive.writestr("defence.json", json.dumps(record, indent=1) + "\n")
            for file, picture in (("clean", clean), ("attacked", harmed), ("restored", found[-1][3])):
                archive.writestr(f"{file}.png", png_bytes(to_bytes(picture[i])))
    leave(stopped=False, refused=read.refused)


def run_defence_steps(
    defence: Defence, lane: Lane, harmed: Tensor, labels: Tensor, steps: int, seed: int
) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """(logits, contrastive loss, margin, restored picture) of the attacked pictures and after every step of the defence."""
    task = defence.task

    def seen(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        logits = defence.logits(pictures)
        with torch.no_grad():
            return logits, defence.objective.contrastive(pictures), margin(logits, labels), pictures

    solver = Solver(task.forward, task.objective, Target(harmed), [lane], max_steps=steps)
    run = states(solver, solver.init(random_starts([lane.space], len(harmed), seed)))
    next(run)  # the random start is no defence yet
    return [seen(harmed), *(seen(restored(harmed, state.lanes[0].output)) for state in run)]
