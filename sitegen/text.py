"""Numbers as people read them."""

from __future__ import annotations

import re
from collections.abc import Sequence


def size(count: int) -> str:
    """Bytes in decimal units: "812 B", "30 kB", "1.2 MB"."""
    if count < 1000:
        return f"{count} B"
    value, units = count / 1000, ["kB", "MB", "GB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    unit = units[0]
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kMG]?)B")
_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def bytes_of(text: str) -> int | None:
    """The bytes of a size as `size` writes it, "20 MB"; None when it is none."""
    found = _SIZE.fullmatch(text)
    return round(float(found[1]) * _UNITS[found[2]]) if found else None


def number(count: int) -> str:
    """With thousands set apart: "5,920"."""
    return f"{count:,}"


def plural(count: int, noun: str) -> str:
    """ "1 page", "3 pages"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shape(sizes: Sequence[int | None]) -> str:
    """ "[any, 28, 28, 1]"; a size that is any is None or -1."""
    return "[" + ", ".join("any" if size in (None, -1) else str(size) for size in sizes) + "]"
