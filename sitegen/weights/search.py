"""The largest step that passes."""

from __future__ import annotations

import math
from collections.abc import Callable

# Steps are tried in these parts of an octave, as far below and above the first, and no more often than this.
PARTS = 16
LOWEST, _HIGHEST = -4 * PARTS, 8 * PARTS
_MOST_TRIES = 12
_JUMP = 3 * PARTS // 2


def largest(excess: Callable[[int], float]) -> int | None:
    """The largest number of sixteenths of an octave that passes; None when the smallest does not.

    `excess` gives log2 of how much more is lost than may be, which passes at 0 and grows by about two an octave. It is
    noisy: what is found passes, and something a little larger does not.
    """
    low, high, at = LOWEST - 1, _HIGHEST + 1, 0
    for _ in range(_MOST_TRIES):
        found = excess(at)
        if found <= 0:
            low = at
        else:
            high = at
        if high - low <= 1:
            break
        # Loss grows with the square of the step.
        wanted = -found / 2 * PARTS if math.isfinite(found) else math.copysign(_JUMP, -found)
        at = min(max(at + round(min(max(wanted, -_JUMP), _JUMP)), low + 1), high - 1)
    return low if low >= LOWEST else None
