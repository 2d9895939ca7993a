"""Pictures from users: what is accepted comes out right, everything else is one sentence."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from landscape_core.errors import UserError
from landscape_core.images import reading as images
from landscape_core.images.pixels import png_bytes
from landscape_core.images.reading import load_picture
from tests.tiny.pictures import gradient, saved


def pixels(path: Path) -> np.ndarray:
    image = load_picture(path).image
    assert image.mode == "RGB"
    return np.asarray(image)


def png_with(width: int, height: int, depth: int, colour: int, data: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG written by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


# ---- refused, with a sentence --------------------------------------------------------------------------------------


def jpeg_bytes() -> bytes:
    buffer = io.BytesIO()
    gradient(200, 200).save(buffer, "JPEG")
    return buffer.getvalue()


def bmp_bytes() -> bytes:
    buffer = io.BytesIO()
    gradient(9, 9).save(buffer, "BMP")
    return buffer.getvalue()


REFUSED = {
    "empty.png": (b"", "empty"),
    "text.png": (b"This is a shopping list, not a picture.\n" * 9, "not a picture"),
    "page.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a picture"),
    "other.bmp": (bmp_bytes(), "PNG, JPEG, WebP, GIF, AVIF and HEIC"),
    "truncated.jpg": (jpeg_bytes()[:1500], "damaged or incomplete"),
    "header_only.jpg": (jpeg_bytes()[:30], "damaged|not a picture"),
    "no_pixels.png": (png_with(64, 64, 8, 2, b""), "damaged or incomplete"),
    "huge.png": (png_with(20_000, 20_000, 1, 0, b""), "too large; at most 40 megapixels"),
    "warned.png": (png_with(10_000, 10_000, 1, 0, b""), "too large; at most 40 megapixels"),
    "large.png": (png_with(8_000, 6_000, 1, 0, b""), "8,000×6,000 pixels; at most 40 megapixels"),
    "long.png": (png_with(17_000, 1, 1, 0, b""), "17,000×1 pixels; .* 16,384 pixels a side"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    content, sentence = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence) as caught:
        load_picture(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(name)
    assert message.endswith(".")
    assert str(tmp_path) not in message


@pytest.mark.parametrize("name", ["missing.png", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="There is no file"):
        load_picture(tmp_path / name)


def test_size_is_checked_before_a_pixel_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.png").write_bytes(REFUSED["large.png"][0])
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(UserError, match="pixels"):
        load_picture(tmp_path / "large.png")


def test_the_cap_itself_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 600)
    monkeypatch.setattr(images, "MAX_SIDE", 30)
    assert load_picture(saved(tmp_path / "cap.png", gradient(30, 20))).image.size == (30, 20)
    for size in ((30, 21), (31, 1)):
        with pytest.raises(UserError, match="pixels"):
            load_picture(saved(tmp_path / "more.png", gradient(*size)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_flipped_bytes_never_escape_as_another_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]))
    buffer = io.BytesIO()
    gradient(24, 20).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with suppress(UserError):  # refused or read: anything else that is raised fails here
        assert load_picture(path).image.mode == "RGB"


# ---- accepted, and right ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_formats(tmp_path: Path, kind: str) -> None:
    expected = gradient(60, 40)
    picture = load_picture(saved(tmp_path / "a", expected, format=kind))
    assert picture.image.size == (60, 40)
    assert picture.notices == ()
    assert np.abs(np.asarray(picture.image).astype(int) - np.asarray(expected)).mean() < 4


def test_avif_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), (200, 60, 20)).save(tmp_path / "a.avif", quality=95)
    picture = load_picture(tmp_path / "a.avif").image
    assert picture.size == (40, 30)
    assert np.abs(np.asarray(picture).mean(axis=(0, 1)) - (200, 60, 20)).max() < 8


def test_heic_is_read_where_its_package_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    picture = Image.new("RGB", (48, 32), (200, 60, 20))
    heif.from_pillow(picture).save(tmp_path / "a.heic", quality=95)
    assert np.abs(np.asarray(load_picture(tmp_path / "a.heic").image).mean(axis=(0, 1)) - (200, 60, 20)).max() < 8
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UserError, match=r"a.heic is a HEIC picture, which needs the package pillow-heif"):
        load_picture(tmp_path / "a.heic")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation_with_a_notice(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    path = saved(tmp_path / "a", frames[0], format=kind, save_all=True, append_images=frames[1:])
    picture = load_picture(path)
    assert picture.notices == ("The first of 3 frames is used.",)
    assert picture.image.getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=4)


def test_second_picture_in_a_phones_jpeg_is_no_animation(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", gradient(20, 10), format="MPO", save_all=True, append_images=[gradient(20, 10)])
    assert load_picture(path).notices == ()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(4, axis=0)
    assert (pixels(saved(tmp_path / "deep.png", Image.fromarray(deep)))[0, :, 0] == np.arange(256)).all()


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    (tmp_path / "deep.png").write_bytes(png_with(1, 1, 16, 2, b"\0" + struct.pack(">HHH", 65535, 32896, 0)))
    assert pixels(tmp_path / "deep.png")[0, 0].tolist() == [255, 128, 0]


@pytest.mark.parametrize("mode", ["L", "1"])
def test_greyscale(tmp_path: Path, mode: str) -> None:
    out = pixels(saved(tmp_path / "grey.png", gradient(30, 30).convert(mode)))
    assert (out[..., 0] == out[..., 1]).all()
    assert (out[..., 0] == out[..., 2]).all()
    assert np.ptp(out) > 200


def test_transparency_is_composited_onto_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4, 1))
    image.putdata([(0, 0, 0, 0), (255, 0, 0, 255), (0, 0, 0, 128), (0, 0, 0, 255)])
    out = pixels(saved(tmp_path / "a.png", image))[0]
    assert out.tolist() == [[255, 255, 255], [255, 0, 0], [127, 127, 127], [0, 0, 0]]


def test_transparent_palette(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    out = pixels(saved(tmp_path / "a.png", image, transparency=0))[0]
    assert out.tolist() == [[255, 255, 255], [200, 100, 50]]


def test_cmyk(tmp_path: Path) -> None:
    out = pixels(saved(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)), quality=95))
    assert out[8, 8] == pytest.approx((255, 0, 0), abs=6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    upright = gradient(60, 40)
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the turn that the tag asks a viewer to undo
    stored = upright.transpose(Image.Transpose(inverse[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.jpg", stored, exif=exif, quality=95)
    assert np.abs(pixels(path).astype(int) - np.asarray(upright)).max() < 16


def test_metadata_is_dropped(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where I live"
    picture = load_picture(saved(tmp_path / "a.jpg", gradient(60, 40), exif=exif, comment=b"secret", dpi=(72, 72)))
    assert picture.image.info == {}
    assert dict(picture.image.getexif()) == {}


def test_broken_exif_spoils_no_picture(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", gradient(60, 40), exif=b"Exif\0\0this is no tag directory")
    assert load_picture(path).image.size == (60, 40)


def test_unreadable_orientation_is_said(tmp_path: Path) -> None:
    directory_beyond_the_end = (b"eXIf", b"MM\0*\0\0\x7f\0" + bytes(8))
    (tmp_path / "a.png").write_bytes(png_with(1, 1, 8, 2, b"\0\1\2\3", directory_beyond_the_end))
    picture = load_picture(tmp_path / "a.png")
    assert picture.notices == ("The orientation tag cannot be read; the picture is used as stored.",)
    assert picture.image.getpixel((0, 0)) == (1, 2, 3)


def test_png_bytes_round_trip() -> None:
    image = torch.randint(0, 256, (3, 12, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with Image.open(io.BytesIO(png_bytes(image))) as decoded:
        assert decoded.format == "PNG"
        assert (np.asarray(decoded) == image.permute(1, 2, 0).numpy()).all()
