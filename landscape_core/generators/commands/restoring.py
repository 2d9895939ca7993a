"""`reproduce restore`, `restore-observed` and `editing`: every observation in X and in Z, by other Θ's too, and what can be
made of two results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from torch import Tensor

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.comparing import learned
from landscape_core.experiments.results import finish
from landscape_core.generators.commands.reproduce import Steps, Work, pictures_of
from landscape_core.generators.datasets import DOMAINS, pictured
from landscape_core.generators.experiments import editing as edits
from landscape_core.generators.experiments import restoring
from landscape_core.generators.experiments import restoring_claims as table
from landscape_core.generators.experiments import restoring_taught as taught
from landscape_core.generators.experiments.restoring_searches import OBSERVATIONS, RestoreSettings
from landscape_core.generators.observing import Instrument
from landscape_core.generators.task import image_objective, load_image_task
from landscape_core.generators.training.observed import checked_names
from landscape_core.generators.training.theta import mapping_trainer
from landscape_core.images.datasets import load_images
from landscape_core.images.sets import FACES, targets
from landscape_core.options import Data, Device, Distance, EvaluatedSplit, Images, Out, Seed, Space, Threads, UnseenSplit
from landscape_core.progress import Tick
from landscape_core.search.editing import FARTHEST
from landscape_core.search.race import DEFAULT_PERCEPTUAL
from landscape_core.search.spaces import SearchSpace
from landscape_core.training.theta import spent

Observed = Annotated[list[str], typer.Option("--observe", help="What is seen; give it again for another. All where absent.")]
RateTargets = Annotated[int, typer.Option("--tune-targets", help="Pictures of train that choose every row's rate.", min=1)]
TuneSteps = Annotated[int, typer.Option(help="Steps after which rates are chosen at the latest.", min=1)]


def restore(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures of the split.", min=1)] = 30,
    split: UnseenSplit = "val",
    images: Images = None,
    steps: Steps = [5, 20, 200],  # noqa: B006  # typer copies it
    observations: Observed = [],  # noqa: B006
    tuned: RateTargets = 8,
    tune_steps: TuneSteps = 200,
    spread: Annotated[int, typer.Option("--spread-targets", help="Pictures that get five hypotheses.", min=1)] = 8,
    domain: Annotated[str, typer.Option("--task", "--domain", help=f"Whose generator: {', '.join(DOMAINS)}.")] = "faces",
    space: Space = "residual",
    work: Work = Path("runs/restore-tables"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Every observation searched in X and in Z by the same optimisers: fit, PSNR and LPIPS to the truth, distance to the prior,
    spread. Stop it at any time; the same command goes on."""
    apply_threads(threads)
    task = load_image_task(domain, perceptual=perceptual, device=device)
    task.learned(space)
    settings = RestoreSettings(
        number,
        tuple(sorted(set(steps))),
        _names(observations),
        tuned,
        tune_steps,
        spread_targets=spread,
        space=space,
        seed=seed,
    )
    pictures = pictures_of(data, split, images, number, seed, task.side, domain)
    train = targets(DOMAINS[pictured(domain)].source(data, "train", task.side), tuned, seed)
    lpips = image_objective("lpips", task.device)[0].distance
    with Ticker() as tick:
        result = restoring.run_restore(task, train, pictures, settings, lpips, command_line(), tick, work)
    typer.echo(table.markdown(result))
    finish(result, out, table.plot)


def restore_observed(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures of val.", min=2)] = 30,
    steps: Steps = [5, 20],  # noqa: B006  # typer copies it
    observations: Observed = [],  # noqa: B006
    tuned: RateTargets = 4,
    tune_steps: TuneSteps = 20,
    buffers: Annotated[int, typer.Option(help="Buffers that each of the two is trained for.", min=1)] = 8,
    batch: Annotated[int, typer.Option("--buffer-targets", help="Pictures in a buffer.", min=1)] = 192,
    space: Space = "residual",
    work: Work = Path("runs/restore-observed"),
    out: Out = Path("results"), device: Device = "cpu", seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """A Θ learned on a mixture of all observations beside its twin that saw whole pictures for as long, and beside the embedded
    one and X. Trains both; stop it at any time, the same command goes on."""
    apply_threads(threads)
    task = load_image_task("faces", device=device)
    task.learned(space)
    settings = RestoreSettings(
        number, tuple(sorted(set(steps))), _names(observations), tuned, tune_steps, spread_targets=0, space=space, seed=seed
    )
    with Ticker() as tick:
        found = _learned(load_images(FACES.source(data, "train", task.side)), work, buffers, batch, device, seed, tick)
        pictures = pictures_of(data, "val", None, number, seed, task.side)
        train = targets(FACES.source(data, "train", task.side), tuned, seed)
        result = taught.run_taught(
            task, train, pictures, {row: space for row, (space, _) in found.items()}, settings,
            image_objective("lpips", task.device)[0].distance, command_line(), tick, work,
            {"training_budget": {row: took for row, (_, took) in found.items()}},
        )  # fmt: skip
    typer.echo(taught.markdown(result))
    finish(result, out, taught.plot)


def _learned(
    images: Tensor, work: Path, buffers: int, batch: int, device: str, seed: int, tick: Tick
) -> dict[str, tuple[SearchSpace, dict[str, Any]]]:
    """The two Θ's by their rows, resumed from below `work` where they were begun, and what each training took."""
    found: dict[str, tuple[SearchSpace, dict[str, Any]]] = {}
    for row, seen in ((taught.OBSERVED, checked_names(OBSERVATIONS)), (taught.WHOLE, ())):
        folder = work / f"{row.split()[-1]}-{buffers}x{batch}-seed{seed}"
        trainer, _ = mapping_trainer(
            "faces", "residual", images, folder, buffers=buffers, targets=batch, observations=seen, seed=seed, device=device,
            tick=lambda done, total: tick("curvature", done, total),
        )  # fmt: skip
        found[row] = learned(trainer, tick, f"learning {row}"), spent(trainer)
    return found


def _names(observations: list[str]) -> tuple[str, ...]:
    return tuple(str(Instrument.of(name)) for name in observations) or OBSERVATIONS


def editing(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures of the split.", min=2)] = 30,
    split: EvaluatedSplit = "val",
    images: Images = None,
    steps: Annotated[int, typer.Option(help="Steps of inversion, by L-BFGS in both spaces.", min=1)] = 50,
    directions: Annotated[int, typer.Option(help="The prior's principal directions to move along.", min=1, max=100)] = 10,
    amount: Annotated[float, typer.Option(help="How far, in standard deviations.", min=0.1, max=FARTHEST)] = 2.0,
    domain: Annotated[str, typer.Option("--task", "--domain", help=f"Whose generator: {', '.join(DOMAINS)}.")] = "faces",
    space: Space = "residual",
    work: Work = Path("runs/editing"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Which of two inversions at the same loss edits better: how far edited results of X and of Z leave the prior, and what the
    encoder sees of the picture then."""
    apply_threads(threads)
    task = load_image_task(domain, perceptual=perceptual, device=device)
    task.learned(space)
    pictures = pictures_of(data, split, images, number, seed, task.side, domain)
    settings = edits.EditingSettings(number, steps, directions, amount, space, seed)
    with Ticker() as tick:
        result = edits.run_editing(task, pictures, settings, command_line(), tick, work)
    typer.echo(edits.markdown(result))
    finish(result, out, edits.plot)
