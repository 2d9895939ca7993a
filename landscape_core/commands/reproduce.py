"""`reproduce`: the papers' tables and figures on our models, into results/NAME.json and a plot."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from landscape_core.commands.common import Data, Device, Out, Seed, Threads, apply_threads
from landscape_core.data import ImageSource
from landscape_core.errors import UserError
from landscape_core.reproduce import convergence as fig3a
from landscape_core.reproduce.inputs import DOMAINS, targets
from landscape_core.reproduce.report import report, with_results
from landscape_core.reproduce.results import Result, table
from landscape_core.tasks.gan import Perceptual, load_image_task

app = typer.Typer(help=__doc__, no_args_is_help=True)


class Ticker:
    """A progress bar per stage of an experiment."""

    def __init__(self) -> None:
        self.label: str | None = None
        self.bar: tqdm[Any] = tqdm(disable=True)

    def __call__(self, label: str, done: int, total: int) -> None:
        if label != self.label:
            self.bar.close()
            self.label, self.bar = label, tqdm(desc=label, total=total, dynamic_ncols=True)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


FOLDERS = ("--work", "--out", "--assets")


def command_line() -> str:
    """The command as typed, without the folders it wrote to, which are this machine's own."""
    words = sys.argv[1:]
    kept = [word for i, word in enumerate(words) if word not in FOLDERS and (i == 0 or words[i - 1] not in FOLDERS)]
    return shlex.join(["python", "-m", "landscape_core", *(word for word in kept if not word.startswith(FOLDERS))])


def finish(result: Result, out: Path, plot: Callable[[Path], None]) -> None:
    """Write the result and its plot, and print the claims."""
    path = result.write(out)
    plot(path.with_suffix(".png"))
    typer.echo(table(result.claims))
    typer.echo(f"Wrote {path} and {path.with_suffix('.png')}.")


@app.command()
def convergence(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures per data set.", min=1)] = 200,
    split: Annotated[str, typer.Option(help="Split to evaluate; X is tuned on train.")] = "val",
    images: Annotated[Path | None, typer.Option(help="Evaluate this folder or zip of pictures instead.")] = None,
    steps: Annotated[
        int, typer.Option(help="Steps of descent; from 2000 on the result is called converged.", min=1, max=5000)
    ] = 200,
    tuned: Annotated[int, typer.Option("--tune-targets", help="Pictures of train that choose X's rates.", min=1)] = 24,
    domain: Annotated[
        str, typer.Option(help=f"Whose generator: {', '.join(DOMAINS)}; the others' pictures are OOD.")
    ] = "faces",
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    device: Device = "cpu",
    perceptual: Annotated[Perceptual, typer.Option(help="embedded, or lpips where its weights are.")] = "embedded",
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Fig. 3a: mean loss per step in X (learning rate tuned on train) and in Z, faces and cats, with the encoder's line."""
    apply_threads(threads)
    if domain not in DOMAINS:
        raise UserError(f"There is no data set for the domain {domain!r}; there are: {', '.join(DOMAINS)}.")
    task = load_image_task(domain, perceptual=perceptual, device=device)
    settings = fig3a.ConvergenceSettings(targets=number, steps=steps, tune_targets=tuned, space=space, seed=seed)
    if images is not None:
        sets = {"images": targets(ImageSource(images), number, seed)}
    else:
        order = sorted(DOMAINS, key=lambda name: name != domain)
        sets = {name: targets(DOMAINS[name].source(data, split), number, seed) for name in order}
    train = targets(DOMAINS[domain].source(data, "train"), settings.tune_targets, seed)
    ticker = Ticker()
    result = fig3a.run_convergence(task, train, sets, settings, command_line(), ticker)
    ticker.close()
    finish(result, out, lambda picture: fig3a.plot(result, picture))


@app.command("report")
def write_report(
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    document: Annotated[Path, typer.Option(help="Markdown file with the two result markers.")] = Path("README.md"),
) -> None:
    """Write the results' tables into the README."""
    document.write_text(with_results(document.read_text(), report(results)))
    typer.echo(f"Wrote the results of {results} into {document}.")
