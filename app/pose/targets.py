"""Where a pose comes from: the prior, a file, a joint that was turned, an address, another body. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.pose.session import PoseTarget
from app.runs.address import TARGET, number_text
from landscape_core.errors import UserError
from landscape_core.pose.kinematics import matrix_to_rotvec
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.naming import read_joint_map
from landscape_core.pose.priors import body_of
from landscape_core.pose.task import NAMES
from landscape_core.search.task import Task

MISSING = {
    "upload": "This link was made with a pose of an uploaded file, which stays with whoever uploaded it; add the file again.",
    "card": "This link was made with the pose of a run card; load the card again.",
}


def drawn(task: Task, number: int) -> PoseTarget:
    """The pose that the prior makes of input number `number`.

    Raises:
        UserError: not a whole number from 0 on.
    """
    if not isinstance(number, int) or not 0 <= number < 2**31:
        raise UserError("The number of a drawn pose must be a whole number from 0 on.")
    with torch.no_grad():
        rotations = task.forward(input_of(task, number))[0]
    query = {TARGET: f"drawn-{number}"}
    return PoseTarget(matrix_to_rotvec(rotations), f"drawn pose {number}", query, number, drawing=task.name)


def input_of(task: Task, number: int) -> Tensor:
    """The input (1, d) of F that makes the pose of that number."""
    return task.prior.sample(1, torch.Generator().manual_seed(number))


def uploaded(path: Path, frame: Any, names: Path | None = None, drawing: str = NAMES["rotations"]) -> PoseTarget:
    """One frame of a BVH file or an AMASS recording, as a pose of the body of the task `drawing`; the file `names` says which
    joint is which, where that is not known.

    Raises:
        UserError: no motion, a skeleton that cannot be matched, a map that is none, or no such frame; the sentence says which.
    """
    if not isinstance(frame, int):
        raise UserError("The frame must be a whole number from 0 on.")
    motion, skeleton = load_motion(path), body_of(drawing).skeleton
    named = None if names is None else read_joint_map(names, skeleton)
    pose = pose_of(motion, skeleton, frame, named)
    return PoseTarget(pose, f"{path.stem[:40]}, frame {frame}", {TARGET: "upload"}, notices=motion.notices, drawing=drawing)


def joint_index(target: PoseTarget, name: str) -> int:
    """Which row of a pose turns that joint. Raises UserError where there is no such joint."""
    names = target.body.skeleton.names
    if name not in names:
        raise UserError(f"There is no joint {name!r}; there are: {', '.join(names)}.")
    return names.index(name)


def edited(before: PoseTarget, joint: str, degrees: Sequence[Any]) -> PoseTarget:
    """The pose with one joint's rotation replaced: axis-angle (x, y, z) in degrees.

    Raises:
        UserError: no such joint, or angles that are not finite numbers.
    """
    index = joint_index(before, joint)
    if len(degrees) != 3 or not all(isinstance(angle, int | float) for angle in degrees):
        raise UserError("A joint needs three angles in degrees.")
    angles = torch.tensor([float(angle) for angle in degrees])
    if not torch.isfinite(angles).all():
        raise UserError("The angles of a joint must be finite numbers, in degrees.")
    pose = before.rotvec.clone()
    pose[index] = torch.deg2rad(angles)
    turned = ":".join([joint, *(number_text(float(angle)) for angle in degrees)])
    kept = [each for each in before.query.get("edit", "").split(",") if each and not each.startswith(f"{joint}:")]
    return PoseTarget(pose, "edited pose", {**before.query, "edit": ",".join([*kept, turned])}, drawing=before.drawing)


def of_another_body(drawing: Task, before: PoseTarget | None, path: str | None, frame: Any, names: str | None) -> PoseTarget:
    """What is chosen once another prior is: the frame of the file that is there, the pose drawn by the same number, or where
    that cannot be, the first one drawn, and that is said."""
    said = () if before is None else (f"The {before.label} is of another body; one that {drawing.name} draws is in its place.",)
    if before is not None and before.query.get(TARGET) == "upload" and path is not None:
        try:
            return uploaded(Path(path), frame, None if names is None else Path(names), drawing.name)
        except UserError as error:
            said = (f"{error} A pose that {drawing.name} draws is taken in its place.",)
    if before is None or before.number is None:
        return replace(drawn(drawing, 0), notices=said)
    return drawn(drawing, before.number)


def from_query(task: Task, query: Mapping[str, str], now: PoseTarget | None) -> PoseTarget:
    """The pose that an address asks for, which is untrusted; the first drawn one where it asks for none. `now` is the one that
    is chosen already.

    Raises:
        UserError: it asks for a pose that an address cannot hold, or for none that there is.
    """
    text = query.get(TARGET, "drawn-0")
    if text in MISSING:
        if (
            now is not None
            and now.drawing == task.name
            and now.query == {name: query[name] for name in (TARGET, "edit") if name in query}
        ):
            return now
        raise UserError(MISSING[text])
    number = text.removeprefix("drawn-")
    pose = drawn(task, int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0)
    for turn in query.get("edit", "").split(","):
        joint, *degrees = turn.split(":")
        if joint:
            pose = edited(pose, joint, [_angle(text) for text in degrees])
    return pose


def _angle(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text  # refused where it is used
