"""BVH motion files, read as their many writers write them: keywords in any case, end sites with or without a name, a count
of frames that is off. What was taken otherwise than it is written is said in `Bvh.notices`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from landscape_core.errors import UserError, reading

MAX_BYTES = 32 * 2**20
MAX_HIERARCHY = 2**20
MAX_JOINTS = 512
MAX_FRAMES = 200_000
SHORTEST, LONGEST = 1e-4, 10.0  # seconds of a frame
LARGEST = 1e8  # of any number; products of three larger ones leave the range of a float


@dataclass(frozen=True, eq=False)
class Bvh:
    """A parsed file. names: N joints, the root first. parents: N indices, -1 for the root. offsets: (N, 3).

    channels: per joint, such as ("Zrotation", "Xrotation", "Yrotation"). frames: one line of numbers per frame.
    notices: what a user should know about how the file was read. fps: frames a second, None where that is no number.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    frames: tuple[str, ...]
    notices: tuple[str, ...] = ()
    fps: float | None = None

    def local_rotations(self, frame: int) -> np.ndarray:
        """Rotation matrices (N, 3, 3) of one frame, each relative to the parent joint.

        Raises:
            UserError: no such frame, the wrong number of values in it, or values that are not finite.
        """
        return np.stack([_rotation(channels, values) for channels, values in self._values(frame)])

    def offsets_at(self, frame: int) -> np.ndarray:
        """Where each joint lies from its parent: (N, 3). A joint without an offset has it in its position channels.

        Raises:
            UserError: as `local_rotations`.
        """
        joints = zip(self.parents, self.offsets, self._values(frame), strict=True)
        return np.stack([own if parent < 0 or own.any() else _position(*values) for parent, own, values in joints])

    def _values(self, frame: int) -> list[tuple[tuple[str, ...], np.ndarray]]:
        """Per joint its channels and their values."""
        if not 0 <= frame < len(self.frames):
            raise UserError(f"There is no frame {frame} in this BVH; it has frames 0 to {len(self.frames) - 1}.")
        values = _numbers(self.frames[frame], f"frame {frame}")
        wanted = sum(map(len, self.channels))
        if len(values) != wanted:
            raise UserError(f"Frame {frame} of this BVH has {len(values)} values; its joints have {wanted} channels.")
        ends = np.cumsum([len(channels) for channels in self.channels])[:-1]
        return list(zip(self.channels, np.split(np.array(values), ends), strict=True))


