"""The file as records: tensorflow/lite/schema/schema.fbs, whose numbers of fields stand here.

Numbers of operations and of types have their names from TensorFlow's own copy of the schema.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.models.tflite.flatbuffer import Buffer, Damaged, Table

# The fields of each operation's options, in their order: name:type, a type of struct's or of NumPy's, and perhaps a
# default. A field without a name is not looked at.
_POOL = "padding:b stride_w:i stride_h:i filter_w:i filter_h:i activation:b"
_ACTIVATED = "activation:b"
_OPTIONS = {
    "ADD": _ACTIVATED,
    "ARG_MAX": "",
    "AVERAGE_POOL_2D": _POOL,
    "BATCH_MATMUL": "adj_x:? adj_y:?",
    "CAST": "from:b to:b",
    "CONCATENATION": "axis:i activation:b",
    "CONV_2D": "padding:b stride_w:i stride_h:i activation:b dilation_w:i=1 dilation_h:i=1",
    "CONV_3D": "padding:b stride_d:i stride_w:i stride_h:i activation:b dilation_d:i=1 dilation_w:i=1 dilation_h:i=1",
    "CUMSUM": "exclusive:? reverse:?",
    "DEPTHWISE_CONV_2D": "padding:b stride_w:i stride_h:i multiplier:i activation:b dilation_w:i=1 dilation_h:i=1",
    "DEPTH_TO_SPACE": "block:i",
    "DIV": _ACTIVATED,
    "FULLY_CONNECTED": "activation:b weights_format:b keep_dims:?",
    "GATHER": "axis:i batch_dims:i",
    "GELU": "approximate:?",
    "L2_NORMALIZATION": _ACTIVATED,
    "L2_POOL_2D": _POOL,
    "LEAKY_RELU": "alpha:f",
    "LOCAL_RESPONSE_NORMALIZATION": "radius:i bias:f alpha:f beta:f",
    "MAX_POOL_2D": _POOL,
    "MIRROR_PAD": "mode:b",
    "MUL": _ACTIVATED,
    "ONE_HOT": "axis:i",
    "PACK": "count:i axis:i",
    "RESHAPE": "shape:<i4",
    "RESIZE_BILINEAR": ": : align_corners:? half_pixel_centers:?",
    "RESIZE_NEAREST_NEIGHBOR": "align_corners:? half_pixel_centers:?",
    "SOFTMAX": "beta:f",
    "SPACE_TO_DEPTH": "block:i",
    "SPLIT": "count:i",
    "SPLIT_V": "count:i",
    "SQUEEZE": "axes:<i4",
    "STRIDED_SLICE": "begin_mask:i end_mask:i ellipsis_mask:i new_axis_mask:i shrink_axis_mask:i offset:?",
    "SUB": _ACTIVATED,
    "TRANSPOSE_CONV": "padding:b stride_w:i stride_h:i activation:b",
    "UNPACK": "count:i axis:i",
} | dict.fromkeys(("MEAN", "SUM", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), "keep_dims:?")


@dataclass(frozen=True)
class Tensor:
    """A tensor. Where there are `scales`, a stored number q stands for scale * (q - zero), along `axis` if several."""

    name: str
    kind: str  # FLOAT32, INT8 and so on
    shape: tuple[int, ...]  # -1 is any size
    data: memoryview | None  # of constants
    scales: NDArray[np.float32] | None
    zeros: NDArray[np.int64]
    axis: int


@dataclass(frozen=True)
class Operation:
    """An operation; `inputs` and `outputs` are numbers of tensors, -1 where an input is left out."""

    name: str  # a builtin's, or what a custom one calls itself
    custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]
    more: bytes  # options of a custom operation


@dataclass(frozen=True)
class Signature:
    """Names of inputs and outputs, with the numbers of their tensors, in order."""

    key: str
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class File:
    """The first subgraph of a file, which is its model; others are bodies of loops and branches."""

    size: int  # bytes
    tensors: tuple[Tensor, ...]
    operations: tuple[Operation, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    signatures: tuple[Signature, ...]


def read(data: bytes) -> File:
    """Raises Damaged."""
    buffer = Buffer(data)
    model = buffer.root()
    graphs = model.tables(2)
    if not graphs:
        raise Damaged("it has no graph")
    graph, codes = graphs[0], [_code(table) for table in model.tables(1)]
    buffers = model.tables(4)
    tensors = tuple(_tensor(table, buffers) for table in graph.tables(0))
    operations = tuple(_operation(table, codes, len(tensors)) for table in graph.tables(3))
    ends = [_indices(graph, field, len(tensors), 0) for field in (1, 2)]
    signatures = tuple(_signature(table, len(tensors)) for table in model.tables(7) if not table.number(4, "I"))
    return File(len(data), tensors, operations, ends[0], ends[1], signatures)


@functools.cache
def _names(enumeration: str) -> dict[int, str]:
    from tensorflow.lite.python import schema_py_generated

    found = vars(getattr(schema_py_generated, enumeration))
    return {number: name for name, number in found.items() if isinstance(number, int)}


def kind(number: int) -> str:
    """The name of a type."""
    name = _names("TensorType").get(number)
    if name is None:
        raise Damaged(f"there is no type {number}")
    return name


def _code(table: Table) -> tuple[str, bool]:
    # Files of before 2020 have the number as a byte alone.
    number = max(table.number(0, "b"), table.number(3, "i"))
    name = _names("BuiltinOperator").get(number, f"{number}")
    return (table.text(1) or "CUSTOM", True) if name == "CUSTOM" else (name, False)


def _tensor(table: Table, buffers: list[Table]) -> Tensor:
    shape = table.numbers(7, "<i4") if table.has(7) else table.numbers(0, "<i4")
    if len(shape) > 8 or (shape < -1).any():
        raise Damaged("a tensor has no shape that can be")
    at = table.number(2, "I")
    if at >= max(len(buffers), 1):
        raise Damaged("a tensor's numbers are not there")
    name, quantization = table.text(3), table.table(4)
    # The first buffer is always empty, and says that there are none.
    data = buffers[at].view(0) if at else None
    if at and buffers[at].number(1, "Q") > 1:
        raise Damaged(f"the numbers of {name} are outside of what can be read")
    if table.has(6):
        raise Damaged(f"{name} is sparse, which cannot be read")
    scales = quantization.numbers(2, "<f4") if quantization else np.zeros(0, "<f4")
    zeros = quantization.numbers(3, "<i8") if quantization else np.zeros(0, "<i8")
    axis = quantization.number(6, "i") if quantization else 0
    if len(scales) == 0:
        return Tensor(name, kind(table.number(1, "b")), tuple(map(int, shape)), data, None, zeros, 0)
    if len(zeros) == 0:
        zeros = np.zeros(1, "<i8")
    many = len(scales) > 1
    if not np.isfinite(scales).all() or (many and not (0 <= axis < len(shape) and shape[axis] == len(scales))):
        raise Damaged(f"the scales of {name} make no sense")
    if len(zeros) not in (1, len(scales)):
        raise Damaged(f"the zero points of {name} make no sense")
    return Tensor(name, kind(table.number(1, "b")), tuple(map(int, shape)), data, scales, zeros, axis)


def _operation(table: Table, codes: list[tuple[str, bool]], tensors: int) -> Operation:
    code = table.number(0, "I")
    if code >= len(codes):
        raise Damaged("an operation is of no kind")
    name, custom = codes[code]
    inputs, outputs = (_indices(table, field, tensors, least) for field, least in ((1, -1), (2, 0)))
    if not outputs:
        raise Damaged(f"a {name} gives nothing")
    options = table.table(4)
    return Operation(name, custom, inputs, outputs, _options(name, options), table.bytes(5, spend=True))


def _options(name: str, table: Table | None) -> dict[str, Any]:
    """The options by name; all of them, with their defaults where the file has none."""
    made: dict[str, Any] = {}
    for field, told in enumerate(_OPTIONS.get(name, "").split()):
        key, _, rest = told.partition(":")
        form, _, default = rest.partition("=")
        if form.startswith("<"):
            made[key] = None if table is None or not table.has(field) else table.numbers(field, form)
        elif key:
            otherwise = {"?": bool, "f": float}.get(form, int)(default or 0)
            made[key] = otherwise if table is None else table.number(field, form, otherwise)
    return made


def _indices(table: Table, field: int, count: int, least: int) -> tuple[int, ...]:
    found = table.numbers(field, "<i4")
    if len(found) and not (least <= found.min() and found.max() < count):
        raise Damaged("it speaks of a tensor that it has not")
    return tuple(map(int, found))


def _signature(table: Table, tensors: int) -> Signature:
    ends = []
    for field in (0, 1):
        pairs = tuple((each.text(0), int(each.number(1, "I"))) for each in table.tables(field))
        if any(index >= tensors for _, index in pairs):
            raise Damaged("it speaks of a tensor that it has not")
        ends.append(pairs)
    return Signature(table.text(2), *ends)
