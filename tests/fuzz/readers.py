"""Every reader of users' files as a function of bytes, with small valid files to mutate."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save

from landscape_core.defence.commands.pictures import read_pictures
from landscape_core.features.robustbench import load_robustbench
from landscape_core.generators.masks import read_mask
from landscape_core.generators.networks.published import load_published_stylegan2
from landscape_core.generators.networks.published1 import load_published_stylegan1
from landscape_core.generators.run_card import RunCard, card_target
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.pixels import png_base64
from landscape_core.images.reading import CropBox, decode_picture
from landscape_core.pose.bvh import parse_bvh
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.kinematics import Skeleton, load_skeleton
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.naming import read_joint_map
from landscape_core.pose.network import load_published_vposer
from landscape_core.pose.recordings import recorded_poses
from landscape_core.pose.run_card import PoseCard, pose_card_target
from landscape_core.records.card_file import card_text
from landscape_core.records.run_card import read_card
from landscape_core.search.race import RunSettings
from landscape_core.storage import zoo
from landscape_core.storage.foreign import read_checkpoint
from landscape_core.storage.tensors import read_tensors
from tests.features.test_robustbench import preact_state, wide_state
from tests.generators import test_published1 as first
from tests.generators.test_published import published
from tests.pose.test_naming import named_as

SKELETON = load_skeleton(zoo.ASSETS / "pose" / "skeleton.json")


@dataclass(frozen=True)
class Reader:
    """`read` takes a file's bytes and a path to put them at; `seeds` makes valid files. `path` ends as users' files do."""

    read: Callable[[bytes, Path], object]
    seeds: Callable[[], list[bytes]]
    path: str = "file"


def _at_path(read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def reader(data: bytes, path: Path) -> object:
        path.write_bytes(data)
        return read(path)

    return reader


def pictures() -> list[bytes]:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 12, 4), dtype=np.uint8))
    made = []
    for kind, options in (("PNG", {}), ("JPEG", {"exif": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"}),
                          ("WEBP", {}), ("GIF", {}), ("AVIF", {})):  # fmt: skip
        buffer = io.BytesIO()
        (image.convert("RGB") if kind == "JPEG" else image).save(buffer, kind, **options)
        made.append(buffer.getvalue())
    return made


def _zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def picture_zips() -> list[bytes]:
    return [_zipped({f"train/{index}.png": content for index, content in enumerate(pictures()[:2])})]


def cards() -> list[bytes]:
    grey = torch.full((3, 64, 64), 90, dtype=torch.uint8)
    mask = grey.clone()
    mask[:, :30] = 255
    mask[:, 30:] = 0
    plain = RunCard(settings=RunSettings(), models={"faces/generator": "0" * 64}, target_png=png_base64(grey))
    masked = plain.model_copy(update={"mask_png": png_base64(mask), "k": 3})
    texts = [card.model_dump_json().encode() for card in (plain, masked)]
    return [*texts, _zipped({"run.json": texts[0]})]


def pose_cards() -> list[bytes]:
    card = PoseCard(settings=RunSettings(task="pose"), models={}, rotvec=[(0.1, -0.2, 0.3)] * 20, visible=["Head"])
    text = card.model_dump_json().encode()
    return [text, _zipped({"run.json": text})]


def motions() -> list[bytes]:
    poses = 0.3 * torch.randn(2, 20, 3, generator=torch.Generator().manual_seed(0))
    return [bvh_text(SKELETON, poses).encode(), *(named_as(rig).encode() for rig in ("mixamo", "smpl", "daz"))]


def recordings() -> list[bytes]:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, poses=np.zeros((2, 156)), trans=np.zeros((2, 3)))
    return [buffer.getvalue()]


def tensor_files() -> list[bytes]:
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.float16)}
    return [save(tensors, metadata={"landscape": json.dumps({"seen": 3})})]


def _torch_file(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def classifiers() -> list[bytes]:
    return [_torch_file(preact_state(final_norm=True, width=2)), _torch_file({"state_dict": wide_state(blocks=1, widen=1)})]


def generators() -> list[bytes]:
    return [_torch_file({"g_ema": published()[1], "latent_avg": torch.zeros(6)})]


def motion_zips() -> list[bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("deep/walk.bvh", motions()[0])
        archive.writestr("notes.txt", "no motion")
    return [packed.getvalue()]


def _read_stylegan1(path: Path) -> object:
    return load_published_stylegan1(read_checkpoint(path), path)


def _read_mask(path: Path) -> object:
    return read_mask(path, 16, box=CropBox(1, 1, 6), box_in=(12, 9))


def _read_motion(data: bytes, _: Path) -> object:
    motion = parse_bvh(data.decode("utf-8", errors="replace"))
    return pose_of(motion, SKELETON, len(motion.frames) - 1)


READERS = {
    "picture": Reader(lambda data, _: decode_picture(io.BytesIO(data), "a.png"), pictures),
    "mask": Reader(_at_path(_read_mask), lambda: [pictures()[0], pictures()[2]], "mask.png"),
    "folder": Reader(_at_path(lambda path: read_pictures(path.parent)), pictures, "a.png"),
    "zip": Reader(_at_path(lambda path: load_images(ImageSource(path, None, 8))), picture_zips, "a.zip"),
    "card": Reader(lambda data, _: card_target(read_card(card_text(data), RunCard), 64), cards),
    "pose card": Reader(lambda data, _: pose_card_target(read_card(card_text(data), PoseCard)), pose_cards),
    "bvh": Reader(_read_motion, motions),
    "amass": Reader(_at_path(lambda path: pose_of(load_motion(path), SKELETON)), recordings, "a.npz"),
    "skeleton": Reader(
        lambda data, _: Skeleton.from_json(data.decode("utf-8", errors="replace")), lambda: [SKELETON.to_json().encode()]
    ),
    "joint map": Reader(_at_path(lambda path: read_joint_map(path, SKELETON)), lambda: [b'{"Hand_L": "Pfote"}']),
    "tensors": Reader(_at_path(read_tensors), tensor_files),
    "classifier": Reader(_at_path(load_robustbench), classifiers),
    "generator": Reader(_at_path(load_published_stylegan2), generators),
    "stylegan1": Reader(_at_path(_read_stylegan1), lambda: [_torch_file({"g_running": first.published()})]),
    "motions": Reader(_at_path(lambda path: recorded_poses(path, SKELETON)), motion_zips, "a.zip"),
    "vposer": Reader(_at_path(load_published_vposer), lambda: [_torch_file({"state_dict": {"vp_model.a": torch.ones(1)}})]),
}


@functools.cache
def seeds(name: str) -> tuple[bytes, ...]:
    """The valid files of a reader, made once."""
    return tuple(READERS[name].seeds())
