"""Example pictures: two photographs that anybody may use, and others drawn by code, which are ours (CC0).

`python -m app.target.examples` draws the latter into assets/examples/. No model saw any of them in its training; the drawn
ones lie outside what the face and cat models learned.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

from landscape_core.storage.zoo import ASSETS

FOLDER = ASSETS / "examples"
SIDE, OVER = 256, 4
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


class Canvas:
    """A square picture in coordinates 0..1, drawn at four times its size with soft light."""

    def __init__(self, top: Colour, bottom: Colour) -> None:
        self.side = SIDE * OVER
        ramp = Image.linear_gradient("L").resize((self.side, self.side))
        self.image = Image.composite(Image.new("RGB", ramp.size, bottom), Image.new("RGB", ramp.size, top), ramp)

    def shape(self, kind: str, where: Box | list[tuple[float, float]], colour: Colour, *, light: float = 0.0) -> None:
        """An "ellipse" in a box or a "polygon" of points; `light` 0..1 brightens it towards the upper left."""
        mask = Image.new("L", self.image.size)
        draw = ImageDraw.Draw(mask)
        if isinstance(where, list):
            draw.polygon([(x * self.side, y * self.side) for x, y in where], fill=255)
        else:
            draw.ellipse([v * self.side for v in where], fill=255)
        mask = mask.filter(ImageFilter.GaussianBlur(self.side / 300))
        flat = Image.new("RGB", self.image.size, colour)
        self.image.paste(self._lit(flat, mask, light) if light else flat, (0, 0), mask)

    def curve(self, box: Box, start: float, end: float, colour: Colour, width: float) -> None:
        """Part of an ellipse's outline, angles in degrees clockwise from three o'clock."""
        draw = ImageDraw.Draw(self.image)
        draw.arc([v * self.side for v in box], start, end, fill=colour, width=round(width * self.side))

    def finish(self) -> Image.Image:
        """The picture, SIDE x SIDE."""
        return self.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)

    def _lit(self, flat: Image.Image, mask: Image.Image, light: float) -> Image.Image:
        """Shade by a blurred, shifted copy of the shape: bright where they overlap, darker at the far edge."""
        shift = round(self.side * 0.06)
        blurred = mask.filter(ImageFilter.GaussianBlur(self.side / 12))
        lamp = blurred.copy()  # what the shift leaves open at the right and bottom edge stays as it was
        lamp.paste(blurred, (-shift, -shift))
        dark = flat.point(lambda v: round(v * (1.0 - 0.55 * light)))
        bright = flat.point(lambda v: round(v + (255 - v) * 0.25 * light))
        return Image.composite(bright, dark, lamp)


def cartoon() -> Image.Image:
    """A drawn face, placed as the face model's pictures are."""
    c = Canvas((112, 148, 156), (66, 92, 104))
    hair, skin = (74, 44, 32), (232, 178, 140)
    c.shape("ellipse", (0.06, 0.86, 0.94, 1.5), (178, 62, 54), light=0.6)
    c.shape("ellipse", (0.19, 0.13, 0.81, 0.98), hair, light=0.7)
    c.shape("polygon", [(0.41, 0.75), (0.59, 0.75), (0.62, 1.0), (0.38, 1.0)], (206, 148, 112))
    c.shape("ellipse", (0.265, 0.22, 0.735, 0.865), skin, light=0.6)
    c.shape("polygon", [(0.25, 0.42), (0.30, 0.22), (0.52, 0.16), (0.74, 0.25), (0.76, 0.44), (0.66, 0.33), (0.46, 0.31)], hair)
    for eye in (0.385, 0.615):
        c.shape("ellipse", (eye - 0.058, 0.472, eye + 0.058, 0.545), (250, 248, 244))
        c.shape("ellipse", (eye - 0.033, 0.474, eye + 0.033, 0.542), (58, 104, 96))
        c.shape("ellipse", (eye - 0.016, 0.490, eye + 0.016, 0.524), (16, 18, 20))
        c.shape("ellipse", (eye + 0.002, 0.486, eye + 0.016, 0.500), (255, 255, 255))
        c.curve((eye - 0.07, 0.405, eye + 0.07, 0.50), 200, 340, hair, 0.018)
    c.curve((0.455, 0.52, 0.545, 0.635), 20, 160, (178, 112, 84), 0.014)
    c.shape("polygon", [(0.40, 0.705), (0.47, 0.69), (0.5, 0.70), (0.53, 0.69), (0.60, 0.705), (0.5, 0.765)], (190, 74, 70))
    return c.finish()


