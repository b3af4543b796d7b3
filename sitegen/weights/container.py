"""The file of a model's weights: docs/weights-format.md. runtime/src/weights/container.ts is what reads it in the page.

    "SGWT"  version (uint32)  length of the header (uint32)  header (JSON)  tensors  stream

All numbers are little-endian. The header lists the tensors in their order; plain ones follow it one after the other
without gaps, and the integers of coded ones and grids are in the stream (range.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.weights.range import Decoder, damaged

_MAGIC = b"SGWT"
_VERSION = 1
_HEAD = 12
# Of plain schemes, the type that is stored.
PLAIN = {"float32": "<f4", "float16": "<f2", "int32": "<i4", "bool": "|b1", "uint8": "|u1"}
# Those whose numbers are in the stream.
_STREAMED = ("coded", "grid")
_MOST_NUMBERS = 1 << 31
# The fewest bits that a number can take are log2(4096 / 4080).
_MOST_A_BYTE = 1500
_MOST_HALF_OCTAVES = 200


@dataclass(frozen=True)
class Tensor:
    """A tensor as it is stored: `data` is of the scheme's type; coded ones have none, they are in the stream.

    Of grids, whose integers are there too, it is the steps: float32, one, or one for each column. `more` has the
    scheme's own numbers: uint8 `scale` and `min`; coded `step` and `rows`; grid `steps`, how many, and `rows`.
    """

    name: str
    shape: tuple[int, ...]
    scheme: str
    data: NDArray[np.generic] | None = None
    more: Mapping[str, float | int] = field(default_factory=dict)


def write(tensors: Sequence[Tensor], stream: bytes = b"") -> bytes:
    """The file of some tensors."""
    entries = [{"name": t.name, "shape": list(t.shape), "scheme": t.scheme, **t.more} for t in tensors]
    header = json.dumps({"tensors": entries}, separators=(",", ":"), ensure_ascii=False).encode()
    plain = [np.ascontiguousarray(t.data, PLAIN.get(t.scheme, "<f4")).tobytes() for t in tensors if t.data is not None]
    head = _MAGIC + _VERSION.to_bytes(4, "little") + len(header).to_bytes(4, "little")
    return b"".join([head, header, *plain, stream])


def read(file: bytes) -> dict[str, NDArray[np.generic]]:
    """The tensors as the page has them, by name. Raises SitegenError for what is not such a file, from end to end."""
    if len(file) < _HEAD or file[:4] != _MAGIC:
        raise damaged("this is no weights file")
    version, length = (int.from_bytes(file[at : at + 4], "little") for at in (4, 8))
    if version != _VERSION:
        raise damaged(f"they are of version {version}")
    start = _HEAD + length
    if start > len(file):
        raise damaged("the header is too long")
    entries = _entries(file[_HEAD:start])
    counts = [math.prod(entry["shape"]) for entry in entries]
    coded = sum(count for count, entry in zip(counts, entries, strict=True) if entry["scheme"] in _STREAMED)
    at, plain = start, []
    for entry, count in zip(entries, counts, strict=True):
        end = at + _size(entry, count)
        plain.append(file[at:end])
        at = end
    if at > len(file):
        raise damaged("it is too short")
    stream = file[at:]
    if coded > _MOST_A_BYTE * len(stream):
        raise damaged("it claims more numbers than it can hold")
    decoder = Decoder(stream) if any(e["scheme"] in _STREAMED for e in entries) else None
    values = {e["name"]: _values(e, data, decoder) for e, data in zip(entries, plain, strict=True)}
    if decoder is not None:
        decoder.end()
    elif stream:
        raise damaged("it is too long")
    return values


def _size(entry: Mapping[str, Any], count: int) -> int:
    """How many bytes a tensor of so many numbers has among the plain ones."""
    if entry["scheme"] == "grid":
        return 4 * int(entry["steps"])
    return count * np.dtype(PLAIN[entry["scheme"]]).itemsize if entry["scheme"] in PLAIN else 0


def _entries(header: bytes) -> list[dict[str, Any]]:
    try:
        entries = json.loads(header)["tensors"]
        for entry in entries:
            _check(entry)
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        raise damaged("the header makes no sense") from error
    return list(entries)


def _check(entry: dict[str, Any]) -> None:
    """Raises SitegenError, or TypeError and its like, for an entry that is not one."""
    shape, scheme = entry["shape"], entry["scheme"]
    whole = isinstance(shape, list) and all(type(size) is int and 0 <= size < _MOST_NUMBERS for size in shape)
    if not whole or not isinstance(entry["name"], str) or scheme not in (*PLAIN, *_STREAMED):
        raise damaged("a tensor is of no known kind")
    count = math.prod(shape)
    if count > _MOST_NUMBERS:
        raise damaged(f"{entry['name']} is too large")
    if scheme == "uint8" and not (math.isfinite(entry["scale"]) and math.isfinite(entry["min"])):
        raise damaged(f"the scale of {entry['name']}")
    if scheme == "coded" and (not math.isfinite(entry["step"]) or entry["step"] <= 0):
        raise damaged(f"the step of {entry['name']}")
    if scheme in _STREAMED:
        rows = entry["rows"]
        if type(rows) is not int or rows < 1 or count == 0 or count % rows:
            raise damaged(f"the rows of {entry['name']}")
        if scheme == "grid" and (type(entry["steps"]) is not int or entry["steps"] not in (1, count // rows)):
            raise damaged(f"the steps of {entry['name']}")


def _values(entry: Mapping[str, Any], data: bytes, decoder: Decoder | None) -> NDArray[np.generic]:
    if entry["scheme"] in _STREAMED:
        assert decoder is not None
        return _coded(decoder, entry, np.frombuffer(data, "<f4")).reshape(entry["shape"])
    stored = np.frombuffer(data, PLAIN[entry["scheme"]])
    if entry["scheme"] == "uint8":
        stored = (stored.astype(np.float64) * entry["scale"] + entry["min"]).astype(np.float32)
    elif entry["scheme"] == "float16":
        stored = stored.astype(np.float32)
    return stored.reshape(entry["shape"])


def _coded(decoder: Decoder, entry: Mapping[str, Any], steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exponents of rows and columns, then the integers; see the format. `steps` are a grid's."""
    rows = entry["rows"]
    columns = math.prod(entry["shape"]) // rows
    by_row, by_column = (_factors(decoder, length) for length in (rows, columns))
    integers = decoder.matrix(rows, columns)
    if len(steps):
        by_column = by_column * steps.astype(np.float64)
    values = coded_values(integers, entry.get("step", 1.0), by_row, by_column)
    if not np.isfinite(values).all():
        raise damaged(f"{entry['name']} has numbers that are none")
    return values


def _factors(decoder: Decoder, length: int) -> NDArray[np.float64]:
    if decoder.matrix(1, 1)[0, 0] == 0:
        return np.ones(length)
    exponents = np.cumsum(decoder.matrix(1, length)[0].astype(np.int64))
    if np.abs(exponents).max() > _MOST_HALF_OCTAVES:
        raise damaged("an exponent is too large")
    return factors(exponents)


def factors(exponents: NDArray[np.signedinteger[Any]]) -> NDArray[np.float64]:
    """2^(e/2), to the same bit wherever a file is read."""
    made: NDArray[np.float64] = np.ldexp(np.where(exponents % 2, math.sqrt(2), 1.0), exponents // 2)
    return made


def coded_values(
    integers: NDArray[np.int16], step: float, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The values of a coded matrix, of the factors of its rows and columns."""
    with np.errstate(over="ignore", invalid="ignore"):
        made: NDArray[np.float32] = (integers * ((step * rows)[:, None] * columns[None, :])).astype(np.float32)
    return made
