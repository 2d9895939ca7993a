"""Which joint of a foreign rig stands for which of ours, limb by limb, by the names that common tools give.

Our joint, without its side, and what it is called elsewhere; the first name that the rig has is taken, so that a rig may
follow one tool in the arms and another in the legs. Chest is the parent of Neck.

| ours       | names                                                  | as in                               |
|------------|--------------------------------------------------------|-------------------------------------|
| Hips       | hips, pelvis, hip                                      | Mixamo, SMPL, Daz                   |
| Spine      | spine, abdomen, spine1, lowerback                      | Mixamo, Daz, SMPL, CMU              |
| UpperArm   | upperarm, arm, shldr, shoulder                         | Blender, Mixamo, Daz, Biovision     |
| Shoulder   | clavicle, collar, shoulder                             | 3ds Max, Biovision and SMPL, Mixamo |
| LowerArm   | lowerarm, forearm, elbow                               | Unreal, Mixamo, Biovision and SMPL  |
| Hand       | wrist, hand                                            | Biovision and SMPL, Mixamo          |
| UpperLeg   | upperleg, upleg, thigh, hip                            | Unity, Mixamo, Rokoko, Biovision    |
| LowerLeg   | lowerleg, leg, shin, calf, knee                        | Unity, Mixamo, Rokoko, 3ds Max, SMPL|
| Foot       | ankle, foot                                            | Biovision and SMPL, Mixamo          |
| Toes       | toes, toebase, toe, ball, foot beside ankle            | Mixamo, Biovision, Unreal, SMPL     |

Case, punctuation, and whatever prefix or suffix most names share do not matter; the side may be written Left, L or l,
before or behind.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from landscape_core.errors import UserError, listed, reading
from landscape_core.pose.kinematics import Skeleton

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "Hips": ("hips", "pelvis", "hip"),
    "Spine": ("spine", "abdomen", "spine1", "spine01", "lowerback"),
    "Neck": ("neck", "neck1", "neck01"),
    "Head": ("head",),
    "UpperArm": ("upperarm", "uparm", "arm", "shldr", "shoulder"),
    "Shoulder": ("clavicle", "collar", "collarbone", "shoulder"),
    "LowerArm": ("lowerarm", "lowarm", "forearm", "elbow"),
    "Hand": ("wrist", "hand"),
    "UpperLeg": ("upperleg", "upleg", "thigh", "hip"),
    "LowerLeg": ("lowerleg", "lowleg", "leg", "shin", "calf", "knee"),
    "Foot": ("ankle", "foot"),
    "Toes": ("toes", "toebase", "toe", "toe0", "ball", "foot"),
}
_CHAINS = (("Neck", "Head"), ("Shoulder", "UpperArm", "LowerArm", "Hand"), ("UpperLeg", "LowerLeg", "Foot", "Toes"))
_OPTIONAL = ("Spine", "Spine2", "Toes_L", "Toes_R")
_MOST = 2 / 3  # of the names must share a prefix or suffix for it to be taken off
_SIDES = {"l": "_L", "left": "_L", "r": "_R", "right": "_R"}


def counterparts(
    names: Sequence[str], parents: Sequence[int], skeleton: Skeleton, named: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Our node name -> the rig's joint. `named` says it for some of ours, by the rig's own names.

    Raises:
        UserError: joints that our skeleton needs have no counterpart, or several: then the file holds several bodies.
    """
    found = {ours: _place(names, theirs) for ours, theirs in (named or {}).items()}
    plain = plain_names(names)
    parts = _by_part(plain)
    for ours in _in_order(skeleton):
        if ours in found:
            continue
        fitting = (parts[side_and_part] for side_and_part in _candidates(ours))
        joints = next((each for each in fitting if each and set(found.values()).isdisjoint(each)), [])
        if len(joints) > 1:
            both = " and ".join(f"'{names[joint]}'" for joint in joints[:2])
            raise UserError(f"Both {both} stand for {ours}: the file holds more than one body. Keep one of them in it.")
        if joints:
            found[ours] = joints[0]
    if "Neck" in found and "Chest" not in found and parents[found["Neck"]] >= 0:
        found["Chest"] = parents[found["Neck"]]
    _check_complete(found, names, skeleton)
    _check_chains(found, names, parents)
    return found


def read_joint_map(path: Path, skeleton: Skeleton) -> dict[str, str]:
    """A JSON file of our joint names and the rig's: {"Hand_L": "wrist.left", …}.

    Raises:
        UserError: no such file, not JSON, or a joint that our skeleton has not.
    """
    with reading(str(path), "is not a JSON file of joint names"):
        content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not all(isinstance(theirs, str) for theirs in content.values()):
        raise UserError(f'{path} must hold one JSON object of names, such as {{"Hand_L": "wrist.left"}}.')
    unknown = sorted(content.keys() - set(skeleton.node_names))
    if unknown:
        raise UserError(f"{path} names {listed(unknown)}; our joints are {listed(skeleton.node_names, 99)}.")
    return content


