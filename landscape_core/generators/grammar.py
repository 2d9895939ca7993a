"""The words by which observations are named: `low-resolution:8`, `blur:gaussian:3`, `mask+blur:motion:9:45`.

A name is parts joined by `+`, a part is a kind and its values joined by `:`; values may be left out from the right. A seed
for all that is random in it follows after `@`. The order of parts says nothing: a camera blurs before it counts pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from landscape_core.errors import UserError, listed
from landscape_core.generators.masks import PRESETS

Value = str | float
PAINTED = "painted"
MAX_SEED = 2**31 - 1
LONGEST = 200  # characters that a name can have


@dataclass(frozen=True)
class OneOf:
    """A value out of a few, the first being the usual one."""

    what: str
    values: tuple[Value, ...]

    @property
    def usual(self) -> Value:
        return self.values[0]

    def read(self, text: str) -> Value:
        for value in self.values:
            if text == shown(value):
                return value
        raise UserError(f"{self.what} is one of {listed([shown(value) for value in self.values])}, not {text[:40]!r}.")


@dataclass(frozen=True)
class Range:
    """A number within bounds."""

    what: str
    usual: float
    low: float
    high: float
    whole: bool = False

    def read(self, text: str) -> Value:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            kind = "a whole number" if self.whole else "a number"
            raise UserError(f"{self.what} is {kind} from {self.low:g} to {self.high:g}, not {text[:40]!r}.")
        return value


Field = OneOf | Range
# In the order in which a camera does it: the lens, the sensor, its noise, what covers it.
KINDS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "blur": (
            OneOf("The blur", ("gaussian", "motion")),
            Range("The blur's size in pixels (a standard deviation, or a length)", 3.0, 0.3, 24.0),
            Range("The angle of a motion, in degrees", 0.0, 0.0, 180.0),
        ),
        "low-resolution": (OneOf("The factor", (8.0, 4.0, 16.0, 2.0)), OneOf("The averaging", ("area", "bicubic"))),
        "grey": (),
        "noise": (Range("The noise, as a share of the range from black to white", 0.1, 0.01, 1.0),),
        "salt-and-pepper": (
            Range("The share of spoilt pixels", 0.2, 0.01, 0.9),
            OneOf("The penalty", ("absolute", "huber")),
        ),
        "scattered": (Range("The share of pixels that are seen", 0.05, 0.001, 0.9),),
        "mask": (OneOf("The mask", (PAINTED, *PRESETS)),),
        "measurements": (Range("The number of measurements of each channel", 256.0, 2.0, 4096.0, whole=True),),
    }
)


def shown(value: Value) -> str:
    """A value as a name has it."""
    return value if isinstance(value, str) else f"{value:g}"


def parse(text: str) -> tuple[dict[str, tuple[Value, ...]], int]:
    """{kind: values} of a name in the order of `KINDS`, and its seed.

    Raises:
        UserError: a kind or a value that there is not, a kind named twice, or a seed that is none.
    """
    if len(text) > LONGEST:
        raise UserError(f"What is observed is said in at most {LONGEST} characters.")
    names, _, seed = text.strip().partition("@")
    if seed and not (seed.isascii() and seed.isdigit() and int(seed) <= MAX_SEED):
        raise UserError(f"The seed of an observation is a whole number from 0 to {MAX_SEED}, not {seed[:40]!r}.")
    found: dict[str, tuple[Value, ...]] = {}
    for part in names.split("+"):
        kind, *values = part.strip().split(":")
        if kind not in KINDS:
            raise UserError(f"There is no observation {kind[:40]!r}; there are: {', '.join(KINDS)}.")
        if kind in found:
            raise UserError(f"{kind} is named twice; each part of an observation is named once.")
        found[kind] = _values(kind, values)
    return {kind: found[kind] for kind in KINDS if kind in found}, int(seed or 0)


def _values(kind: str, given: Sequence[str]) -> tuple[Value, ...]:
    fields = KINDS[kind]
    if len(given) > len(fields):
        usual = ":".join([kind, *(shown(field.usual) for field in fields)])
        raise UserError(f"{kind} takes at most {len(fields)} values, as in {usual}.")
    read = [field.read(text) for field, text in zip(fields, given, strict=False)]
    return (*read, *(field.usual for field in fields[len(read) :]))


def named(parts: Mapping[str, Sequence[Value]], seed: int = 0) -> str:
    """The shortest name of these parts."""
    words = []
    for kind, values in parts.items():
        last = max((i + 1 for i, field in enumerate(KINDS[kind]) if values[i] != field.usual), default=0)
        needed = max(last, 1 if KINDS[kind] and kind != "mask" else 0)  # a size is said even where it is the usual one
        words.append(":".join([kind, *(shown(value) for value in values[:needed])]))
    return "+".join(words) + (f"@{seed}" if seed else "")
