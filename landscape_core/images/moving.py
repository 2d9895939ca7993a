"""Pictures in a row as files that move: GIF and MP4, and as numbered PNG files."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
from PIL import Image
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.images.pixels import png_bytes


def gif(frames: Sequence[Tensor], *, milliseconds: int = 60) -> bytes:
    """A GIF that loops, of uint8 pictures (3, H, W) of one size."""
    images = [Image.fromarray(frame.permute(1, 2, 0).contiguous().numpy()) for frame in frames]
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0)
    return buffer.getvalue()


def mp4(frames: Sequence[Tensor], *, rate: float = 16.0) -> bytes:
    """An MP4 (MPEG-4 part 2), of uint8 pictures (3, H, W) of one size, H and W even, `rate` of them a second.

    Raises:
        UserError: OpenCV was built without this encoder.
    """
    height, width = frames[0].shape[1:]
    with tempfile.TemporaryDirectory(prefix="landscape-") as folder:  # OpenCV writes to files alone
        path = Path(folder) / "frames.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
        if not writer.isOpened():
            raise UserError("MP4 cannot be written here: OpenCV has no encoder for it; GIF can.")
        for frame in frames:
            writer.write(frame.flip(0).permute(1, 2, 0).contiguous().numpy())  # OpenCV has blue first
        writer.release()
        return path.read_bytes()


def frames_zip(frames: Sequence[Tensor]) -> bytes:
    """Every picture (3, H, W) as a PNG in a zip, 000.png first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, frame in enumerate(frames):
            archive.writestr(f"{number:03}.png", png_bytes(frame))
    return buffer.getvalue()
