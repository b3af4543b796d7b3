"""Reshapes to [batch, ...] get a constant shape, where the size of the batch was looked up and put in front.

Works on a GraphDef, before anything is optimized: what looked it up is then no longer needed.
"""

from __future__ import annotations

import math
from typing import Any

from sitegen.graph import build
from sitegen.graph.nodes import Nodes, source

# Operations whose result has as many rows as their first input.
_ROWS_STAY = frozenset(
    """
    Identity BiasAdd Conv2D DepthwiseConv2dNative FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 MaxPool AvgPool
    Relu Relu6 Elu LeakyRelu Sigmoid Tanh Softmax MatMul ResizeBilinear ResizeNearestNeighbor
    """.split()  # noqa: SIM905
)


def settle(graph_def: Any) -> None:
    """Changes a GraphDef in place: the shape [rows, a, b] becomes [-1, a, b], also from [rows, -1, b] if a is known."""
    import tensorflow as tf

    nodes = Nodes(graph_def.node)
    packed = {n.name: n for n in nodes.of("Pack")}
    reshapes = [node for node in nodes.of("Reshape") if source(node.input[1]) in packed]
    if not reshapes:
        return
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    for node in reshapes:
        pack = packed[source(node.input[1])]
        rows = _counted(nodes, pack.input[0])
        rest = [nodes.constant(name) for name in pack.input[1:]]
        sizes = [int(value) for value in rest if value is not None]
        if rows is None or len(sizes) < len(rest):
            continue
        if -1 in sizes and _rows(nodes, rows) & _rows(nodes, node.input[0]):
            shape = graph.get_operation_by_name(node.name).inputs[0].shape
            _resolve(sizes, shape.as_list()[1:] if shape.rank else [None])
        if -1 not in sizes:
            node.input[1] = build.integers(graph_def.node, f"{node.name}/settled", [-1, *sizes])
            node.attr["Tshape"].type = build.INT32


def _counted(nodes: Nodes, reference: str) -> str | None:
    """The tensor whose rows are counted, where an input is such a count: StridedSlice(Shape(x), [0], [1])."""
    sliced = nodes.up(reference)
    if sliced is None or sliced.op != "StridedSlice" or sliced.attr["shrink_axis_mask"].i != 1:
        return None
    shape = nodes.up(sliced.input[0])
    begin = nodes.constant(sliced.input[1])
    if shape is None or shape.op != "Shape" or begin is None or begin.tolist() != [0]:
        return None
    return str(shape.input[0])


def _rows(nodes: Nodes, reference: str) -> set[str]:
    """The names of all nodes up from a tensor that have as many rows."""
    found = {source(reference)}
    node = nodes.by_name.get(source(reference))
    while node is not None and node.op in _ROWS_STAY:
        found.add(source(node.input[0]))
        node = nodes.by_name.get(source(node.input[0]))
    return found


def _resolve(sizes: list[int], known: list[int | None]) -> None:
    """Replaces a -1 in the sizes of a row by what makes them as many as `known`."""
    if None in known or sizes.count(-1) != 1:
        return
    others = math.prod(size for size in sizes if size != -1)
    have = math.prod(size or 0 for size in known)
    if others > 0 and have % others == 0:
        sizes[sizes.index(-1)] = have // others
