"""NumPy's files of numbers: read as NumPy reads them, or refused with what is wrong."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen import npy


def written(values: Any, version: tuple[int, int] = (1, 0)) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(values), version)
    return out.getvalue()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("shape", [(2, 3, 4), (5,), (), (0, 2)])
def test_numbers_are_numpys(shape: tuple[int, ...], version: tuple[int, int], tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    (tmp_path / "a.npy").write_bytes(written(values, version))
    told, offset = npy.head(tmp_path / "a.npy")
    assert told == shape
    assert np.array_equal(np.fromfile(tmp_path / "a.npy", "<f4", offset=offset).reshape(told), values)


GOOD = written(np.zeros((2, 3), np.float32))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is no .npy file"),
        (b"\x93NUMPY\x09\x00" + bytes(20), "it is no .npy file"),
        (GOOD[:40], "its head is damaged"),
        (GOOD.replace(b"descr", b"descx"), "its head is damaged"),
        (GOOD.replace(b"(2, 3)", b"(2,-3)"), "its head is damaged"),
        (GOOD.replace(b"(2, 3)", b"(2, x)"), "its head is damaged"),
        (GOOD[:-1], "it ends early"),
        (GOOD + b"\0", "it is longer than its shape says"),
        (written(np.zeros(3)), "its numbers are <f8, not float32 row by row"),
        (written(np.zeros(3, ">f4")), "its numbers are >f4, not float32 row by row"),
        (
            written(np.zeros((2, 3), np.float32, order="F")),
            "its numbers are <f4, column by column, not float32 row by row",
        ),
    ],
)
def test_what_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(ValueError, match=f"^{said}$"):
        npy.head(tmp_path / "a.npy")
