"""The picture on a demo's card: its first samples side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

# Fewest samples for a grid, and its columns and rows: tiles stay square.
_GRIDS = ((8, 4, 2), (2, 2, 1), (1, 1, 1))
TILES = _GRIDS[0][0]
_WIDTH, _HEIGHT = 480, 240


def draw(paths: Sequence[Path]) -> bytes:
    """One to eight pictures as one of 480 x 240 pixels (WebP), each filling its tile; the same bytes every time."""
    from PIL import Image, ImageOps

    columns, rows = next((c, r) for fewest, c, r in _GRIDS if len(paths) >= fewest)
    size = (_WIDTH // columns, _HEIGHT // rows)
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    for index, path in enumerate(paths[: columns * rows]):
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        tile = Image.alpha_composite(paper, upright).convert("RGB")
        row, column = divmod(index, columns)
        sheet.paste(ImageOps.fit(tile, size, Image.Resampling.BICUBIC), (column * size[0], row * size[1]))
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=80, method=6)
    return out.getvalue()
