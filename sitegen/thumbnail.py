"""The picture on a demo's card: its first samples side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

# Fewest samples for a grid, and its columns and rows: tiles stay square.
_GRIDS = ((8, 4, 2), (2, 2, 1), (1, 1, 1))
TILES = _GRIDS[0][0]
_WIDTH, _HEIGHT, _GAP = 480, 240, 12


def draw(paths: Sequence[Path]) -> bytes:
    """One to eight pictures as one of 480 x 240 pixels (WebP), each filling its tile; the same bytes every time."""
    from PIL import Image, ImageOps

    columns, rows = next((c, r) for fewest, c, r in _GRIDS if len(paths) >= fewest)
    size = (_WIDTH // columns, _HEIGHT // rows)
    # One picture fills its card; several stand apart.
    gap = _GAP if len(paths) > 1 else 0
    inner = (size[0] - gap, size[1] - gap)
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    for index, path in enumerate(paths[: columns * rows]):
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        tile = Image.alpha_composite(paper, upright).convert("RGB")
        row, column = divmod(index, columns)
        corner = (column * size[0] + gap // 2, row * size[1] + gap // 2)
        sheet.paste(ImageOps.fit(tile, inner, Image.Resampling.BICUBIC), corner)
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=80, method=6)
    return out.getvalue()
