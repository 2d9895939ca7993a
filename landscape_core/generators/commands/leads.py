"""`reproduce noise`, `spectrum`, `noise-only` and `weighting`: what is left of Z's lead elsewhere (appendices D and E)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.comparing import learned
from landscape_core.experiments.results import finish
from landscape_core.experiments.rows import markdown
from landscape_core.generators.commands.reproduce import Number, Steps, Tuned, Work, pictures_of
from landscape_core.generators.experiments import leads, spectra
from landscape_core.generators.experiments.leads import LeadSettings
from landscape_core.generators.task import load_image_task
from landscape_core.generators.training.theta import mapping_trainer
from landscape_core.images.pixels import to_bytes
from landscape_core.images.sets import CATS, FACES, targets
from landscape_core.options import CurvatureInputs, Data, Device, Distance, Out, Seed, Space, Threads
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual
from landscape_core.search.task import Task
from landscape_core.search.thetas import untrained
from landscape_core.training.theta import spent

UNSEEN = 1000  # added to the seed of the noise that Θ learns from
NOISES = 512  # different pictures of noise to learn from


def _begin(
    data: Path, number: int, tuned: int, steps: list[int], space: str, perceptual: Perceptual, device: str, seed: int
) -> tuple[Task, LeadSettings, Tensor]:
    """The faces' task, settings of a comparison in one of its spaces, and training pictures to tune on."""
    task = load_image_task("faces", perceptual=perceptual, device=device)
    task.learned(space)  # before minutes are spent
    settings = LeadSettings(number, tuple(sorted(set(steps))), tuned, (("Z", space),), seed)
    return task, settings, targets(FACES.source(data, "train", task.side), tuned, seed)


def noise(
    data: Data = Path("data"), number: Number = 50, tuned: Tuned = 8,
    steps: Steps = [20, 200],  # noqa: B006  # typer copies it
    space: Space = "residual", work: Work = Path("runs/leads"), perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"), device: Device = "cpu", seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Table 4: Z against X on faces with Gaussian noise of growing strength."""
    apply_threads(threads)
    task, settings, train = _begin(data, number, tuned, steps, space, perceptual, device, seed)
    sets = spectra.noise_levels(pictures_of(data, "val", None, number, seed, task.side), seed)
    with Ticker() as tick:
        result = leads.run_leads(leads.TABLE4, task, train, sets, settings, command_line(), tick, work)
    typer.echo(markdown(result))
    finish(result, out, leads.plot)


def spectrum(
    data: Data = Path("data"), number: Number = 50, tuned: Tuned = 8,
    steps: Steps = [20, 200],  # noqa: B006  # typer copies it
    space: Space = "residual", work: Work = Path("runs/leads"), perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"), device: Device = "cpu", seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Table 5: Z against X on faces, aligned cats, cats out of line, ships and pure noise."""
    apply_threads(threads)
    task, settings, train = _begin(data, number, tuned, steps, space, perceptual, device, seed)
    sets = spectra.natural(data, task.side, number, seed)
    with Ticker() as tick:
        result = leads.run_leads(leads.TABLE5, task, train, sets, settings, command_line(), tick, work)
    typer.echo(markdown(result))
    finish(result, out, leads.plot)


def weighting(
    data: Data = Path("data"), number: Number = 20, tuned: Tuned = 8,
    steps: Steps = [20, 200],  # noqa: B006  # typer copies it
    space: Space = "residual", work: Work = Path("runs/leads"), perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"), device: Device = "cpu", seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Eq. 5 with the squared error weighed over three decades against LPIPS: which claims depend on it."""
    apply_threads(threads)
    task, settings, train = _begin(data, number, tuned, steps, space, perceptual, device, seed)
    pictures = pictures_of(data, "val", None, number, seed, task.side)
    with Ticker() as tick:
        result = leads.run_weighting(task, train, pictures, settings, command_line(), tick, work)
    typer.echo(markdown(result))
    finish(result, out, leads.plot)


def noise_only(
    data: Data = Path("data"), number: Number = 50, tuned: Tuned = 8,
    steps: Steps = [20, 200],  # noqa: B006  # typer copies it
    buffers: Annotated[int, typer.Option(help="Buffers that Θ is trained for.", min=1)] = 16,
    batch: Annotated[int, typer.Option("--buffer-targets", help="Pictures of noise N in a buffer.", min=1)] = 256,
    curvature_inputs: CurvatureInputs = None,
    work: Work = Path("runs/noise-only"),
    out: Out = Path("results"), device: Device = "cpu", seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Table 6: Θ, whitener and training, from pictures of Gaussian noise alone, on faces and cats. Trains it; stop it at any
    time, the same command goes on."""
    apply_threads(threads)
    task, settings, train = _begin(data, number, tuned, steps, "residual", DEFAULT_PERCEPTUAL, device, seed)
    noises = to_bytes(spectra.noise_pictures(NOISES, task.side, seed + UNSEEN))
    folder = work / f"{buffers}x{batch}-{curvature_inputs}-seed{seed}"
    with Ticker() as tick:
        trainer, _ = mapping_trainer(
            "faces", "residual", noises, folder, buffers=buffers, targets=batch, inputs=curvature_inputs, drawn=0.0, seed=seed,
            device=device, tick=lambda done, total: tick("curvature", done, total),
        )  # fmt: skip
        from_noise = learned(trainer, tick, "learning from noise")
    spaces = {"noise": from_noise, "noise-whitener": untrained(task.prior, from_noise)}
    task = replace(task, mappings={**task.mappings, **spaces})
    names = (("Z from noise", "noise"), ("its whitener alone", "noise-whitener"), ("Z", "residual"))
    settings = replace(settings, spaces=names)
    sets = {
        kind: targets(each.source(data, "val", task.side), number, seed) for kind, each in (("faces", FACES), ("cats", CATS))
    }
    with Ticker() as tick:
        result = leads.run_leads(leads.TABLE6, task, train, sets, settings, command_line(), tick, work)
    result.settings = {**result.settings, "training_budget": {"Z from noise": spent(trainer)}}
    typer.echo(markdown(result))
    finish(result, out, leads.plot)