def _rotation(channels: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """Channels in their order, each turning in the frame the ones before have turned; positions are skipped."""
    turns = [(channel[0], value) for channel, value in zip(channels, values, strict=True) if channel.endswith("rotation")]
    matrix = np.eye(3)
    for axis, degrees in turns:
        matrix = matrix @ Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    return matrix


def _position(channels: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """The position channels as (x, y, z); 0 where one is missing."""
    found = {channel[0]: value for channel, value in zip(channels, values, strict=True) if channel.endswith("position")}
    return np.array([found.get(axis, 0.0) for axis in "XYZ"])


def _numbers(text: str, what: str) -> list[float]:
    try:
        values = [float(word) for word in text.split()]
    except ValueError as error:
        raise UserError(f"In the {what} of this BVH something is not a number: {error}") from error
    if not all(math.isfinite(value) for value in values):
        raise UserError(f"The {what} of this BVH contains values that are not finite numbers.")
    if any(abs(value) > LARGEST for value in values):
        raise UserError(f"The {what} of this BVH contains values beyond {LARGEST:g}, which are no lengths or angles of a body.")
    return values


def parse_bvh(text: str) -> Bvh:
    """Parse the text of a BVH file.

    Raises:
        UserError: not a BVH, an unfinished or too large hierarchy, several bodies, or no frames.
    """
    head, *rest = re.split(r"^[ \t]*MOTION[ \t\r]*$", text, maxsplit=1, flags=re.MULTILINE | re.IGNORECASE)
    if not head.lstrip("\ufeff \t\r\n").upper().startswith("HIERARCHY") or not rest:
        raise UserError("This is not a BVH file: it must start with HIERARCHY and have a MOTION part.")
    if len(head) > MAX_HIERARCHY:
        raise UserError(f"The hierarchy of this BVH is larger than {MAX_HIERARCHY // 2**10} KiB.")
    lines, fps, notices = _frame_lines(rest[0])
    builder = _Hierarchy()
    for line in re.sub(r"([{}])", r"\n\1\n", head).splitlines()[1:]:
        if line.strip():
            builder.read(line.split())
    return builder.finish(lines, fps, notices)


def _frame_lines(motion: str) -> tuple[tuple[str, ...], float | None, tuple[str, ...]]:
    """The frames that are there, how many a second, and what is said where they are not as many as announced."""
    pattern = r"\s*Frames:\s*(\d{1,9})\s+Frame\s+Time:\s*(\S+)[^\S\n]*(?:\n|$)"
    start = re.match(pattern, motion, flags=re.IGNORECASE)
    if start is None:
        raise UserError("The MOTION part of this BVH must begin with 'Frames:' and 'Frame Time:'.")
    if motion.count("\n") > MAX_FRAMES:
        raise UserError(f"This BVH has more than {MAX_FRAMES:,} frames; cut the motion down to the frames you need.")
    lines = tuple(line for line in motion[start.end() :].splitlines() if line.strip())
    if not lines:
        raise UserError(f"This BVH announces {start[1]} frames and holds none; at least one is needed.")
    announced = int(start[1])
    off = f"The file announces {announced} frames and holds {len(lines)}; those that are there are read."
    return lines, _rate(start[2]), (off,) if len(lines) != announced else ()


def _rate(seconds: str) -> float | None:
    """Frames a second, where the time of one is a number that a recording can have."""
    try:
        time = float(seconds)
    except ValueError:
        return None
    return 1.0 / time if SHORTEST <= time <= LONGEST else None


class _Hierarchy:
    """Collects joints line by line. `open` holds the joints whose braces are open; None is an end site."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[tuple[str, ...]] = []
        self.open: list[int | None] = []

    def read(self, words: list[str]) -> None:
        match [words[0].upper(), *words[1:]]:
            case ["HIERARCHY"] | ["{"]:
                pass
            case ["ROOT", *name] if name and self.names and not self.open:
                raise UserError(f"This BVH holds a second body, '{' '.join(name)[:60]}'; keep one of them in the file.")
            case ["ROOT" | "JOINT" as kind, *name] if name and (kind == "ROOT") == (not self.names):
                self._add(" ".join(name))
            case ["END", *_] if self.open:  # "End Site", with or without a name behind it
                self.open.append(None)
            case ["OFFSET", _, _, _] if self.open:
                self._set_offset(words)
            case ["CHANNELS", count, *channels] if self.open and self.open[-1] is not None:
                self._set_channels(count, channels)
            case ["}"] if self.open:
                self.open.pop()
            case _:
                raise UserError(f"The hierarchy of this BVH cannot be read at {' '.join(words)[:60]!r}.")

    def _add(self, name: str) -> None:
        parent = self.open[-1] if self.open else -1
        if parent is None or (parent == -1 and self.names):
            raise UserError(f"The joint '{name}' of this BVH has no parent joint.")
        if len(self.names) == MAX_JOINTS:
            raise UserError(f"This BVH has more than {MAX_JOINTS} joints.")
        self.open.append(len(self.names))
        self.names.append(name)
        self.parents.append(parent)
        self.offsets.append([0.0, 0.0, 0.0])
        self.channels.append(())

    def _set_offset(self, words: list[str]) -> None:
        values = _numbers(" ".join(words[1:]), "hierarchy")
        if self.open[-1] is not None:
            self.offsets[self.open[-1]] = values

    def _set_channels(self, count: str, channels: list[str]) -> None:
        canonical = tuple(channel.capitalize() for channel in channels)
        known = all(re.fullmatch(r"[XYZ](position|rotation)", channel) for channel in canonical)
        if not known or count != str(len(channels)) or self.open[-1] is None:
            raise UserError(f"The channels '{' '.join(channels)[:60]}' in this BVH are not {count} positions and rotations.")
        self.channels[self.open[-1]] = canonical

    def finish(self, frames: tuple[str, ...], fps: float | None, notices: tuple[str, ...]) -> Bvh:
        if self.open or not self.names:
            raise UserError("The hierarchy of this BVH is unfinished: a closing brace or the root is missing.")
        if len(set(self.names)) != len(self.names):
            raise UserError("Two joints of this BVH have the same name.")
        return Bvh(tuple(self.names), tuple(self.parents), np.array(self.offsets), tuple(self.channels), frames, notices, fps)


def load_bvh(path: Path) -> Bvh:
    """Parse a BVH file of at most 32 MiB. Raises UserError where it cannot be read."""
    with reading(str(path)):
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path.name} is larger than {MAX_BYTES // 2**20} MiB; cut the motion down to the frames you need.")
        text = path.read_text(encoding="utf-8", errors="replace")
    return parse_bvh(text)
