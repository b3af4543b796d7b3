"""The largest step that passes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable

# Steps are tried in these parts of an octave, as far below and above the first.
PARTS = 16
LOWEST, _HIGHEST = -4 * PARTS, 8 * PARTS
_COARSE = 4
_MOST_TRIES = 9  # until a coarse step is found
_JUMP = 2 * PARTS
# What is lost is noisy: a little beyond a step that does not pass there may be one that does.
FEW, MANY = (10, 6, 4, 2), range(14, 0, -1)


def largest(excess: Callable[[int], float], beyond: Iterable[int] = FEW) -> int | None:
    """The largest number of sixteenths of an octave that is found to pass; None when no small one does.

    `excess` gives log2 of how much more is lost than may be, which passes at 0 and grows by about two an octave;
    `beyond` are steps above the first one found that are tried too.
    """
    # A whole file is made and measured for each.
    excess = functools.cache(excess)
    low, high, at = LOWEST - _COARSE, _HIGHEST + _COARSE, 0
    for _ in range(_MOST_TRIES):
        found = excess(at)
        if found <= 0:
            low = at
        else:
            high = at
        if high - low <= _COARSE:
            break
        # Loss grows with the square of the step.
        wanted = -found / 2 * PARTS if math.isfinite(found) else math.copysign(_JUMP, -found)
        moved = at + _COARSE * round(min(max(wanted, -_JUMP), _JUMP) / _COARSE)
        at = min(max(moved, low + _COARSE), high - _COARSE)
    if low < LOWEST:
        return None
    return next((low + more for more in beyond if excess(low + more) <= 0), low)
