"""The models that a Θ can be trained for here: of pictures, plug-ins, and poses. Knows nothing of Gradio."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.runs.models import Models, pose_models
from landscape_core.generators.training.theta import MAPPING_PRESETS
from landscape_core.plugins.training.theta import PRESETS
from landscape_core.pose.priors import theta_prefix
from landscape_core.pose.training.theta import PRESETS as POSE_PRESETS
from landscape_core.pose.training.theta import RESIDUAL
from landscape_core.search.task import Task
from landscape_core.search.thetas import THETA

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif")
RECORDINGS = (".bvh", ".npz")


@dataclass(frozen=True)
class Trainable:
    """`pictures` are those of the Invert tab, plug-ins among them, `poses` those of the Pose tab."""

    pictures: Models
    poses: Models = field(default_factory=pose_models)

    @property
    def names(self) -> list[str]:
        """Every model."""
        return [*self.pictures.names, *self.poses.names]

    def is_own(self, task: str) -> bool:
        """Whether a model is a plug-in."""
        return task in self.pictures.own

    def is_pose(self, task: str) -> bool:
        """Whether a model is a pose prior."""
        return task in self.poses.names

    def get(self, task: str) -> Task:
        """The model. Raises UserError as `Models.get`."""
        return self._of(task).get(task)

    def forget(self, task: str) -> None:
        """As `Models.forget`."""
        self._of(task).forget(task)

    def _of(self, task: str) -> Models:
        return self.poses if self.is_pose(task) else self.pictures

    def spec(self, task: str) -> str:
        """What the command line calls a model."""
        return self.pictures.own.get(task, task)

    def presets(self, task: str) -> list[str]:
        """The presets that there are for a model."""
        if self.is_pose(task):
            return [RESIDUAL, *POSE_PRESETS]
        return list(PRESETS) if self.is_own(task) else [name for name, each in MAPPING_PRESETS.items() if not each.ablation]

    def theta(self, task: str, name: str) -> str:
        """What a model's Θ of that name is called among all models."""
        return f"{theta_prefix(task) if self.is_pose(task) else f'{task}{THETA}'}{name}"

    def device(self, task: str, device: str) -> str:
        """Where a model is trained on a server that computes on `device`."""
        return "cpu" if self.is_pose(task) else device

    def suffixes(self, task: str) -> tuple[str, ...]:
        """How the names of files end that a folder may hold for a model; of a plug-in's, anyhow."""
        return RECORDINGS if self.is_pose(task) else ("",) if self.is_own(task) else PICTURES

    def tab(self, task: str) -> str:
        """The tab that a model is searched in."""
        return "pose" if self.is_pose(task) else "invert"
