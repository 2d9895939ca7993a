"""What `train mapping` learns Θ for, a generator of pictures, a pose prior or a network of one's own: its trainer and how it is
published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from landscape_core.domains import domain_for
from landscape_core.errors import UserError
from landscape_core.experiments.comparing import HELD_OUT
from landscape_core.experiments.held_out import EVALUATIONS, TARGETS, HeldOut
from landscape_core.generators.domain import DOMAIN as GENERATORS
from landscape_core.generators.experiments.compare import held_out
from landscape_core.generators.task import PLUS, load_image_task
from landscape_core.generators.training.theta import (
    drawn_pictures,
    mapping_trainer,
    picture_preset,
    publish_mapping,
)
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.pixels import to_unit
from landscape_core.plugins.domain import DOMAIN as PLUGINS
from landscape_core.plugins.task import CODE
from landscape_core.plugins.training.theta import observations, plugin_mapping_trainer, preset_for, publish_plugin_mapping
from landscape_core.pose.domain import DOMAIN as POSE
from landscape_core.pose.priors import body_of, prior_of
from landscape_core.pose.recordings import Poses, held_back, recorded_poses
from landscape_core.pose.task import Body
from landscape_core.pose.training.theta import pose_mapping_trainer, preset_of, publish_pose_mapping
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer
from landscape_core.training.budget import Budget, Plan, fitted, kept, pace
from landscape_core.training.diary import Diary
from landscape_core.training.theta import MappingPreset

DRAWN = "targets drawn from the model"
POOL = 64  # pictures that the model draws where there are no others: the curvature is measured on the way to some of them


class Publish(Protocol):
    """Writes the Θ as it stands, with a card that names the command, below a folder."""

    def __call__(self, command: str, assets: Path) -> zoo.Card: ...


@dataclass(frozen=True)
class Asked:
    """The command's options. With a `diary` an eighth of the data is held out, and looked at; with `observations` pictures are
    learned on as they are seen so."""

    task: str
    preset: str
    work: Path
    buffers: int | None = None
    budget: Budget = field(default_factory=Budget)
    name: str | None = None
    seed: int = 0
    device: str = "cpu"
    diary: Diary | None = None
    observations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Learning:
    """A training that can begin, or go on. `forward` are name and hash of the model that Θ is for, `home` where such a Θ goes
    unless another folder is named."""

    trainer: MappingTrainer
    publish: Publish
    forward: tuple[str, str]
    home: Path
    looks: HeldOut | None


def learning(asked: Asked, pictures: Callable[[], ImageSource | None], data: Path | None) -> Learning:
    """The training that was asked for, on `pictures` where its model makes such, else on what `data` holds of observations.

    Raises:
        UserError: a task, a preset or data that cannot be had, or work of another training.
    """
    domain = domain_for(asked.task)
    if domain is GENERATORS:
        return _for_pictures(asked, pictures())
    if asked.observations:
        raise UserError("A mixture of observations is learned on pictures; other targets are what is observed of them.")
    if domain is POSE:
        return _for_poses(asked, data)
    if domain is PLUGINS:
        return _for_plugin(asked, data)
    raise UserError(f"Θ for {asked.task} is learned by `train features-mapping`.")


def _for_pictures(asked: Asked, source: ImageSource | None) -> Learning:
    domain, chosen, looked = asked.task, picture_preset(asked.preset), asked.diary is not None
    drawn = None if source is not None else 1.0
    if source is not None:
        images, held = load_images(source), None
        if looked:
            images, held = held_out(images)
    else:
        images = drawn_pictures(domain, POOL, asked.seed, asked.device)
        held = drawn_pictures(domain, TARGETS, asked.seed + 1, asked.device) if looked else None
    task = load_image_task(domain, device=asked.device) if looked or asked.budget.ends else None
    plan = _planned(asked, task, chosen)
    with _measuring(asked.diary) as tick:
        trainer, config = mapping_trainer(
            domain, asked.preset, images, asked.work, buffers=plan.buffers, targets=plan.targets, inputs=plan.inputs,
            drawn=drawn, observations=asked.observations, seed=asked.seed, device=asked.device, tick=tick,
        )  # fmt: skip
    trained_on = DRAWN if source is None else f"{source.path.name} {source.split or ''}".strip()

    def publish(command: str, assets: Path) -> zoo.Card:
        return publish_mapping(
            trainer, config, domain, asked.preset, trained_on=trained_on, command=command, assets=assets, name=asked.name,
            inputs=plan.inputs, drawn=drawn, observations=asked.observations,
        )  # fmt: skip

    name = f"{domain.removesuffix(PLUS)}/generator"
    generator = zoo.read_card(name, zoo.shelf_of(name))
    looks = None if task is None or held is None else HeldOut(task, chosen, Target(to_unit(held[:TARGETS])))
    return Learning(trainer, publish, (generator.name, generator.sha256), zoo.shelf_of(name), looks)


def _for_poses(asked: Asked, data: Path | None) -> Learning:
    task, body = POSE.load(asked.task, device=asked.device), body_of(asked.task)
    recorded = None if data is None else recorded_poses(data, body.skeleton, seed=asked.seed)
    poses, held = None if recorded is None else recorded.rotvec, None
    if asked.diary is not None:
        poses, held = _held_poses(task, body, recorded, asked.seed)
    plan = _planned(asked, task, preset_of(body.observation, asked.preset))
    with _measuring(asked.diary) as tick:
        trainer, config = pose_mapping_trainer(
            asked.task, asked.preset, poses, asked.work, buffers=plan.buffers, targets=plan.targets, inputs=plan.inputs,
            seed=asked.seed, tick=tick,
        )  # fmt: skip
    trained_on = DRAWN if data is None else data.name

    def publish(command: str, assets: Path) -> zoo.Card:
        return publish_pose_mapping(
            trainer, config, asked.task, asked.preset, trained_on=trained_on, command=command, assets=assets, name=asked.name,
            inputs=plan.inputs,
        )  # fmt: skip

    prior, _ = prior_of(asked.task)
    looks = None if held is None else HeldOut(task, preset_of(body.observation, asked.preset), held)
    return Learning(trainer, publish, (prior.name, prior.sha256), zoo.shelf_of(prior.name), looks)


def _held_poses(task: Task, body: Body, recorded: Poses | None, seed: int) -> tuple[Tensor | None, Target]:
    """Poses (N, J, 3) to learn on, and targets held out: of recordings, or where these are short, what the model draws."""
    drawn = task.sampled(TARGETS, torch.Generator().manual_seed(seed + 1))
    if recorded is None:
        return None, drawn
    poses, held = held_back(recorded)
    if len(held) < TARGETS:
        return recorded.rotvec, drawn
    return poses, body.target(held[torch.linspace(0, len(held) - 1, TARGETS).long()])


def _for_plugin(asked: Asked, data: Path | None) -> Learning:
    task = PLUGINS.load(asked.task, device=asked.device)
    observed, held = None if data is None else observations(task, data), None
    if asked.diary is not None:
        observed, held = _held(task, observed, asked.seed)
    plan = _planned(asked, task, preset_for(task, asked.preset))
    with _measuring(asked.diary) as tick:
        trainer, config = plugin_mapping_trainer(
            task, asked.preset, observed, asked.work, buffers=plan.buffers, targets=plan.targets, inputs=plan.inputs,
            seed=asked.seed, tick=tick,
        )  # fmt: skip
    trained_on = DRAWN if data is None else f"{data.name}, and {DRAWN}"

    def publish(command: str, assets: Path) -> zoo.Card:
        return publish_plugin_mapping(
            trainer, config, task, asked.preset, trained_on=trained_on, command=command, assets=assets, name=asked.name,
            inputs=plan.inputs,
        )  # fmt: skip

    looks = None if held is None else HeldOut(task, preset_for(task, asked.preset), held)
    return Learning(trainer, publish, (f"{task.name}{CODE}", task.hashes[f"{task.name}{CODE}"]), zoo.OWN, looks)


def _held(task: Task, observed: Target | None, seed: int) -> tuple[Target | None, Target]:
    """What is learned on, and what is held out: every eighth observation, or where these are few, what the model draws."""
    if observed is None or len(observed) < TARGETS:
        return observed, task.sampled(TARGETS, torch.Generator().manual_seed(seed + 1))
    held = torch.arange(len(observed)) % HELD_OUT == 0
    seen, unseen = (observed.select(each.nonzero()[:, 0]) for each in (~held, held))
    return seen, unseen.select(torch.linspace(0, len(unseen) - 1, min(TARGETS, len(unseen))).long())


def _planned(asked: Asked, task: Task | None, chosen: MappingPreset) -> Plan:
    """The preset's sizes, or what of them fits into what is left of the budget."""
    if not asked.budget.ends or task is None:
        return Plan(asked.buffers)
    known, dim = task, len(task.prior.mean)

    def made() -> Plan:
        each = pace(known)  # takes a while, too
        return fitted(_with_buffers(chosen, asked.buffers), dim, asked.budget.left, each, EVALUATIONS if asked.diary else 0)

    plan = kept(asked.work / task.name / asked.preset, made)
    if asked.diary is not None:
        asked.diary.write("plan", buffers=plan.buffers, targets=plan.targets, inputs=plan.inputs)
    return plan


def _with_buffers(chosen: MappingPreset, buffers: int | None) -> MappingPreset:
    return chosen if buffers is None else replace(chosen, training=replace(chosen.training, buffers=buffers))


@contextmanager
def _measuring(diary: Diary | None) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for the curvature, which the diary is told of, too."""
    with tqdm(desc="curvature", dynamic_ncols=True) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(1)
            if diary is not None:
                diary.write("measuring", done=done, total=total)

        yield tick
