"""Telling what is wrong with a plug-in, a sentence for each fault: what would else be a strange error, or no error at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task

BATCH = 3
CLOSE = 1e-4  # relative to the largest number: batches are computed in another order than single samples
SPREAD = (1e-2, 1e2)  # deviations of x within which one step length suits all of it


class FaultError(UserError):
    """One fault; what would be checked next needs it mended."""


@dataclass(frozen=True)
class Answers:
    """What F makes of `BATCH` inputs (B, d) drawn from the prior, and its losses (B,) against the outputs in reverse order."""

    task: Task
    x: Tensor
    output: Tensor

    @property
    def target(self) -> Target:
        """Another sample's output for each."""
        return Target(self.output.flip(0).detach())

    def losses(self, x: Tensor) -> Tensor:
        losses: Tensor = self.task.objective.bind(self.target)(self.task.forward(x))
        return losses


def faults(task: Task) -> list[str]:
    """Everything that is wrong with a task as its function made it, as sentences; none where all is well."""
    found: list[str] = []
    try:
        answers = _answers(task)
        for check in (_same_again, _independent, _one_loss_each, _gradient, _encoder, _pictures, _samples):
            found += check(answers)
    except FaultError as fault:
        found.append(str(fault))
    return found


def remarks(task: Task) -> list[str]:
    """What is no fault and yet worth knowing."""
    deviations = task.prior.factor.square().sum(dim=1).sqrt()
    low, high = float(deviations.min()), float(deviations.max())
    if low < SPREAD[0] or high > SPREAD[1]:
        return [
            f"The prior's deviations run from {low:.3g} to {high:.3g}. Descent in X takes steps of one length in all of x: "
            "choose units, or logarithms, in which they are near 1."
        ]
    return []


def _answers(task: Task) -> Answers:
    mean, factor = task.prior.mean, task.prior.factor
    if mean.dim() != 1 or factor.dim() != 2 or len(factor) != len(mean):
        raise FaultError(
            f"The prior needs a mean (d,) and a factor (d, k); it has {tuple(mean.shape)} and {tuple(factor.shape)}."
        )
    if not bool(torch.isfinite(mean).all() and torch.isfinite(factor).all()):
        raise FaultError("The prior holds numbers that are not finite.")
    x = task.prior.sample(BATCH, torch.Generator().manual_seed(0))
    with torch.no_grad():
        output = _tried(lambda: task.forward(x), f"F cannot compute on {BATCH} inputs ({BATCH}, {len(mean)})")
    if not isinstance(output, Tensor) or not output.is_floating_point():
        raise FaultError(f"F must return one tensor of real numbers; it returns {_kind(output)}.")
    if output.dim() < 2 or len(output) != BATCH:
        raise FaultError(
            f"F returns {tuple(output.shape)} for {BATCH} inputs; the first dimension must be the batch's: ({BATCH}, …)."
        )
    if not bool(torch.isfinite(output).all()):
        raise FaultError("F returns numbers that are not finite for inputs drawn from the prior.")
    return Answers(task, x, output)


def _same_again(answers: Answers) -> Iterator[str]:
    """F must be a function."""
    with torch.no_grad():
        again = answers.task.forward(answers.x)
    if not _alike(again, answers.output):
        yield "F gives another output for the same input: take what is random out of it (noise, dropout), or fix it once."


def _independent(answers: Answers) -> Iterator[str]:
    """A batch is so many problems of their own."""
    with torch.no_grad():
        alone = torch.cat([answers.task.forward(x[None]) for x in answers.x])
    if alone.shape != answers.output.shape or not _alike(alone, answers.output):
        yield "F's output for an input depends on what else is in the batch; every sample must be computed by itself."


