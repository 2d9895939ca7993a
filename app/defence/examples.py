"""Drawn pictures of things that the CIFAR-10 classifiers know, by code and so ours (CC0), for where the data set is not.

`python -m app.defence.examples` writes them to assets/examples/. Plain drawings withstand the attacks, for a drawing is all
contour; with light and haze laid over them some are still seen rightly and can be attacked. These were chosen because both
embedded classifiers see them rightly and both static attacks fool both at the default radius: they say nothing of how often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from app.target.examples import FOLDER, Canvas, Colour


def ship() -> Image.Image:
    """A freighter at sea."""
    c = Canvas((188, 208, 224), (150, 176, 198))
    c.shape("polygon", [(0.0, 0.66), (1.0, 0.66), (1.0, 1.0), (0.0, 1.0)], (44, 84, 116))
    c.shape("polygon", [(0.0, 0.86), (1.0, 0.82), (1.0, 1.0), (0.0, 1.0)], (34, 68, 98))
    c.shape("polygon", [(0.06, 0.54), (0.96, 0.50), (0.86, 0.73), (0.14, 0.73)], (52, 50, 56))
    c.shape("polygon", [(0.10, 0.66), (0.885, 0.66), (0.86, 0.73), (0.14, 0.73)], (150, 48, 42))
    c.shape("polygon", [(0.15, 0.36), (0.38, 0.36), (0.38, 0.54), (0.15, 0.54)], (238, 238, 234))
    c.shape("polygon", [(0.19, 0.26), (0.33, 0.26), (0.33, 0.36), (0.19, 0.36)], (226, 226, 222))
    c.shape("polygon", [(0.235, 0.14), (0.295, 0.14), (0.295, 0.26), (0.235, 0.26)], (196, 70, 50))
    for left, colour in ((0.42, (192, 118, 62)), (0.55, (84, 120, 92)), (0.68, (178, 152, 82))):
        c.shape("polygon", [(left, 0.43), (left + 0.115, 0.43), (left + 0.115, 0.53), (left, 0.535)], colour)
    c.shape("polygon", [(0.84, 0.28), (0.855, 0.28), (0.855, 0.52), (0.84, 0.52)], (90, 92, 98))
    return c.finish()


def airplane() -> Image.Image:
    """An airliner in a clear sky."""
    c = Canvas((110, 164, 220), (186, 212, 236))
    body, shade, dark = (240, 241, 244), (176, 182, 192), (92, 98, 110)
    c.shape("polygon", [(0.46, 0.47), (0.58, 0.45), (0.36, 0.16), (0.28, 0.18)], shade)
    c.shape("polygon", [(0.06, 0.26), (0.15, 0.27), (0.26, 0.50), (0.13, 0.50)], (196, 62, 54))
    c.shape("ellipse", (0.06, 0.42, 0.96, 0.58), body, light=0.7)
    c.shape("polygon", [(0.07, 0.46), (0.30, 0.43), (0.30, 0.57), (0.16, 0.55)], body)
    c.shape("polygon", [(0.42, 0.53), (0.60, 0.53), (0.40, 0.86), (0.30, 0.86)], shade)
    c.shape("polygon", [(0.10, 0.50), (0.20, 0.50), (0.11, 0.63), (0.05, 0.63)], shade)
    c.shape("ellipse", (0.42, 0.64, 0.54, 0.71), dark)
    c.shape("polygon", [(0.86, 0.455), (0.915, 0.47), (0.90, 0.49), (0.86, 0.485)], dark)
    for i in range(9):
        c.shape("ellipse", (0.30 + 0.06 * i, 0.475, 0.322 + 0.06 * i, 0.497), dark)
    return c.finish()


def truck() -> Image.Image:
    """A lorry on a road."""
    c = Canvas((198, 214, 226), (214, 216, 206))
    c.shape("polygon", [(0.0, 0.58), (1.0, 0.56), (1.0, 0.76), (0.0, 0.78)], (126, 144, 98))
    c.shape("polygon", [(0.0, 0.74), (1.0, 0.74), (1.0, 1.0), (0.0, 1.0)], (104, 102, 102))
    c.shape("polygon", [(0.04, 0.24), (0.63, 0.24), (0.63, 0.72), (0.04, 0.72)], (232, 230, 224))
    c.shape("polygon", [(0.04, 0.64), (0.63, 0.64), (0.63, 0.72), (0.04, 0.72)], (150, 148, 146))
    c.shape("polygon", [(0.66, 0.36), (0.86, 0.36), (0.94, 0.55), (0.96, 0.74), (0.66, 0.74)], (186, 46, 42))
    c.shape("polygon", [(0.72, 0.41), (0.84, 0.41), (0.90, 0.54), (0.72, 0.54)], (60, 84, 106))
    c.shape("polygon", [(0.02, 0.72), (0.97, 0.72), (0.97, 0.78), (0.02, 0.78)], (48, 48, 52))
    for middle in (0.17, 0.34, 0.80):
        c.shape("ellipse", (middle - 0.09, 0.70, middle + 0.09, 0.88), (26, 26, 28))
        c.shape("ellipse", (middle - 0.04, 0.75, middle + 0.04, 0.83), (168, 168, 170))
    return c.finish()


def hazy(picture: Image.Image, colour: Colour, share: float) -> Image.Image:
    """The picture with `share` (0..1) of its light replaced by that of haze."""
    return Image.blend(picture, Image.new("RGB", picture.size, colour), share)


@dataclass(frozen=True)
class Example:
    """What it is called and shows, how it is drawn, and whether both static attacks fool both classifiers."""

    label: str
    shows: str
    draw: Callable[[], Image.Image]
    fooled: bool


FOG, DUST = (190, 196, 202), (214, 170, 120)
EXAMPLES: dict[str, Example] = {
    "ship-in-fog": Example("Ship in fog", "ship", lambda: hazy(ship(), FOG, 0.7), True),
    "ship-at-dusk": Example("Ship at dusk", "ship", lambda: hazy(ship(), DUST, 0.6), True),
    "truck-in-dust": Example("Truck in dust", "truck", lambda: hazy(truck(), DUST, 0.2), True),
    "ship": Example("Drawn ship", "ship", ship, False),
    "airplane": Example("Drawn plane", "airplane", airplane, False),
}


def main() -> None:
    """Write every example."""
    for name, example in EXAMPLES.items():
        example.draw().save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
