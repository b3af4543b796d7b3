"""Draws card.png, the picture on this page's card: a desk, and boxes around what a detector would find on it."""

from __future__ import annotations

import sys
from pathlib import Path

# For what other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cards import INKS, boxes
from PIL import Image, ImageDraw

_SIZE = (960, 480)


def desk() -> Image.Image:
    """A wall, a desk, and on it a laptop, a cup and a plant in a pot."""
    sheet = Image.new("RGB", _SIZE, "#e4e9f2")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((0, 390, 960, 480), fill="#b98d64")
    pen.rectangle((0, 390, 960, 398), fill="#a47a53")
    # The laptop.
    pen.rounded_rectangle((330, 178, 622, 372), 12, fill="#49505e")
    pen.rounded_rectangle((344, 192, 608, 358), 5, fill="#9fc0f5")
    pen.polygon([(316, 372), (636, 372), (668, 402), (284, 402)], fill="#7a8394")
    # The cup.
    pen.ellipse((808, 300, 858, 366), outline="#d8574c", width=13)
    pen.rounded_rectangle((720, 280, 826, 402), 16, fill="#e4685d")
    pen.ellipse((720, 268, 826, 296), fill="#5a3a2a")
    # The plant.
    for middle, reach in ((148, 40), (112, 34), (184, 34), (130, 38), (168, 38)):
        pen.ellipse((middle - reach // 2, 130 + abs(148 - middle), middle + reach // 2, 312), fill="#3f9a68")
    pen.polygon([(96, 300), (200, 300), (186, 402), (110, 402)], fill="#c9714b")
    pen.rectangle((88, 292, 208, 316), fill="#d98460")
    return sheet


def main() -> None:
    """Writes the picture."""
    found = [
        ("potted plant", INKS[2], (0.25, 0.085, 0.85, 0.222)),
        ("laptop", INKS[0], (0.355, 0.292, 0.85, 0.70)),
        ("cup", INKS[1], (0.545, 0.742, 0.85, 0.902)),
    ]
    boxes(desk(), found, Path(__file__).resolve().parent / "card.png")


if __name__ == "__main__":
    main()
