"""Drawings for pages, as SVG without styles of its own: the theme colours what has a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from sitegen import text
from sitegen.records import Packed

_WIDTH = 240
_ROW = 29
_TOP = 26
_MOST = 12
_LEAST = 0.01  # of the longest bar: what is shorter can hardly be seen
_LETTERS = 22  # of a name, that fit beside the sizes


def layers(packed: Packed) -> Markup:
    """Bars of the bytes of each of the largest tensors, as they were and as they are shipped; empty without tensors."""
    rows = list(_rows(packed))
    if not rows:
        return Markup()
    most = max(before for _, before, _ in rows) or 1
    whole = _TOP + len(rows) * _ROW
    said = "; ".join(f"{name}: {text.size(before)} before, {text.size(after)} now" for name, before, after in rows)
    return Markup(
        '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="bytes-title bytes-desc" '
        'font-size="11.5" fill="currentColor">'
        '<title id="bytes-title">Bytes by layer</title><desc id="bytes-desc">{said}</desc>{legend}{bars}</svg>'
    ).format(width=_WIDTH, height=whole, said=said, legend=_LEGEND, bars=Markup().join(_bars(rows, most)))


_LEGEND = Markup(
    '<rect class="before" y="3" width="9" height="9" rx="2" fill-opacity="0.25"/><text x="14" y="11">as trained</text>'
    '<rect class="after" x="92" y="3" width="9" height="9" rx="2"/><text x="106" y="11">as fetched</text>'
)


def _rows(packed: Packed) -> Iterator[tuple[str, int, int]]:
    """Names, short, and bytes before and after: the largest, and what is left."""
    listed = packed.layers
    shown = [layer for layer in listed if layer[1] >= _LEAST * listed[0][1]][:_MOST]
    if len(listed) == len(shown) + 1:
        shown = list(listed)
    names = _short([name for name, _, _ in shown])
    yield from ((name, before, after) for name, (_, before, after) in zip(names, shown, strict=True))
    before = packed.float32_bytes - sum(size for _, size, _ in shown)
    after = packed.weight_bytes - sum(size for _, _, size in shown)
    if before:
        yield "all others", before, after


def _bars(rows: Sequence[tuple[str, int, int]], most: int) -> Iterator[Markup]:
    # An inner svg cuts off what does not fit.
    row = Markup(
        '<svg y="{top}" width="144" height="13"><text y="9">{name}</text></svg>'
        '<text x="{width}" y="{text}" text-anchor="end">{sizes}</text>'
        '<rect class="before" y="{bar}" width="{before:.1f}" height="8" rx="2" fill-opacity="0.25"/>'
        '<rect class="after" y="{bar}" width="{after:.1f}" height="8" rx="2"/>'
    )
    for index, (name, before, after) in enumerate(rows):
        top = _TOP + index * _ROW
        yield row.format(
            top=top,
            text=top + 9,
            bar=top + 14,
            width=_WIDTH,
            name=name,
            sizes=f"{text.size(before)} → {text.size(after)}",
            before=_WIDTH * before / most,
            after=_WIDTH * after / most,
        )


def _short(names: Sequence[str]) -> list[str]:
    """Each name without what all begin with, up to where it is no other's, and its middle left out if it is long."""
    paths = [name.split("/") for name in names]
    shared = 0
    while len(paths) > 1 and all(len(path) > shared + 1 and path[shared] == paths[0][shared] for path in paths):
        shared += 1
    paths = [path[shared:] for path in paths]
    made = []
    for path in paths:
        alike = [other for other in paths if other is not path]
        ends = (end for end in range(1, len(path)) if all(other[:end] != path[:end] for other in alike))
        name = "/".join(path[: next(ends, len(path))])
        printable = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
        half = (_LETTERS - 1) // 2
        made.append(printable if len(printable) <= _LETTERS else f"{printable[:half]}…{printable[-half:]}")
    return made
