"""FlatBuffers of which nothing is believed (https://flatbuffers.dev/internals/).

Every offset is held against the file's length before it is followed. Objects may be shared, by which a small file can
claim to be a huge one; so the items that are read of it, all in all, may not take more than a few times its size.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_SHARED = 4
_LEAST = 1 << 16


class Damaged(ValueError):
    """What the file says makes no sense; the message ends the sentence "it is damaged: ..."."""


class Buffer:
    """The file, and how much more may be read of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._left = _MOST_SHARED * len(data) + _LEAST

    def number(self, at: int, kind: str) -> Any:
        """The number at a place, of a type of `struct`'s."""
        if not 0 <= at <= len(self.data) - struct.calcsize(f"<{kind}"):
            raise Damaged("it ends before what it points to")
        return struct.unpack_from(f"<{kind}", self.data, at)[0]

    def span(self, at: int, width: int) -> tuple[int, int]:
        """Where the items of the vector at a place begin, each of `width` bytes, and how many there are."""
        count, start = int(self.number(at, "I")), at + 4
        if count * width > len(self.data) - start:
            raise Damaged("it ends before what it points to")
        return start, count

    def spend(self, size: int) -> None:
        """Counts bytes that become objects."""
        self._left -= size
        if self._left < 0:
            raise Damaged("its parts are shared until they are larger than the file can be")

    def root(self) -> Table:
        """The object that all others hang from."""
        return Table(self, self.number(0, "I"))


class Table:
    """An object with numbered fields; those that are not there have a default, or are empty."""

    def __init__(self, buffer: Buffer, at: int) -> None:
        self._buffer, self._at = buffer, at
        buffer.spend(4)
        self._fields = at - buffer.number(at, "i")
        self._size = buffer.number(self._fields, "H")

    def number(self, field: int, kind: str, default: Any = 0) -> Any:
        """A number of a type of `struct`'s."""
        at = self._place(field)
        return default if at is None else self._buffer.number(at, kind)

    def has(self, field: int) -> bool:
        """Whether the field is there."""
        return self._place(field) is not None

    def text(self, field: int) -> str:
        """A string; bytes that are no UTF-8 are replaced."""
        return self.bytes(field, spend=True).decode("utf-8", "replace")

    def bytes(self, field: int, *, spend: bool = False) -> bytes:
        """A vector of bytes."""
        at = self._follow(field)
        if at is None:
            return b""
        start, count = self._buffer.span(at, 1)
        if spend:
            self._buffer.spend(count)
        return self._buffer.data[start : start + count]

    def view(self, field: int) -> memoryview | None:
        """A vector of bytes that is not copied; None if it is not there."""
        at = self._follow(field)
        if at is None:
            return None
        start, count = self._buffer.span(at, 1)
        return memoryview(self._buffer.data)[start : start + count]

    def numbers(self, field: int, dtype: str) -> NDArray[Any]:
        """A vector of numbers of a type of NumPy's."""
        at = self._follow(field)
        if at is None:
            return np.zeros(0, dtype)
        width = np.dtype(dtype).itemsize
        start, count = self._buffer.span(at, width)
        self._buffer.spend(count * width)
        return np.frombuffer(self._buffer.data, dtype, count, start)

    def table(self, field: int) -> Table | None:
        """Another object."""
        at = self._follow(field)
        return None if at is None else Table(self._buffer, at)

    def tables(self, field: int) -> list[Table]:
        """A vector of objects."""
        at = self._follow(field)
        if at is None:
            return []
        start, count = self._buffer.span(at, 4)
        self._buffer.spend(4 * count)
        places = range(start, start + 4 * count, 4)
        return [Table(self._buffer, place + self._buffer.number(place, "I")) for place in places]

    def _place(self, field: int) -> int | None:
        slot = 4 + 2 * field
        offset = self._buffer.number(self._fields + slot, "H") if slot + 2 <= self._size else 0
        return self._at + offset if offset else None

    def _follow(self, field: int) -> int | None:
        at = self._place(field)
        return None if at is None else at + int(self._buffer.number(at, "I"))