def plain_names(names: Sequence[str]) -> list[str]:
    """The names without a namespace ("Char:") and without the prefix and suffix that most of them share."""
    bare = [re.split(r"[:|]", name)[-1] or name for name in names]
    bare = _without_shared(bare, r"^[A-Za-z0-9]+?[_\-. ]+")
    bare = _without_shared(bare, r"[_\-. ]+[A-Za-z0-9]+$")
    if len(bare) < 5:
        return bare
    start = os.path.commonprefix(bare)  # noqa: RUF071  # letters are meant, not folders
    end = os.path.commonprefix([name[::-1] for name in bare])[::-1]  # noqa: RUF071
    return [name.removeprefix(start).removesuffix(end) or name for name in bare]


def _without_shared(names: list[str], pattern: str) -> list[str]:
    """Without the piece that the pattern finds, where it is the same in most names; numbers count as the same."""
    pieces = [match[0] if (match := re.search(pattern, name)) else "" for name in names]
    kinds = Counter(re.sub(r"\d+", "#", piece) for piece in pieces if piece)
    shared = {kind for kind, count in kinds.items() if count > _MOST * len(names)}
    return [
        (re.sub(pattern, "", name) or name) if re.sub(r"\d+", "#", piece) in shared else name
        for name, piece in zip(names, pieces, strict=True)
    ]


def side_and_part(name: str) -> tuple[str, str]:
    """ "LeftForeArm" or "forearm.L" -> ("_L", "forearm"); the side is empty where there is none."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    for place in (0, -1):
        if len(words) > 1 and words[place] in _SIDES:
            return _SIDES[words.pop(place)], "".join(words)
    joined = "".join(words)
    for word in ("left", "right"):
        if joined != word and (joined.startswith(word) or joined.endswith(word)):
            return _SIDES[word], joined.removeprefix(word).removesuffix(word)
    return "", joined


def _by_part(plain: Sequence[str]) -> Mapping[tuple[str, str], list[int]]:
    """The joints by side and part; none for what the rig has not."""
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for joint, name in enumerate(plain):
        places[side_and_part(name)].append(joint)
    for side, part in [key for key in places if not key[0]]:  # "lcollar", beside an "rcollar"
        other = {"l": "r", "r": "l"}.get(part[:1])
        if other and ("", other + part[1:]) in places:
            places[_SIDES[part[0]], part[1:]] += places[side, part]
    return places


def _candidates(ours: str) -> list[tuple[str, str]]:
    side = ours[-2:] if ours[-2:] in _SIDES.values() else ""
    part = ours.removesuffix(side)
    itself = () if part == "Chest" else (part.lower(),)  # many rigs have another joint of that name
    return [(side, alias) for alias in _ALIASES.get(part, itself)]


def _in_order(skeleton: Skeleton) -> list[str]:
    """Our nodes in the order of the table, for what a name means may hang on which came before; others behind them."""
    order = {name: place for place, name in enumerate(_ALIASES)}
    return sorted(skeleton.node_names, key=lambda name: order.get(name, order.get(name[:-2], len(order))))


def _place(names: Sequence[str], theirs: str) -> int:
    if theirs not in names:
        raise UserError(f"The file has no joint {theirs!r}; it has {listed(names, 40)}.")
    return list(names).index(theirs)


def _check_complete(found: Mapping[str, int], names: Sequence[str], skeleton: Skeleton) -> None:
    missing = [name for name in skeleton.node_names if name not in found and name not in _OPTIONAL]
    if missing:
        unknown = [name for joint, name in enumerate(names) if joint not in found.values()]
        raise UserError(
            f"The file has another skeleton: nothing in it stands for {listed(missing, 24)}. Not recognised of it: "
            f"{listed(unknown, 24)}. Known are the names of this skeleton, Mixamo, CMU, LAFAN, Biovision, SMPL, Daz, Rokoko, "
            "Blender, Unreal and 3ds Max; on the command line --map FILE says which joint is which."
        )


def _check_chains(found: Mapping[str, int], names: Sequence[str], parents: Sequence[int]) -> None:
    """Each limb's joints must hang from each other; where they do not, they are not one body's."""
    for chain in _CHAINS:
        for side in ("", "_L", "_R"):
            limb = [found[joint + side] for joint in chain if joint + side in found]
            for upper, lower in itertools.pairwise(limb):
                if not _hangs_from(lower, upper, parents):
                    raise UserError(
                        f"'{names[lower]}' does not hang from '{names[upper]}', so the file holds several bodies or none "
                        "that is known; on the command line --map FILE says which joint is which."
                    )


def _hangs_from(joint: int, above: int, parents: Sequence[int]) -> bool:
    while joint >= 0 and joint != above:
        joint = parents[joint]
    return joint == above
