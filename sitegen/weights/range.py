"""The entropy decoder of weights files, in Python: runtime/src/weights/range.ts and coded.ts, line by line.

It says what a file holds where no browser is; the page's own is some hundred times as fast.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError

_TOP = 1 << 24
_STEPS = 17
_LONGEST = 16
_LARGEST = 32767


@functools.cache
def _tables() -> Any:
    return json.loads(Path(__file__).with_name("tables.json").read_text("utf-8"))


def damaged(what: str) -> SitegenError:
    """The error of a file that makes no sense."""
    return SitegenError(f"the weights are damaged: {what}")


class Decoder:
    """Reads matrices from a stream. Raises SitegenError when it ends too early, or holds what no encoder writes."""

    def __init__(self, data: bytes) -> None:
        tables = _tables()
        self._thresholds, self._low = tables["thresholds"], tables["low"]
        self._buckets = len(self._thresholds)
        initial = [*tables["zero"]]
        for probability in tables["unary"]:
            initial += [probability] * (_STEPS + 1)
        initial += [32768] * (2 * self._buckets + _LONGEST + 1)
        self._quick, self._slow = list(initial), list(initial)
        self._unary_at = self._buckets
        self._low_at = self._unary_at + self._buckets * (_STEPS + 1)
        self._length_at = self._low_at + 2 * self._buckets
        self._data, self._at = data, 0
        self._range, self._code = 0xFFFFFFFF, 0
        if self._next() != 0:
            raise damaged("their stream begins wrongly")
        for _ in range(4):
            self._code = self._code << 8 | self._next()

    def end(self) -> None:
        """Raises SitegenError unless the stream ends here."""
        if self._at != len(self._data):
            raise damaged("their stream is too long")

    def matrix(self, rows: int, columns: int) -> NDArray[np.int16]:
        """The next matrix, [rows, columns]."""
        values = np.zeros((rows, columns), np.int16)
        sums, counts = [0.0] * columns, [0.0] * columns
        total, number, before = 1.0, 1.0, 1.0
        for row in range(rows):
            mean = total / number
            likely = 0.5 * mean + 0.5 * before if row else mean
            found, expected, size_of_row = 6 * likely + 0.001, 6 * mean + 0.001, 0
            for column in range(columns):
                own = (sums[column] + 8 * mean) / (counts[column] + 8)
                value = self._number(self._bucket(own * found / expected))
                values[row, column] = value
                size = abs(value)
                found += size
                expected += own
                size_of_row += size
                sums[column] += size
                counts[column] += 1
                if counts[column] > 64:
                    sums[column] *= 0.5
                    counts[column] *= 0.5
                total += size
                number += 1
            before = size_of_row / columns
            if number > 20000:
                total *= 0.5
                number *= 0.5
        return values

    def _bucket(self, size: float) -> int:
        first, last = 0, self._buckets - 1
        while first < last:
            middle = (first + last) >> 1
            if size < self._thresholds[middle]:
                last = middle
            else:
                first = middle + 1
        return first

    def _number(self, bucket: int) -> int:
        if not self._bit(bucket):
            return 0
        negative = self._even()
        low = self._low[bucket]
        context = self._unary_at + bucket * (_STEPS + 1)
        steps = 0
        while steps < _STEPS and self._bit(context + steps):
            steps += 1
        read = _STEPS + self._golomb() if steps == _STEPS else steps
        for bit in range(low - 1, -1, -1):
            first = self._low_at + 2 * bucket + (1 if steps else 0)
            read = 2 * read + (self._bit(first) if bit == low - 1 else self._even())
        if read >= _LARGEST:
            raise damaged("a number is too large")
        return -read - 1 if negative else read + 1

    def _golomb(self) -> int:
        bits = 0
        while self._bit(self._length_at + bits):
            bits += 1
            if bits > _LONGEST:
                raise damaged("a number is too large")
        read = 1
        for _ in range(bits):
            read = 2 * read + self._even()
        return read - 1

    def _bit(self, context: int) -> int:
        quick, slow = self._quick[context], self._slow[context]
        probability = min(max((quick + slow) >> 5, 16), 4080)
        bound = (self._range >> 12) * probability
        if self._code < bound:
            self._range = bound
            self._quick[context] = quick + ((65535 - quick) >> 5)
            self._slow[context] = slow + ((65535 - slow) >> 8)
            self._normalize()
            return 1
        self._code -= bound
        self._range -= bound
        self._quick[context] = quick - (quick >> 5)
        self._slow[context] = slow - (slow >> 8)
        self._normalize()
        return 0

    def _even(self) -> int:
        self._range >>= 1
        bit = 1 if self._code >= self._range else 0
        if bit:
            self._code -= self._range
        self._normalize()
        return bit

    def _normalize(self) -> None:
        while self._range < _TOP:
            self._range = self._range << 8 & 0xFFFFFFFF
            self._code = (self._code << 8 | self._next()) & 0xFFFFFFFF

    def _next(self) -> int:
        if self._at >= len(self._data):
            raise damaged("their stream is too short")
        self._at += 1
        return self._data[self._at - 1]
