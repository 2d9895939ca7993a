"""Options that several commands share, and what is made of their text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.images.datasets import ImageSource
from landscape_core.images.sets import targets
from landscape_core.search.optimizers import DEFAULT_RATES, OptimizerName
from landscape_core.search.race import MAX_PRIOR_WEIGHT, Perceptual
from landscape_core.storage import zoo
from landscape_core.storage.files import check_writable


def checked_folder(folder: Path | None) -> Path | None:
    """An option's folder, where it is given and can be written in. Raises UserError otherwise; see `check_writable`."""
    return None if folder is None else check_writable(folder)


def checked_name(name: str | None) -> str | None:
    """An option's value, where it can be a model's name. Raises UserError otherwise; see `zoo.check_name`."""
    return None if name is None else zoo.check_name(name)


def unseen(splits: str) -> str:
    """Splits to measure on, with commas between. Raises UserError where train is among them, for rates are chosen on that."""
    if "train" in splits.split(","):
        raise UserError("Rates are chosen on train, so that it says nothing of how good they are; measure on another --split.")
    return splits


Seed = Annotated[int, typer.Option(help="Fixes every random choice.", min=0, max=2**31 - 1)]
MOST_THREADS = 1024
Threads = Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.", min=0, max=MOST_THREADS)]
Device = Annotated[str, typer.Option(help="cpu, cuda, … whatever torch has on this machine; auto takes an accelerator.")]
Out = Annotated[Path, typer.Option(help="Folder to write into; created where missing.", callback=check_writable)]

# What is searched, and how.
_OWN = "a network of your own: mine.py, mine.py:function or package.module:function."
TASK_HELP = f"faces, cats, …; or {_OWN}"
POSED_HELP = f"faces, cats, …; pose, pose-positions; or {_OWN}"
ANY_TASK_HELP = f"faces, cats, …; pose, pose-positions; features/NAME; or {_OWN}"
LearnedSpace = Annotated[str | None, typer.Option("--space", help="Learned space that Z uses; the task's first where absent.")]
Space = Annotated[str, typer.Option(help="Learned space that Z uses.")]
Distance = Annotated[
    Perceptual, typer.Option("--perceptual", help="Pictures' distance: lpips, or robust, on adversarially robust features.")
]
PriorWeight = Annotated[
    float,
    typer.Option(
        help="Weight in the loss of x's squared distance to what the model knows, of which a drawn x has 1.",
        min=0.0, max=MAX_PRIOR_WEIGHT,
    ),
]  # fmt: skip
Optimizers = Annotated[
    list[str] | None,
    typer.Option(
        "--optimizer",
        help=f"A column of the table, X and Z by it: {', '.join(DEFAULT_RATES)}; give it again for another. The one advised "
        "for Z where absent.",
    ),
]
XRate = Annotated[float | None, typer.Option(help="X's learning rate; the advised one where absent.")]
ZRate = Annotated[float | None, typer.Option(help="Z's learning rate; the advised one where absent.")]

# Data sets, and files of anybody's.
Data = Annotated[Path, typer.Option(help="Folder that holds the data sets (faces128.zip, cats128.zip, …).")]
Cifar = Annotated[Path, typer.Option(help="CIFAR-10: a folder or zip with train/ and test/, a folder per class in each.")]
Pictures = Annotated[Path, typer.Option("--data", help="Folder or zip of pictures to train on.")]
Images = Annotated[Path | None, typer.Option(help="Use this folder or zip of pictures instead.")]
Split = Annotated[str | None, typer.Option(help="Folder inside the data to take, e.g. train; all of it where absent.")]
EvaluatedSplit = Annotated[str, typer.Option("--split", help="Split of the data to take.")]
UnseenSplit = Annotated[
    str, typer.Option("--split", help="Split of the data to evaluate; rates are chosen on train.", callback=unseen)
]
UnseenSplits = Annotated[
    str,
    typer.Option(
        "--split", help="Splits of the data to evaluate, known actions first; rates are chosen on train.", callback=unseen
    ),
]
BoxOption = Annotated[str | None, typer.Option("--box", help="left,top,right,bottom in pixels to cut out before resizing.")]

# Trainings, and the models that they leave.
Work = Annotated[
    Path,
    typer.Option("--work", help="Folder for checkpoints; start again with the same one to resume.", callback=check_writable),
]
Buffers = Annotated[int | None, typer.Option(help="Buffers B; the preset's where absent.", min=1)]
CurvatureInputs = Annotated[
    int | None, typer.Option(help="Inputs at which the curvature is measured; the preset's number where absent.", min=1)
]
Assets = Annotated[Path, typer.Option(help="Where the finished model and its card go.", callback=check_writable)]
Domain = Annotated[str, typer.Option(help="Name below the assets folder, e.g. faces.", callback=checked_name)]
Licence = Annotated[str, typer.Option(help="Licence of the data, for the card.")]

# Poses.
SeenJoints = Annotated[str, typer.Option(help="Joints seen: all, upper, lower, or names with commas between.")]
JointMap = Annotated[
    Path | None, typer.Option("--map", help='JSON file that says which joint is which: {"Hand_L": "wrist.left", …}.')
]


def odd(points: int) -> int:
    """A number of points a side, so that a grid has a centre. Raises UserError for an even one."""
    if points % 2 == 0:
        raise UserError(f"--size must be odd, so that the grid has a centre; got {points}.")
    return points


def all_taken(drawn: Tensor, asked: int, where: object) -> Tensor:
    """What was drawn (n, ...) for a command; where that is less than was asked for, it is said."""
    if len(drawn) < asked:
        typer.echo(f"{where} holds {len(drawn)} of the {asked} targets that were asked for: all are taken.")
    return drawn


def pictures_from(source: ImageSource, n: int, seed: int) -> Tensor:
    """n pictures (n, 3, size, size) in [-1, 1] of a source, or all where it has fewer, which is said."""
    return all_taken(targets(source, n, seed), n, source)


def numbers(text: str, option: str) -> list[float]:
    """ "15,25,50" as numbers. Raises UserError for anything else."""
    try:
        return [float(each) for each in text.split(",")]
    except ValueError as error:
        raise UserError(f"{option} takes numbers with commas between; got {text!r}.") from error


def parse_box(text: str | None) -> tuple[int, int, int, int] | None:
    """ "left,top,right,bottom" in pixels.

    Raises:
        UserError: not four whole numbers in order.
    """
    if text is None:
        return None
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"--box needs four whole numbers, left,top,right,bottom; got {text!r}.") from error
    if not (0 <= left < right and 0 <= top < bottom):
        raise UserError(f"--box must have 0 <= left < right and 0 <= top < bottom; got {text!r}.")
    return left, top, right, bottom


def columns(given: Sequence[str] | None, usual: OptimizerName) -> list[OptimizerName]:
    """The optimisers that `--optimizer` named, each once, or the usual one.

    Raises:
        UserError: there is no such optimiser.
    """
    for name in given or []:
        if name not in DEFAULT_RATES:
            raise UserError(f"There is no optimiser {name!r}; there are: {', '.join(DEFAULT_RATES)}.")
    return [known for known in DEFAULT_RATES if known in (given or [usual])]
