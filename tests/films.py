"""Films whose every frame is known."""

from __future__ import annotations

import random

from PIL import Image

from content import webm as writer

SIZE = (160, 120)
PER_SECOND = 4


def webm(seconds: int) -> bytes:
    """A film whose every frame can be gone to; how grey its left half is tells the frame: `2 * index`, up to 127."""
    return writer.webm([_frame(index) for index in range(seconds * PER_SECOND)], PER_SECOND)


def _frame(index: int) -> Image.Image:
    width, height = SIZE
    picture = Image.new("L", SIZE, 2 * index)
    # Noise, so that the film is long in bytes too.
    noise = random.Random(index).randbytes(width // 2 * height)
    picture.paste(Image.frombytes("L", (width // 2, height), noise), (width // 2, 0))
    return picture
