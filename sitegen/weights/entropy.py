"""Integers -> the stream of a weights file, by the encoder in runtime/dist, which Node runs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen import runtime
from sitegen.runtime.node import Tool


@dataclass(frozen=True)
class Matrix:
    """Integers [rows, columns]; the exponents of rows and columns, in half octaves, are None where all are 0."""

    integers: NDArray[np.int16]
    row_exponents: NDArray[np.int16] | None = None
    column_exponents: NDArray[np.int16] | None = None


@dataclass(frozen=True)
class Stream:
    """The stream of some matrices, and how many of its bytes are each one's."""

    data: bytes
    sizes: list[int]


def encode(matrices: Sequence[Matrix]) -> Stream:
    """One stream of all of them."""
    told, pieces = [], []
    for matrix in matrices:
        rows, columns = matrix.integers.shape
        exponents = {"rowExponents": matrix.row_exponents, "columnExponents": matrix.column_exponents}
        told.append({"rows": rows, "columns": columns, **{name: e is not None for name, e in exponents.items()}})
        arrays = [*(e for e in exponents.values() if e is not None), matrix.integers]
        pieces += [np.ascontiguousarray(array, "<i2").tobytes() for array in arrays]
    with tempfile.TemporaryDirectory(prefix="sitegen-") as name:
        folder = Path(name)
        (folder / "integers.bin").write_bytes(b"".join(pieces))
        with Tool(runtime.load().tool("encode"), folder) as tool:
            sizes = tool.ask(told)
        return Stream((folder / "stream.bin").read_bytes(), sizes)
