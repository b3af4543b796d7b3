"""NumPy's .npy files, as far as pages ship their numbers: the head is read here, without NumPy, which is slow to start.

Source: NEP 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import ast
import math
from pathlib import Path

_MAGIC = b"\x93NUMPY"
# Head's length: how many bytes it takes, by the format's version.
_LENGTHS = {1: 2, 2: 4, 3: 4}


def head(path: Path) -> tuple[tuple[int, ...], int]:
    """The shape of an array of float32, little endian, row by row; and where in the file its numbers begin, in bytes.

    Raises ValueError, which says what is wrong with it, for any other file; OSError where there is none.
    """
    with path.open("rb") as file:
        start = file.read(12)
        if start[:6] != _MAGIC or len(start) < 12 or start[6] not in _LENGTHS:
            raise ValueError("it is no .npy file")
        first = 8 + _LENGTHS[start[6]]
        offset = first + int.from_bytes(start[8:first], "little")
        file.seek(first)
        described = file.read(offset - first)
    try:
        told = ast.literal_eval(described.decode("latin-1"))
        kind, by_columns, shape = told["descr"], told["fortran_order"], tuple(told["shape"])
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("its head is damaged") from error
    if kind != "<f4" or (by_columns and len(shape) > 1):
        raise ValueError(f"its numbers are {kind}{', column by column' if by_columns else ''}, not float32 row by row")
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("its head is damaged")
    missing = offset + 4 * math.prod(shape) - path.stat().st_size
    if missing:
        raise ValueError("it ends early" if missing > 0 else "it is longer than its shape says")
    return shape, offset
