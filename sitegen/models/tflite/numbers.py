"""The numbers of constants: what they stand for, as float32, int32 or bool."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.models.tflite.flatbuffer import Damaged
from sitegen.models.tflite.schema import Tensor

# How each type is stored. Of INT4 two are in a byte.
_STORED = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "FLOAT64": "<f8",
    "INT64": "<i8",
    "INT32": "<i4",
    "INT16": "<i2",
    "INT8": "<i1",
    "INT4": "<i1",
    "UINT64": "<u8",
    "UINT32": "<u4",
    "UINT16": "<u2",
    "UINT8": "<u1",
    "BOOL": "|b1",
}
_INT32 = np.iinfo(np.int32)


def dtype(tensor: Tensor) -> str:
    """The type that the graph has a tensor in: whatever stands for real numbers is float32.

    Raises SitegenError for types that pages do not have.
    """
    if tensor.kind not in _STORED:
        raise SitegenError(f'the model\'s tensor "{tensor.name}" is a {tensor.kind.lower()}, which pages do not have')
    if tensor.scales is not None or tensor.kind.startswith("FLOAT"):
        return "float32"
    return "bool" if tensor.kind == "BOOL" else "int32"


def stored(tensor: Tensor) -> NDArray[Any]:
    """A constant as it is in the file. Raises Damaged where there is more or less of it than its shape has."""
    dtype(tensor)
    count = math.prod(tensor.shape)
    form = np.dtype(_STORED[tensor.kind])
    size = (count + 1) // 2 if tensor.kind == "INT4" else count * form.itemsize
    if tensor.data is None or min(tensor.shape, default=0) < 0 or len(tensor.data) != size:
        raise Damaged(f"{tensor.name} has not as many numbers as its shape")
    found: NDArray[Any] = np.frombuffer(tensor.data, form)
    if tensor.kind == "INT4":
        # The lower half comes first; shifts keep the sign.
        found = np.stack([np.left_shift(found, 4) >> 4, found >> 4], -1).reshape(-1)[:count]
    return found.reshape(tensor.shape)


def along(tensor: Tensor, each: NDArray[Any]) -> NDArray[Any]:
    """Scales or zero points, of which there are one or several, as they stand beside the tensor's numbers."""
    if len(each) == 1:
        return each.reshape(())
    return each.reshape([-1 if axis == tensor.axis else 1 for axis in range(len(tensor.shape))])


def value(tensor: Tensor) -> NDArray[Any]:
    """What a constant stands for, of the type that `dtype` says.

    scale * (q - zero) in double precision, then float32: the float32 that is nearest. Integers beyond int32, by which
    files say "to the end", become the largest.
    """
    numbers = stored(tensor)
    if tensor.scales is not None:
        steps = along(tensor, tensor.scales).astype(np.float64)
        real: NDArray[np.float32] = (steps * (numbers - along(tensor, tensor.zeros).astype(np.float64))).astype("<f4")
        return real
    kind = dtype(tensor)
    if kind == "int32":
        return numbers.clip(_INT32.min, _INT32.max).astype(np.int32)
    return numbers.astype(kind)


def bounds(tensor: Tensor) -> tuple[float, float] | None:
    """The least and the largest number that a tensor of 8 bits can hold: real ones, where it has a scale."""
    if tensor.kind not in ("UINT8", "INT8"):
        return None
    least = 0 if tensor.kind == "UINT8" else -128
    if tensor.scales is None:
        return least, least + 255
    scale, zero = float(tensor.scales[0]), int(tensor.zeros[0])
    return scale * (least - zero), scale * (least + 255 - zero)
