"""Pictures for the cards of pages that have no pictures of their own, drawn from what their models learned from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

_SIZE = (480, 240)
_SCALE = 4  # drawn larger, and made smaller, so that edges are smooth
_PAPER = "#f6f7f9"
INKS = ("#2456d6", "#b3261e", "#168f86", "#8a5a00")


def scatter(x: NDArray[np.floating], y: NDArray[np.floating], inks: Sequence[str], path: Path) -> None:
    """Writes a picture of points: their two numbers over the picture's width and height, each in its ink."""
    width, height = (side * _SCALE for side in _SIZE)
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet, "RGBA")
    radius = 6 * _SCALE
    for across, up, ink in zip(_spread(x), _spread(y), inks, strict=True):
        at = (0.06 + 0.88 * across) * width, (0.92 - 0.84 * up) * height
        pen.ellipse([at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius], fill=f"{ink}b0")
    _save(sheet, path)


def words(lines: Sequence[Sequence[tuple[str, str]]], path: Path) -> None:
    """Writes a picture of words, each in its ink, line by line in the middle."""
    width, height = (side * _SCALE for side in _SIZE)
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(24 * _SCALE)
    gap, step = 14 * _SCALE, height / (len(lines) + 1)
    for number, line in enumerate(lines, start=1):
        whole = sum(pen.textlength(word, font) for word, _ in line) + gap * (len(line) - 1)
        at = (width - whole) / 2
        for word, ink in line:
            pen.text((at, number * step), word, ink, font, anchor="lm")
            at += pen.textlength(word, font) + gap
    _save(sheet, path)


def boxes(picture: Image.Image, found: Sequence[tuple[str, str, Sequence[float]]], path: Path) -> None:
    """Writes a picture with labelled boxes over it: each a label, an ink, and ymin, xmin, ymax, xmax in fractions."""
    width, height = (side * _SCALE for side in _SIZE)
    sheet = ImageOps.fit(picture.convert("RGB"), (width, height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15 * _SCALE)
    for label, ink, (top, left, bottom, right) in found:
        corners = (left * width, top * height, right * width, bottom * height)
        pen.rounded_rectangle(corners, 3 * _SCALE, outline=ink, width=3 * _SCALE)
        # Over the box, or inside one that begins at the picture's edge.
        chip = (corners[0], corners[1] - (0 if top < 0.09 else 19 * _SCALE))
        end = (chip[0] + pen.textlength(label, font) + 10 * _SCALE, chip[1] + 21 * _SCALE)
        pen.rounded_rectangle((*chip, *end), 3 * _SCALE, fill=ink)
        pen.text((chip[0] + 5 * _SCALE, (chip[1] + end[1]) / 2), label, "white", font, anchor="lm")
    _save(sheet, path)


def _spread(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """From 0 to 1."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low)


def _save(sheet: Image.Image, path: Path) -> None:
    sheet.resize(_SIZE, Image.Resampling.LANCZOS).quantize(64).save(path, optimize=True)
