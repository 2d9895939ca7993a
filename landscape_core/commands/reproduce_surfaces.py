"""`reproduce landscapes` and `reproduce completions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from torch import Tensor

from landscape_core.commands.common import Data, Device, Out, Seed, Threads, apply_threads
from landscape_core.commands.pose import MOCAP
from landscape_core.commands.reproduce import Ticker, command_line, finish
from landscape_core.commands.surface import OBSERVED
from landscape_core.data import ImageSource
from landscape_core.mocap import load_poses
from landscape_core.objectives import Target
from landscape_core.optimizers import OptimizerName
from landscape_core.recovered import save_recovered
from landscape_core.reproduce import completions as fig6
from landscape_core.reproduce import landscapes as fig8
from landscape_core.reproduce.inputs import DOMAINS, targets
from landscape_core.reproduce.pose import draw
from landscape_core.surface_averages import LandscapeSettings
from landscape_core.tasks.gan import Perceptual, load_image_task
from landscape_core.tasks.pose import load_body, load_pose_task

Subject = Literal["faces", "cats", "pose", "pose-positions"]
Number = Annotated[int, typer.Option("--targets", help="Targets.", min=3)]
Split = Annotated[str, typer.Option(help="Split of the data to take.")]
Images = Annotated[Path | None, typer.Option(help="Use this folder or zip of pictures instead.")]
Space = Annotated[str, typer.Option(help="Learned space that Z uses.")]
Distance = Annotated[Perceptual, typer.Option(help="embedded, or lpips where its weights are.")]


def _pictures(data: Path, split: str, images: Path | None, number: int, seed: int, domain: str = "faces") -> Tensor:
    return targets(DOMAINS[domain].source(data, split) if images is None else ImageSource(images), number, seed)


def landscapes(
    data: Data = Path("data"),
    number: Number = 50,
    split: Split = "val",
    images: Images = None,
    steps: Annotated[int, typer.Option(help="Steps of descent before the grid is laid.", min=2)] = 20,
    size: Annotated[int, typer.Option(help="Points a side of every surface, odd.", min=5)] = 21,
    x_optimizer: Annotated[OptimizerName | None, typer.Option(help="X's optimiser; the advised one where absent.")] = None,
    space: Space = "residual",
    task: Annotated[
        Subject, typer.Option(help="Which task: pictures of a domain, or poses from rotations or positions of joints.")
    ] = "faces",
    perceptual: Distance = "embedded",
    embed: Annotated[
        bool, typer.Option(help="Also write the recovered directions to assets/, for `surface` and the app.")
    ] = False,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Appendix A, Fig. 8: convexity, minima, roughness and steepness of the loss surfaces in X and in Z."""
    apply_threads(threads)
    if task in DOMAINS:
        loaded = load_image_task(task, perceptual=perceptual, device=device)
        chosen = Target(_pictures(data, split, images, number, seed, task))
        source = (images or Path(DOMAINS[task].file)).name
    else:
        loaded, source = load_pose_task(OBSERVED[task]), MOCAP
        chosen = load_body(OBSERVED[task]).target(draw(load_poses(data / MOCAP, split), number, seed))
    settings = LandscapeSettings(steps=steps, size=size, space=space, x_optimizer=x_optimizer, seed=seed)
    ticker, name = Ticker(), "landscapes" if task == "faces" else f"landscapes-{task}"
    result, examples, planes = fig8.run_landscapes(loaded, chosen, settings, command_line(), ticker, name=name)
    ticker.close()
    finish(result, out, lambda picture: fig8.plot(result, examples, picture))
    if embed:
        card = save_recovered(
            loaded, planes, n=len(chosen), steps=steps, trained_on=f"latents of {len(chosen)} targets of {source}, {split}",
            licence="that of the targets' data set", command=command_line(), seed=seed,
        )  # fmt: skip
        typer.echo(f"Embedded {card.name}.")


def completions(
    data: Data = Path("data"),
    number: Number = 50,
    split: Split = "val",
    images: Images = None,
    k: Annotated[int, typer.Option("-k", help="Completions per face in each space.", min=2, max=64)] = 8,
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1)] = 50,
    x_optimizer: Annotated[OptimizerName | None, typer.Option(help="X's optimiser; the advised one where absent.")] = None,
    space: Space = "residual",
    perceptual: Distance = "embedded",
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Fig. 6 and 9: diversity of completions in the hidden part and fidelity in the visible one, X against Z."""
    apply_threads(threads)
    task = load_image_task("faces", perceptual=perceptual, device=device)
    pictures = _pictures(data, split, images, number, seed)
    study = fig6.CompletionStudy(k=k, steps=steps, space=space, x_optimizer=x_optimizer, seed=seed)
    ticker = Ticker()
    result = fig6.run_completions(task, pictures, study, command_line(), ticker)
    ticker.close()
    finish(result, out, lambda picture: fig6.plot(result, picture))
