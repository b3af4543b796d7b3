"""How much a model computes: floating-point operations of one run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sitegen.graph import plain
from sitegen.records import GraphModel

_Shape = Sequence[int | None]


def _filters(inputs: Sequence[_Shape], result: _Shape, _: Any) -> list[int | None]:
    """Convolutions: each number of the result is a sum over a window of the input."""
    return [*result, *inputs[1][:-1]]


def _depthwise(inputs: Sequence[_Shape], result: _Shape, _: Any) -> list[int | None]:
    return [*result, *inputs[1][:2]]


def _transposed(inputs: Sequence[_Shape], _: _Shape, __: Any) -> list[int | None]:
    """Each number of the input goes into a window of the result, for each channel of that."""
    return [*inputs[2], *inputs[1][:-1]]


def _product(inputs: Sequence[_Shape], result: _Shape, node: Any) -> list[int | None]:
    transposed = node.attr["transpose_a"].b or node.attr["adj_x"].b
    return [*result, inputs[0][-2 if transposed else -1]]


# For each operation, the sizes whose product is how many multiplications it takes.
_WORK: dict[str, Callable[[Sequence[_Shape], _Shape, Any], list[int | None]]] = {
    "Conv2D": _filters,
    "Conv3D": _filters,
    "DepthwiseConv2dNative": _depthwise,
    "Conv2DBackpropInput": _transposed,
    "MatMul": _product,
    "BatchMatMul": _product,
    "BatchMatMulV2": _product,
}


def count(model: GraphModel) -> int | None:
    """Operations of one run on a batch of one, a multiplication and its addition being two.

    Convolutions and products of matrices are counted, as is usual; the rest is small beside them. None where they
    depend on the size of the input. What is inside of loops is not counted.
    """
    import tensorflow as tf

    graph_def = plain.graph_def(model, values=False)
    inputs = {spec.name.partition(":")[0] for spec in model.signature.inputs}
    for node in graph_def.node:
        if node.name in inputs and node.attr["shape"].shape.dim:
            first = node.attr["shape"].shape.dim[0]
            first.size = 1 if first.size == -1 else first.size
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    total = 0
    for node in graph_def.node:
        if node.op not in _WORK:
            continue
        operation = graph.get_operation_by_name(node.name)
        shapes = [t.shape.as_list() if t.shape.rank is not None else [None] for t in operation.inputs]
        result = operation.outputs[0].shape
        sizes = _WORK[node.op](shapes, result.as_list() if result.rank is not None else [None], node)
        if None in sizes:
            return None
        total += 2 * math.prod(size for size in sizes if size is not None)
    return total
