"""The icons of an installed site, made from the theme's one: smaller, and for systems that cut icons into shapes."""

from __future__ import annotations

import io

from sitegen.errors import SitegenError

SOURCE = "icon-512.png"
_SIDE = 512
SIDES = (192, 512)
# What every shape leaves is a circle of four fifths of the width (W3C, Web Application Manifest, "maskable").
_SAFE = 0.8


def draw(source: bytes, side: int, maskable: bool) -> bytes:
    """A PNG of side x side pixels; the same bytes every time.

    A `maskable` one has no edge: the icon is drawn smaller, on the colour that it has at the middle of its upper edge.
    Raises SitegenError when `source` is no square picture of 512 pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(source)) as image:
            icon = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise _wrong("is no picture") from error
    if icon.size != (_SIDE, _SIDE):
        raise _wrong(f"has {icon.width} × {icon.height} pixels")
    if maskable:
        red, green, blue, opacity = icon.getpixel((_SIDE // 2, _SIDE // 64))
        paper = Image.new("RGBA", icon.size, (red, green, blue, 255) if opacity > 250 else "white")
        inner = icon.resize((round(_SIDE * _SAFE),) * 2, Image.Resampling.LANCZOS)
        corner = (_SIDE - inner.width) // 2
        paper.alpha_composite(inner, (corner, corner))
        icon = paper
    out = io.BytesIO()
    icon.resize((side, side), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _wrong(what: str) -> SitegenError:
    return SitegenError(f"the theme's {SOURCE} {what}", hint="a PNG of 512 × 512 pixels")