def _one_loss_each(answers: Answers) -> Iterator[str]:
    """One loss a sample, of that sample alone, lowest where the output is what was observed."""
    output = answers.output
    losses = _tried(lambda: answers.losses(answers.x), "The objective cannot compare two outputs of F")
    if not isinstance(losses, Tensor) or losses.shape != (BATCH,):
        raise FaultError(
            f"The objective returns {_kind(losses)} for {BATCH} samples; one loss a sample is needed, ({BATCH},): do not "
            "average over the batch."
        )
    if not bool(torch.isfinite(losses).all()):
        raise FaultError("The objective returns losses that are not finite.")
    with torch.no_grad():
        mixed = Target(torch.cat([answers.target.value[:1], answers.target.value[:1].expand_as(output[1:])]))
        changed = answers.task.objective.bind(mixed)(output)
        own = answers.task.objective.bind(Target(output))(output)
    if not _alike(changed[:1], losses[:1]):
        yield "A sample's loss depends on the others' targets; every loss must be of its own sample alone."
    if bool((own > losses.detach()).any()):
        yield "The loss of an output against itself is higher than against another one: lower must be better."


def _gradient(answers: Answers) -> Iterator[str]:
    """Descent needs the gradient with respect to x."""
    x = answers.x.clone().requires_grad_()
    losses = answers.losses(x)
    if not losses.requires_grad:
        raise FaultError(
            "No gradient of the loss reaches F's input: something between them is not differentiable, or leaves torch (detach, "
            "no_grad, numpy, argmax, round)."
        )
    (gradient,) = _tried(lambda: torch.autograd.grad(losses.sum(), x, allow_unused=True), "The gradient cannot be computed")
    if gradient is not None and not bool(torch.isfinite(gradient).all()):
        yield "The gradient of the loss is not finite for inputs drawn from the prior (a root or a quotient at zero?)."
    elif gradient is None or not bool(gradient.abs().amax() > 0):
        yield "The gradient of the loss is zero: F does not depend on its input, or only through steps that have no slope."


def _encoder(answers: Answers) -> Iterator[str]:
    encode = answers.task.encode
    if encode is None:
        return
    with torch.no_grad():
        guess = _tried(lambda: encode(answers.output), "The encoder cannot read F's output")
    if not isinstance(guess, Tensor) or guess.shape != answers.x.shape:
        yield f"The encoder returns {_kind(guess)}; inputs of F are needed, {tuple(answers.x.shape)}."
    elif not bool(torch.isfinite(guess).all()):
        yield "The encoder returns numbers that are not finite."


def _pictures(answers: Answers) -> Iterator[str]:
    picture, target = answers.task.picture, Target(answers.output[:1])
    if picture is None:
        return
    for output, n in ((answers.output, BATCH), (None, 1)):
        shown = _tried(lambda output=output: picture(output, target), "The pictures of F's outputs cannot be drawn")  # type: ignore[misc]
        if not isinstance(shown, Tensor) or shown.dim() != 4 or (shown.shape[0], shown.shape[1]) != (n, 3):
            yield f"`picture` returns {_kind(shown)} for {n} outputs; pictures are needed, ({n}, 3, side, side) in [-1, 1]."
            return


def _samples(answers: Answers) -> Iterator[str]:
    samples = answers.task.samples
    if samples is None:
        return
    drawn = _tried(lambda: samples(2, torch.Generator().manual_seed(0)), "`samples` cannot draw two targets")
    if not isinstance(drawn, Target) or drawn.value.shape != (2, *answers.output.shape[1:]):
        what = _kind(drawn.value if isinstance(drawn, Target) else drawn)
        yield f"`samples` returns {what}; a Target shaped like F's output is needed, {(2, *answers.output.shape[1:])}."


def _tried(call: Callable[[], Any], what: str) -> Any:
    """What the user's code returns; what it raises is the fault."""
    try:
        with reading(what, "and raises an exception"):
            return call()
    except UserError as error:
        raise FaultError(str(error)) from error


def _alike(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs().max() <= CLOSE * b.abs().max().clamp_min(1e-6))


def _kind(value: object) -> str:
    """What a value is, for a sentence."""
    return f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
