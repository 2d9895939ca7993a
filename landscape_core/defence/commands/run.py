"""`attack` and `defend`: harm pictures of the user's own, and restore them."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from PIL import Image
from torch import Tensor, nn

from landscape_core.console import Bar, Out, Seed, Threads, apply_threads
from landscape_core.defence.attacks import ATTACKS, AttackSettings, Defended, attacked
from landscape_core.defence.objective import Defence, margin, random_starts, restored
from landscape_core.defence.task import load_classifier, load_defence
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.features.robustbench import load_robustbench
from landscape_core.images.datasets import SUFFIXES
from landscape_core.images.pixels import to_bytes, to_unit
from landscape_core.images.reading import centre_box, crop_square, load_picture
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.trajectory import states

Norm = Annotated[Literal["l2", "linf"], typer.Option(help="l2: Table 1's attack; linf: 8/255.")]
Eps = Annotated[
    float | None, typer.Option(help="Radius for pixels in 0..255; the attack's own where absent.", min=0.0, max=5100)
]
Step = Annotated[float | None, typer.Option(help="Length of an ascent step for pixels in 0..255.", min=0.001, max=5100)]
Steps = Annotated[int | None, typer.Option("--attack-steps", help="Ascent steps of the attack.", min=1, max=1000)]
Label = Annotated[
    str | None, typer.Option(help=f"True class: {', '.join(CIFAR10_CLASSES)}; what the bare classifier says if absent.")
]
Pictures = Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP file, or a folder of them.")]
Name = Annotated[str, typer.Option("--classifier", help="Embedded classifier, e.g. ro or mart.")]


def attack_settings(norm: str, eps: float | None, step: float | None, steps: int | None) -> AttackSettings:
    """The named attack with what was changed; lengths come in for pixels in 0..255."""
    lengths = {key: value / 255 for key, value in (("eps", eps), ("step", step)) if value is not None}
    return ATTACKS[norm].model_copy(update=lengths if steps is None else {**lengths, "steps": steps})


def read_pictures(path: Path) -> tuple[list[str], Tensor]:
    """Names and pictures (n, 3, 32, 32) in [-1, 1] of a file or a folder, each its centred square.

    Raises:
        UserError: there is no picture.
    """
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise UserError(f"No pictures ({', '.join(SUFFIXES)}) in {path}.")
    images = (load_picture(file).image for file in files)
    return [file.name for file in files], to_unit(torch.stack([crop_square(image, centre_box(image), 32) for image in images]))


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


def harm(model: nn.Module, pictures: Tensor, labels: Tensor, settings: AttackSettings, seed: int, what: str) -> Tensor:
    """The attacked pictures, with a progress bar.

    Raises:
        UserError: Ctrl-C stopped it.
    """
    with Bar(what) as bar:
        harmed = attacked(model, pictures, labels, settings, seed=seed, tick=lambda done, total: bar(done, total, {}))
    if harmed is None:
        raise UserError("Stopped before the attack was done; nothing was written.")
    return harmed


def png(picture: Tensor) -> bytes:
    """A picture (3, H, W) in [-1, 1] as a PNG file."""
    buffer = BytesIO()
    Image.fromarray(to_bytes(picture).permute(1, 2, 0).contiguous().numpy()).save(buffer, "PNG")
    return buffer.getvalue()


def attack(
    pictures: Pictures,
    out: Out = Path("runs/attack"),
    classifier: Name = "ro",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Attack this PreAct ResNet or WideResNet of RobustBench's naming instead.")
    ] = None,
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
    model: nn.Module = load_classifier(classifier)[1] if checkpoint is None else load_robustbench(checkpoint)
    names, clean = read_pictures(pictures)
    settings = attack_settings(norm, eps, step, attack_steps)
    with torch.no_grad():
        before = model(clean)
    if before.shape[1] != len(CIFAR10_CLASSES):
        raise UserError(f"{checkpoint} tells {before.shape[1]} classes apart; a classifier of CIFAR-10's 10 is needed.")
    labels = true_labels(label, before)
    harmed = harm(model, clean, labels, settings, seed, "attack")
    with torch.no_grad():
        after = model(harmed)
    out.mkdir(parents=True, exist_ok=True)
    answers = []
    for i, name in enumerate(names):
        (out / f"{Path(name).stem}-attacked.png").write_bytes(png(harmed[i]))
        record = {"picture": name, "true": CIFAR10_CLASSES[int(labels[i])]}
        answers.append({**record, "clean": said(before[i]), "attacked": said(after[i])})
        typer.echo(f"{name}: {best(before[i])} before, {best(after[i])} attacked")
    content = {"attack": settings.model_dump(), "pictures": answers}
    (out / "answers.json").write_text(json.dumps(content, indent=1) + "\n")


def said(logits: Tensor) -> dict[str, float]:
    """Class probabilities by name."""
    return {name: round(float(p), 4) for name, p in zip(CIFAR10_CLASSES, logits.softmax(dim=0), strict=True)}


def best(logits: Tensor) -> str:
    """The likeliest class with its probability."""
    p, index = logits.softmax(dim=0).max(dim=0)
    return f"{CIFAR10_CLASSES[int(index)]} {float(p):.0%}"


def defend(
    pictures: Pictures,
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
    names, clean = read_pictures(pictures)
    labels = true_labels(label, defence.logits(clean))
    lane = Lane(space, defence.task.space(space), defence.task.advice(space, lr=lr).build(steps))
    model = Defended(defence, lane, steps, seed=seed) if aware else defence.classifier
    settings = attack_settings(norm, eps, step, attack_steps)
    harmed = harm(model, clean, labels, settings, seed, "attack, aware of the defence" if aware else "attack")
    found = run_defence_steps(defence, lane, harmed, labels, steps, seed)
    out.mkdir(parents=True, exist_ok=True)
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
        with zipfile.ZipFile(out / f"{Path(name).stem}.zip", "w") as archive:
            archive.writestr("defence.json", json.dumps(record, indent=1) + "\n")
            for file, picture in (("clean", clean), ("attacked", harmed), ("restored", found[-1][3])):
                archive.writestr(f"{file}.png", png(picture[i]))


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
