"""scikit-learn's digits, 8 x 8 cells, as visitors draw them: their middle lines, drawn anew with a pen.

The data is blurred ink, a visitor's drawing is a line of even width. Pictures are floats in [y, x] order whose ink is 1
and whose paper is 0. Lengths are in cells of the data, or in pixels of what is drawn, as each docstring says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from training import Floats

CELLS = 8
PAD = 3  # empty cells around a digit, so that its edge fades out under the cubic spline
FINE = 5  # skeleton points a cell


def spline(digit: Floats) -> Floats:
    """The cubic spline through a digit ([8, 8], 0..16): coefficients [14, 14], ink 0..1."""
    return ndimage.spline_filter(np.pad(digit / 16, PAD), order=3)


def skeletons(digits: Floats, threshold: float) -> list[Floats]:
    """The middle lines of digits ([n, 8, 8], 0..16) where ink is above `threshold` (0..1).

    Each is a list of points [m, 2], (y, x) in cells from the picture's centre.
    """
    side = (CELLS + 2) * FINE
    steps = (np.arange(side) + 0.5) / FINE - 0.5 + PAD - 1
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"))
    ink = np.stack([ndimage.map_coordinates(spline(d), grid, order=3, prefilter=False) for d in digits])
    return [(np.argwhere(line) + 0.5) / FINE - CELLS / 2 - 1 for line in _thinned(ink > threshold)]


def _thinned(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Zhang and Suen's thinning (Communications of the ACM 27:3, 1984) of many pictures [n, y, x].

    Takes the rim off, from two sides in turn, wherever that neither breaks a line nor shortens it.
    """
    ink = ink.copy()
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            p = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
            north, south = p[:, :-2, 1:-1], p[:, 2:, 1:-1]
            west, east = p[:, 1:-1, :-2], p[:, 1:-1, 2:]
            ring = (
                *(north, p[:, :-2, 2:], east, p[:, 2:, 2:]),
                *(south, p[:, 2:, :-2], west, p[:, :-2, :-2]),
            )
            count = np.sum(ring, axis=0)
            after = (*ring[1:], ring[0])
            starts = np.sum([~a & b for a, b in zip(ring, after, strict=True)], axis=0)
            if first:
                open_side = ~(north & east & south) & ~(east & south & west)
            else:
                open_side = ~(north & east & west) & ~(north & south & west)
            rim = ink & (count >= 2) & (count <= 6) & (starts == 1) & open_side
            changed = changed or bool(rim.any())
            ink &= ~rim
    return ink


def restyled(points: Floats, label: int, rng: np.random.Generator) -> Floats:
    """A skeleton in a way of writing that the data hardly has.

    Its writers put a bar through their sevens, and few gave a one both a flag and a base.
    """
    if label == 7 and rng.random() < 0.5:
        return _without_bar(points, rng)
    if label == 1:
        return _with_serifs(points, rng)
    return points


def _without_bar(points: Floats, rng: np.random.Generator) -> Floats:
    head = points[points[:, 0] < -1.6]
    # Thick heads thin to a stump: without a bar these could be anything.
    if len(head) == 0 or np.ptp(head[:, 1]) < 2:
        return points
    corner = head[head[:, 1].argmax()]
    foot = points[points[:, 0].argmax()] + np.array([0, rng.normal(0, 0.5)])
    head = head[head[:, 0] < corner[0] + 0.8]
    return np.concatenate([head, _stroke(corner, foot, rng.normal(0, 0.08))])


def _with_serifs(points: Floats, rng: np.random.Generator) -> Floats:
    top, foot = points[points[:, 0].argmin()], points[points[:, 0].argmax()]
    parts = [points]
    if np.ptp(points[:, 1]) < 2 and rng.random() < 0.4:
        parts.append(_stroke(top, top + np.array([rng.uniform(1, 2.4), -rng.uniform(0.9, 2.2)])))
    if rng.random() < 0.3:
        left, right = rng.uniform(0.8, 2.2, 2)
        parts.append(_stroke(foot - np.array([0, left]), foot + np.array([0, right])))
    return np.concatenate(parts)


def _stroke(start: Floats, end: Floats, bow: float = 0.0) -> Floats:
    """Points of a line between two points, bent sideways by `bow` of its length."""
    way = end - start
    t = np.linspace(0, 1, max(2, int(np.hypot(*way) / 0.15)))[:, None]
    return start + way * t + np.array([-way[1], way[0]]) * bow * 4 * t * (1 - t)


def wobbled(points: Floats, rng: np.random.Generator) -> Floats:
    """Points moved by long waves, 0.12 cells each: no hand draws the same line twice."""
    height = rng.normal(0, 0.12, (2, 4))
    phase = rng.uniform(0, 2 * np.pi, (2, 4))
    moved = points.copy()
    for axis in (0, 1):
        for wave in range(4):
            angle = (0.3 + 0.3 * (wave // 2)) * points[:, wave % 2] + phase[axis, wave]
            moved[:, axis] += height[axis, wave] * np.sin(angle)
    return moved


def inked(points: Floats, width: float, side: int) -> Floats:
    """Points [m, 2], (y, x) in pixels from the middle, as a pen `width` pixels wide draws them: [side, side], 0..1."""
    y, x = points.T
    steps = np.arange(side)[:, None] + 0.5 - side / 2
    squares = ((steps - y) ** 2)[:, None, :] + ((steps - x) ** 2)[None, :, :]
    return np.clip(width / 2 - np.sqrt(squares.min(axis=-1)) + 0.5, 0, 1)


def centred(points: Floats, longer: float) -> Floats:
    """Points moved and scaled so that the middle of their box is (0, 0) and its longer side is `longer`."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - (low + high) / 2) * (longer / max(float((high - low).max()), 1e-6))


def hand(rng: np.random.Generator) -> Floats:
    """How one writer slants, turns and stretches: a matrix [2, 2] for (y, x)."""
    turn, slant = np.radians(rng.normal(0, 7)), rng.normal(0, 0.15)
    wide = np.exp(rng.uniform(-0.25, 0.4))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return rotation @ np.array([[1, 0], [slant, wide]])