def drawn_cat() -> Image.Image:
    """A drawn ginger cat."""
    c = Canvas((196, 204, 182), (126, 146, 116))
    fur, dark, pale = (222, 146, 74), (164, 88, 40), (248, 224, 190)
    c.shape("ellipse", (0.1, 0.78, 0.9, 1.5), fur, light=0.7)
    for sign in (-1, 1):
        outer = [(0.5 + sign * x, y) for x, y in ((0.37, 0.10), (0.11, 0.29), (0.37, 0.50))]
        inner = [(0.5 + sign * x, y) for x, y in ((0.335, 0.17), (0.18, 0.29), (0.335, 0.42))]
        c.shape("polygon", outer, fur)
        c.shape("polygon", inner, (226, 150, 140))
    c.shape("ellipse", (0.11, 0.22, 0.89, 0.90), fur, light=0.6)
    for left in (0.40, 0.475, 0.55):
        c.shape("polygon", [(left, 0.235), (left + 0.05, 0.235), (left + 0.025, 0.37)], dark)
    c.shape("ellipse", (0.28, 0.58, 0.72, 0.87), pale)
    for eye in (0.335, 0.665):
        c.shape("ellipse", (eye - 0.085, 0.44, eye + 0.085, 0.575), (40, 30, 24))
        c.shape("ellipse", (eye - 0.075, 0.447, eye + 0.075, 0.568), (176, 196, 78))
        c.shape("ellipse", (eye - 0.022, 0.449, eye + 0.022, 0.566), (18, 18, 16))
        c.shape("ellipse", (eye + 0.008, 0.468, eye + 0.034, 0.494), (255, 255, 255))
    c.shape("polygon", [(0.445, 0.605), (0.555, 0.605), (0.5, 0.665)], (204, 104, 100))
    for sign in (-1, 1):
        middle = 0.5 + sign * 0.055
        c.curve((middle - 0.055, 0.63, middle + 0.055, 0.745), 10, 170, dark, 0.012)
    return c.finish()


def still_life() -> Image.Image:
    """A pear and a ball on a table: neither face nor cat."""
    c = Canvas((38, 44, 66), (70, 62, 84))
    c.shape("polygon", [(0.0, 0.66), (1.0, 0.62), (1.0, 1.0), (0.0, 1.0)], (150, 104, 76))
    c.shape("ellipse", (0.14, 0.74, 0.58, 0.88), (96, 62, 48))
    c.shape("ellipse", (0.56, 0.74, 0.96, 0.86), (96, 62, 48))
    c.shape("ellipse", (0.25, 0.22, 0.47, 0.56), (190, 190, 70), light=0.8)
    c.shape("ellipse", (0.17, 0.40, 0.55, 0.84), (196, 194, 72), light=0.9)
    c.shape("polygon", [(0.355, 0.25), (0.385, 0.25), (0.42, 0.13), (0.395, 0.12)], (84, 56, 36))
    c.shape("ellipse", (0.56, 0.47, 0.92, 0.83), (196, 60, 56), light=1.0)
    return c.finish()


PHOTOGRAPHS = {
    "astronaut": ("Astronaut", "Eileen Collins, astronaut. Photograph: NASA, public domain."),
    "chelsea": ("Chelsea", "Chelsea, a cat. Photograph: Stéfan van der Walt, CC0."),
}  # by name: what it is called, and its credit
EXAMPLES: dict[str, tuple[str, Callable[[], Image.Image]]] = {
    "cartoon": ("Drawn face", cartoon),
    "cat": ("Drawn cat", drawn_cat),
    "still-life": ("Pear and ball", still_life),
}


def main() -> None:
    """Write every example to assets/examples/."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (_, draw) in EXAMPLES.items():
        draw().save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
