"""Draws the picture on this page's card: the sixteen frames of a clip, in which a ball flies into a basket.

    python content/max-sports-video-classifier/card.py

A second run with the same version of Pillow writes the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

_COLUMNS, _ROWS = 8, 2
_SIDE, _GAP, _SCALE = 52, 7, 4  # drawn larger, and made smaller, so that edges are smooth
_SIZE = (480, 150)
_PAPER, _HALL, _FLOOR, _BOARD, _BALL = "#f6f7f9", "#dfe7f7", "#c99a63", "#2456d6", "#d9641f"


def frame(index: int) -> Image.Image:
    """One frame, whose ball is at time `index` / 15 of its throw."""
    side = _SIDE * _SCALE
    made = Image.new("RGB", (side, side), _HALL)
    pen = ImageDraw.Draw(made)
    pen.rectangle([0, 0.82 * side, side, side], fill=_FLOOR)
    pen.rectangle([0.88 * side, 0.22 * side, 0.92 * side, 0.5 * side], fill=_BOARD)
    time = index / 15
    # A throw: as far across in each frame, and up and down as a stone falls.
    across, up = 0.12 + 0.64 * time, 0.3 + 1.75 * time - 1.7 * time * time
    x, y, radius = across * side, (0.9 - up) * side, 0.085 * side
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=_BALL)
    pen.line([0.66 * side, 0.46 * side, 0.88 * side, 0.46 * side], fill=_BOARD, width=2 * _SCALE)
    return made


def main() -> None:
    """Writes card.png."""
    sheet = Image.new("RGB", tuple(length * _SCALE for length in _SIZE), _PAPER)
    step = (_SIDE + _GAP) * _SCALE
    left = (sheet.width - _COLUMNS * step + _GAP * _SCALE) // 2
    top = (sheet.height - _ROWS * step + _GAP * _SCALE) // 2
    for index in range(_COLUMNS * _ROWS):
        row, column = divmod(index, _COLUMNS)
        sheet.paste(frame(index), (left + column * step, top + row * step))
    path = Path(__file__).parent / "card.png"
    sheet.resize(_SIZE, Image.Resampling.LANCZOS).quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    main()
