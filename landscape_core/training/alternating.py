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
from typing import Any

import torch
from torch import Tensor, nn

from landscape_core import processes
from landscape_core.errors import UserError
from landscape_core.progress import Report
from landscape_core.search.objectives import Objective, Target
from landscape_core.search.spaces import ZSpace
from landscape_core.training.checkpoint import Checkpoint
from landscape_core.training.rollout import Descents, Phase, Rollout
from landscape_core.training.settings import MappingTraining

TargetSampler = Callable[[int, torch.Generator], Target]


@dataclass
class _Progress:
    buffer: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


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
        """One buffer; `tick` is asked before each update whether to stop. Then it is dropped (None), and all stands as it did
        before, and as in the checkpoint."""
        before = self.snapshot()
        for _ in self.phases():
            if tick():
                self.restore(before)
                return None
        return self.progress.history[-1]

    def phases(self) -> Iterator[Phase]:
        """One buffer, a pause before each update; the buffer counts once the iterator is exhausted. While it pauses in
        "descend", whatever else uses Θ must work on a copy."""
        started = time.perf_counter()
        self._set_lr()
        target = self.sample_targets(self.config.targets, self.random).to(self.device)
        space = ZSpace(self.mapping, self.z_dim)
        descents = Descents(space, self.forward, self.objective, target, self.config, self.random)
        if self.config.mode == "online":
            losses = yield from self._online(descents)
        else:
            rollout = yield from descents.collect()
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

    def _descend(self, target: Target, rollout: Rollout) -> Generator[Phase, None, dict[str, float]]:
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
        with self.config.autocast(self.device):
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

    def _online(self, descents: Descents) -> Generator[Phase, None, dict[str, float]]:
        """Without buffer: after each step of z, θ steps once on the z's just reached."""
        losses = []
        for owner, solver, start in descents.chunks():
            self.mapping.requires_grad_(False)
            state, whole = solver.init([start]), descents.target.select(owner)
            for t in range(self.config.steps):
                yield Phase("collect", t, self.config.steps, state.lanes[0].variable, processes.share(owner))
                self.mapping.requires_grad_(False)
                with self.config.autocast(self.device):
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
