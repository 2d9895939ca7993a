"""The command line: `python -m landscape_core --help`. Commands are plain functions; here they get their names."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from landscape_core import processes
from landscape_core.autoencoders.commands import applications, decoders, levels
from landscape_core.autoencoders.commands import reproduce as autoencoder_tables
from landscape_core.autoencoders.commands import train as train_autoencoders
from landscape_core.commands import (
    adopt,
    bench,
    complete,
    follow,
    invert,
    mapping,
    models,
    process,
    replay,
    reproduce_all,
    reproduce_em,
    reproduce_why,
    serve,
    surface,
    tables,
)
from landscape_core.commands import reproduce as shared_tables
from landscape_core.console import REFUSED, STOPPED
from landscape_core.defence.commands import reproduce as defence_tables
from landscape_core.defence.commands import run as defence
from landscape_core.defence.commands import train as train_defence
from landscape_core.errors import UserError, first_problem, reason
from landscape_core.features.commands import train as train_features
from landscape_core.generators.commands import leads as lead_tables
from landscape_core.generators.commands import practice, sheets
from landscape_core.generators.commands import reproduce as generator_tables
from landscape_core.generators.commands import restoring as restoring_tables
from landscape_core.generators.commands import run as generators
from landscape_core.generators.commands import train as train_generators
from landscape_core.playground.commands import reproduce as playground_tables
from landscape_core.playground.commands import run as playground
from landscape_core.plugins.commands import check
from landscape_core.plugins.commands import reproduce as plugin_tables
from landscape_core.pose.commands import reproduce as pose_tables
from landscape_core.pose.commands import run as pose
from landscape_core.pose.commands import train as train_pose


def _group(help_text: str) -> typer.Typer:
    return typer.Typer(help=help_text, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


app = _group(
    "Invert neural networks by descent in X and in a learned Z, and look at both landscapes. "
    "Exit codes: 0 done, 1 refused (the sentence says why), 130 stopped, what was done is kept."
)
app.command()(invert.invert)
app.command()(generators.restore)
app.command()(complete.complete)
app.command()(pose.pose)
app.command()(follow.follow)
app.command()(replay.replay)
app.command("replay-pose", hidden=True)(replay.replay)  # its name before cards of every kind could be replayed
app.command()(playground.play)
app.command()(surface.surface)
app.command()(defence.attack)
app.command()(defence.defend)
app.command()(check.check)
app.command()(adopt.adopt)
app.command()(bench.bench)
app.command()(models.models)
app.command()(sheets.sheets)
app.command()(process.process)
app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(serve.serve)

train = _group("The embedded models' recipes, on anybody's pictures.")
app.add_typer(train, name="train")
train.command()(train_generators.generator)
train.command()(mapping.mapping)
train.command("mapping-compare")(mapping.mapping_compare)
train.command()(train_generators.measure)
train.command()(train_features.perceptual)
train.command()(train_features.classifier)
train.command("features-decoder")(train_autoencoders.features_decoder)
train.command("features-mapping")(train_autoencoders.features_mapping)
train.command("pose-prior")(train_pose.pose_prior)
train.command("pose-mapping")(train_pose.pose_mapping)
train.command("pose-compare")(train_pose.pose_compare)
train.command()(train_defence.contrastive)
train.command("defence-mapping")(train_defence.defence_mapping)

reproduce = _group("The papers' tables and figures on our models, into results/NAME.json and a plot.")
app.add_typer(reproduce, name="reproduce")
reproduce.command()(tables.convergence)
reproduce.command("all")(reproduce_all.reproduce_all)
reproduce.command("report")(shared_tables.write_report)
reproduce.command()(shared_tables.landscapes)
reproduce.command()(reproduce_why.why)
reproduce.command()(reproduce_em.em)
reproduce.command()(lead_tables.noise)
reproduce.command()(lead_tables.spectrum)
reproduce.command("noise-only")(lead_tables.noise_only)
reproduce.command()(lead_tables.weighting)
reproduce.command()(practice.fragile)
reproduce.command()(practice.cost)
reproduce.command()(generator_tables.completions)
reproduce.command()(restoring_tables.restore)
reproduce.command("restore-observed")(restoring_tables.restore_observed)
reproduce.command()(restoring_tables.editing)
reproduce.command()(generator_tables.ablation)
reproduce.command("z-dimension")(generator_tables.z_dimension)
reproduce.command("w-plus")(generator_tables.w_plus)
reproduce.command()(tables.budget)
reproduce.command()(autoencoder_tables.features)
reproduce.command("features-table")(decoders.table)
reproduce.command("features-inversion")(decoders.inversion)
reproduce.command("features-resolution")(decoders.resolution)
reproduce.command("features-denoise")(applications.denoise)
reproduce.command("features-anomaly")(applications.anomaly)
reproduce.command("features-style")(applications.style)
reproduce.command("features-ablation")(levels.ablation)
reproduce.command("features-sweet-spot")(levels.sweet_spot)
reproduce.command()(defence_tables.defence)
reproduce.command()(pose_tables.pose)
reproduce.command("pose-completions")(pose_tables.pose_completions)
reproduce.command()(pose_tables.follow)
reproduce.command()(plugin_tables.plugins)
reproduce.command()(playground_tables.playground)


def main() -> None:
    """Run the command line.

    Exit codes: 0 all is done; 1 something was refused, with a sentence on stderr; 130 it was stopped by Ctrl-C, or asked to
    stop by SIGTERM while a progress bar ran, and what was done is kept. Of several processes the main one speaks, but each says
    why it was refused.
    """
    try:
        with processes.one_voice():
            app()
    except SystemExit as leaving:  # the command line itself is wrong: typer explained it
        sys.exit(REFUSED if leaving.code == 2 else leaving.code)
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except UserError as error:
        sentence = str(error)
    except ValidationError as error:  # settings are validated where they are made, all of it from what was typed
        sentence = first_problem(error)
    except (OSError, MemoryError) as error:  # a disk or a memory that gave out where nobody asked it
        sentence = f"{getattr(error, 'filename', None) or 'This command'} failed: {reason(error)}."
    typer.echo(sentence, err=True)
    sys.exit(REFUSED)
