"""Learning Θ by alternating optimisation (Algorithm 1), its online variant, and resuming either.

One buffer: roll out T steps of descent on z for N targets with Θ fixed and keep every z_t; then draw z's from
what was kept and descend on θ. The paper prints "+ λ ∂L": it is descent in both places.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from landscape_core import processes
from landscape_core.errors import UserError
from landscape_core.progress import Report
from landscape_core.search.momentum import Momentum
from landscape_core.search.objectives import Objective, Target
from landscape_core.search.optimizers import LBFGS, Adam, GradientDescent
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import ZSpace
from landscape_core.search.updates import Optimizer
from landscape_core.training.checkpoint import Checkpoint

TargetSampler = Callable[[int, torch.Generator], Target]
RAN_AWAY = 1e3  # times the loss at the start: a trial step too long, whose gradient would drown all others in the buffer


@dataclass(frozen=True)
class MappingTraining:
    """Settings of Algorithm 1. Defaults are the paper's (section 7.1): T·N draws per buffer, one at a time.

    `batch` draws are averaged in one update, and a buffer still takes T·N draws. With mode "online" θ is
    updated along the rollout on the z just reached, without a buffer ("without AO and buffer" in Table 2).
    `keep_start` also puts z_0 into the buffer: without it nothing holds Θ(0), and it drifts to where no
    descent should begin. `start` is the standard deviation of z_0: 0 starts at the origin, as Algorithm 1 prints; section
    7.3 starts at random. With `weighting` ε each draw weighs 1 / (L + ε), which is the gradient of log(L + ε): the last, small
    losses then count as much as the first, large ones.
    """

    buffers: int = 500
    targets: int = 256
    steps: int = 20
    batch: int = 1
    z_lr: float = 0.1
    z_optimizer: Literal["adam", "gd", "momentum", "lbfgs"] = "adam"
    lr: float = 1e-4
    weight_decay: float = 0.1
    rollout_chunk: int = 64
    keep_start: bool = False
    start: float = 0.0
    mode: Literal["alternating", "online"] = "alternating"
    decay_from: float = 1.0
    bf16: bool = False
    weighting: float | None = None
    seed: int = 0

    def descent(self) -> Optimizer:
        """The optimiser that collects trajectories."""
        kinds = {"adam": Adam, "gd": GradientDescent, "momentum": Momentum, "lbfgs": LBFGS}
        return kinds[self.z_optimizer](self.z_lr)


@dataclass
class _Progress:
    buffer: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Phase:
    """Where a buffer stands before its next update: `done` of `total` steps of z were collected, or of updates of θ taken.

    `variable` is where the z's stand on their way (n, z_dim), or all that the buffer holds (T·N, z_dim); `owner` is the
    number of each one's target.
    """

    name: Literal["collect", "descend"]
    done: int
    total: int
    variable: Tensor
    owner: Tensor


@dataclass(frozen=True)
class _Rollout:
    """Every z_t (T·N, z_dim), the number of its target (T·N,), and the mean losses on the way."""

    variable: Tensor
    owner: Tensor
    figures: dict[str, float]


class MappingTrainer:
    """Trains one Θ for one forward model; `buffer_step` is one pass of Algorithm 1's outer loop, `phases` the same pass
    update by update. Without a folder `out` nothing is written; `snapshot` and `restore` keep and bring back a state.

    Of several processes each rolls out its share of the targets and takes its share of every update's draws. What is random
    is drawn for all by the one seed, so that Θ does not depend on how many there are.

    Raises:
        UserError: the checkpoint in `out` belongs to another training, or there are more processes than there is to share.
    """

    def __init__(
        self,
        mapping: nn.Module,
        z_dim: int,
        forward: nn.Module,
        objective: Objective,
        sample_targets: TargetSampler,
        config: MappingTraining,
        out: Path | None,
        identity: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`identity` holds further facts that tell this training from others; see `Checkpoint`."""
        self.mapping, self.z_dim = mapping, z_dim
        self.forward, self.objective = forward, objective
        self.sample_targets, self.config = sample_targets, config
        self.device = next(mapping.parameters()).device
        self.optimizer = torch.optim.AdamW(mapping.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        self.random = torch.Generator().manual_seed(config.seed)
        self.progress = _Progress()
        self._check_shares()
        self.checkpoint = None if out is None else self._resumed(out, identity)
        self.model = processes.parallel(mapping)  # the same weights

    def _check_shares(self) -> None:
        """Every process must have something to do in every chunk and update."""
        config, n = self.config, processes.count()
        chunk = min(config.rollout_chunk, config.targets % config.rollout_chunk or config.rollout_chunk)
        least = min(chunk, config.batch if config.mode == "alternating" else chunk)
        if config.buffers and n > least:
            raise UserError(f"This training takes {least} at a time, which {n} processes cannot share; start at most {least}.")

    def _resumed(self, folder: Path, identity: Mapping[str, Any]) -> Checkpoint:
        """The checkpoint in `folder`, and what it holds restored."""
        own = {"data": self.sample_targets, "settings": self.config, "forward model": self.forward, "loss": self.objective}
        checkpoint = Checkpoint(
            folder,
            identity={**identity, **own},
            modules={"mapping": self.mapping},
            optimizers={"adamw": self.optimizer},
            generators={"random": self.random},
        )
        meta = checkpoint.load()
        if meta is not None:
            self.progress = _Progress(**meta["progress"])
        return checkpoint

    def save(self) -> None:
        """Write the checkpoint: called after every buffer, so that at most one is lost."""
        if self.checkpoint is not None:
            self.checkpoint.save({"progress": asdict(self.progress)})

    def snapshot(self) -> dict[str, Any]:
        """A copy of all that the following buffers depend on: Θ, its optimiser, the random stream, the progress."""
        return {
            "mapping": copy.deepcopy(self.mapping.state_dict()),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
            "random": self.random.get_state(),
            "progress": copy.deepcopy(self.progress),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot, from where the same numbers come again."""
        self.mapping.load_state_dict(snapshot["mapping"])
        self.optimizer.load_state_dict(copy.deepcopy(snapshot["optimizer"]))
        self.random.set_state(snapshot["random"])
        self.progress = copy.deepcopy(snapshot["progress"])

    def buffer_step(self, tick: Callable[[], bool] = lambda: False) -> dict[str, float] | None:
        """One buffer; `tick` is asked before each update whether to stop, and then the buffer is dropped (None)."""
        for _ in self.phases():
            if tick():
                return None
        return self.progress.history[-1]

    def phases(self) -> Iterator[Phase]:
        """One buffer, a pause before each update; the buffer counts once the iterator is exhausted. While it pauses in
        "descend", whatever else uses Θ must work on a copy."""
        started = time.perf_counter()
        self._set_lr()
        target = self.sample_targets(self.config.targets, self.random).to(self.device)
        if self.config.mode == "online":
            losses = yield from self._online(target)
        else:
            rollout = yield from self._rollout(target)
            losses = yield from self._descend(target, rollout)
        self.progress.buffer += 1
        self.progress.seconds += time.perf_counter() - started
        self.progress.history.append(losses)

    def _set_lr(self) -> None:
        done = self.progress.buffer / self.config.buffers
        start = self.config.decay_from
        fraction = 1.0 if done < start or start >= 1.0 else max((1.0 - done) / (1.0 - start), 0.05)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * fraction

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.bf16)

    def _chunks(self, target: Target) -> Iterator[tuple[Tensor, Solver, Tensor]]:
        """`rollout_chunk` targets at a time: their numbers, and the descent on z of this process's share of them with its
        starts (n, z_dim)."""
        space = ZSpace(self.mapping, self.z_dim)
        for first in range(0, len(target), self.config.rollout_chunk):
            owner = torch.arange(first, min(first + self.config.rollout_chunk, len(target)))
            start, part = self._start(space, len(owner)), target.select(processes.share(owner))
            solver = Solver(self.forward, self.objective, part, [Lane("Z", space, self.config.descent())])
            yield owner, solver, processes.share(start)

    def _rollout(self, target: Target) -> Generator[Phase, None, _Rollout]:
        """Descent on z with Θ fixed, t = 1..T (lines 4-11). Where a step ran away, the buffer holds the z before it."""
        self.mapping.requires_grad_(False)
        visited: list[Tensor] = []
        owners: list[Tensor] = []
        totals = torch.zeros(self.config.steps + 1, device=self.device)
        for owner, solver, start in self._chunks(target):
            with self._autocast():
                state = solver.init([start])
            z, loss, limit = state.lanes[0].variable, state.lanes[0].loss, RAN_AWAY * state.lanes[0].loss
            path = [z] if self.config.keep_start else []
            totals[0] += loss.sum()
            for t in range(1, self.config.steps + 1):
                yield Phase("collect", t - 1, self.config.steps, state.lanes[0].variable, processes.share(owner))
                with self._autocast():
                    state = solver.step(state)
                near = state.lanes[0].loss <= limit  # false where the loss is not a number
                z = torch.where(near.unsqueeze(1), state.lanes[0].variable, z)
                loss = torch.where(near, state.lanes[0].loss, loss)
                path.append(z)
                totals[t] += loss.sum()
            visited.extend(processes.joined(torch.stack(path, dim=1)).unbind(dim=1))  # (chunk, T, z_dim) step by step
            owners.extend([owner] * len(path))
        mean = processes.total(totals) / len(target)
        figures = {"start": float(mean[0]), "middle": float(mean[self.config.steps // 2]), "end": float(mean[-1])}
        return _Rollout(torch.cat(visited), torch.cat(owners), figures)

    def _start(self, space: ZSpace, n: int) -> Tensor:
        """z_0 (n, z_dim)."""
        if self.config.start == 0.0:
            return space.mean_start(n)
        return self.config.start * torch.randn(n, space.dim, generator=self.random).to(self.device)

    def _descend(self, target: Target, rollout: _Rollout) -> Generator[Phase, None, dict[str, float]]:
        """T·N random draws from the buffer, `batch` to an update of θ (lines 13-16)."""
        self.mapping.requires_grad_(True)
        z, owner, total = rollout.variable, rollout.owner, 0.0
        updates = max(len(z) // self.config.batch, 1)
        for update in range(updates):
            yield Phase("descend", update, updates, z, owner)
            draw = torch.randint(len(z), (self.config.batch,), generator=self.random)
            total += self._update(z[draw], target.select(owner[draw]))
        return {**rollout.figures, "theta": self._mean(total, updates)}

    def _update(self, z: Tensor, target: Target) -> float:
        """One step of AdamW on θ: (b, z_dim) with their targets, of which each process takes its share. Returns what this adds
        to their mean loss."""
        own = processes.share(torch.arange(len(z)))
        with self._autocast():
            losses = self.objective.bind(target.select(own))(self.forward(self.model(z[own])))
            descended = losses if self.config.weighting is None else torch.log(losses + self.config.weighting)
        part = len(own) / len(z)
        self.optimizer.zero_grad(set_to_none=True)
        (descended.mean() * (part * processes.count())).backward()  # the processes' gradients are averaged
        self.optimizer.step()
        return float(losses.detach().mean()) * part

    def _mean(self, added: float, updates: int) -> float:
        """The mean loss of some updates, of what each process added to it."""
        return float(processes.total(torch.tensor(added, dtype=torch.float64))) / updates

    def _online(self, target: Target) -> Generator[Phase, None, dict[str, float]]:
        """Without buffer: after each step of z, θ steps once on the z's just reached."""
        losses = []
        for owner, solver, start in self._chunks(target):
            self.mapping.requires_grad_(False)
            state, whole = solver.init([start]), target.select(owner)
            for t in range(self.config.steps):
                yield Phase("collect", t, self.config.steps, state.lanes[0].variable, processes.share(owner))
                self.mapping.requires_grad_(False)
                with self._autocast():
                    state = solver.step(state)
                self.mapping.requires_grad_(True)
                losses.append(self._update(processes.joined(state.lanes[0].variable), whole))
        return {"theta": self._mean(sum(losses), len(losses)), "end": self._mean(losses[-1], 1)}


def train_mapping(
    trainer: MappingTrainer, report: Report, after: Callable[[MappingTrainer], bool] = lambda _: False
) -> nn.Module:
    """Run the remaining buffers, saving after each. `report` is called at every update too, so a stop is quick:
    the buffer under way is dropped, everything before it is kept. `after` looks at the trainer once a buffer is saved, and
    answers whether that was enough."""
    config = trainer.config

    def tick() -> bool:
        history = trainer.progress.history
        return processes.any_of(report(trainer.progress.buffer, config.buffers, history[-1] if history else {}))

    while trainer.progress.buffer < config.buffers and trainer.buffer_step(tick) is not None:
        trainer.save()
        if processes.any_of(after(trainer)):
            break
    tick()
    return trainer.mapping.eval().requires_grad_(False)
