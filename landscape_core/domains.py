"""The register of domains, which commands and the app serve: a new one adds a line."""

from __future__ import annotations

from landscape_core.autoencoders.domain import DOMAIN as AUTOENCODERS
from landscape_core.domain import Domain, domain_of
from landscape_core.errors import UserError
from landscape_core.generators.domain import DOMAIN as GENERATORS
from landscape_core.plugins.domain import DOMAIN as PLUGINS
from landscape_core.plugins.loading import is_plugin
from landscape_core.pose.domain import DOMAIN as POSE
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual
from landscape_core.search.task import Task

DOMAINS: tuple[Domain, ...] = (GENERATORS, POSE, AUTOENCODERS, PLUGINS)


def domain_for(task: str) -> Domain:
    """The domain of a task's name, or of a plug-in: "faces", "pose", "mine.py", "package.module:function".

    Raises:
        UserError: there is no such task.
    """
    return PLUGINS if is_plugin(task) else domain_of(task, DOMAINS)


def load_task(name: str = "faces", *, perceptual: Perceptual = DEFAULT_PERCEPTUAL, device: str = "cpu") -> Task:
    """Any task by its name: a generator's domain ("faces", "faces+" for its W+), "pose" or "pose-positions", features'
    inversion over pixels or codes ("features/NAME", "features/NAME+codes"), or a plug-in by file or function ("mine.py",
    "package.module:function").

    Raises:
        UserError: there is no such task, it has no perceptual distance to choose, a model is missing or altered, or the device
            is not there.
    """
    domain = domain_for(name)
    if perceptual != DEFAULT_PERCEPTUAL and not domain.perceptual:  # run cards hold the default where there is none
        raise UserError(f"The loss of {name} holds no perceptual distance that could be {perceptual!r}: only pictures' does.")
    return domain.load(name, perceptual, device)
