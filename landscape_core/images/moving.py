"""Pictures in a row as files that move: GIF and MP4, and as numbered PNG files."""

from __future__ import annotations

import io
import itertools
import math
import zipfile
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from landscape_core.images.pixels import png_bytes

RATE = 12  # frames a second
FASTEST = 50  # frames a second of a GIF: browsers slow down what is faster
REST = 18  # how often the last frame is shown


def gif(pictures: Sequence[Image.Image], *, rate: float = RATE, rest: int = REST) -> bytes:
    """An animation that loops, `rate` frames a second; the last one rests for `rest` of them. One palette for all frames,
    dithered, so that no colour is banded. Of more than `FASTEST` a second some are left out."""
    every = math.ceil(rate / FASTEST)
    pictures, rate = [*pictures[:-1:every], pictures[-1]], rate / every
    palette = _mosaic(pictures).quantize(256)
    paletted = [picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for picture in pictures]
    shown_at = [round(100 / rate * i) for i in (*range(len(pictures)), len(pictures) - 1 + max(rest, 1))]  # in hundredths
    durations = [10 * (after - at) for at, after in itertools.pairwise(shown_at)]
    buffer = io.BytesIO()
    paletted[0].save(buffer, "GIF", save_all=True, append_images=paletted[1:], duration=durations, loop=0)
    return buffer.getvalue()


def mp4(pictures: Sequence[Image.Image], *, rate: float = RATE, rest: int = REST) -> bytes:
    """The same as H.264, which every player knows."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as box:
        stream = box.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000), options={"crf": "18", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = *pictures[0].size, "yuv420p"
        for picture in [*pictures, *[pictures[-1]] * rest]:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        box.mux(stream.encode())
    return buffer.getvalue()


def _mosaic(pictures: Sequence[Image.Image]) -> Image.Image:
    """Some of the frames below each other: what a palette for all of them is taken from."""
    some = [pictures[i] for i in sorted({0, len(pictures) // 2, len(pictures) - 1})]
    mosaic = Image.new("RGB", (some[0].width, some[0].height * len(some)))
    for number, each in enumerate(some):
        mosaic.paste(each, (0, number * each.height))
    return mosaic


def frames_zip(pictures: Sequence[Image.Image]) -> bytes:
    """Every picture as a PNG in a zip, 000.png first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, picture in enumerate(pictures):
            archive.writestr(f"{number:03}.png", png_bytes(picture))
    return buffer.getvalue()
