"""Large constants wait outside of a graph while TensorFlow looks at it, which copies all of it for each look.

A network of 80 M parameters is optimized so in two seconds, and not at all with its values in it: it takes longer than
ten minutes, and more than four gigabytes.
"""

from __future__ import annotations

import math
from collections.abc import Set
from typing import Any

from numpy.typing import NDArray

# A constant of fewer numbers stays: it costs little, and may be folded.
LEAST = 1 << 20
_FLOAT = 1  # types.proto


def light(graph_def: Any) -> tuple[Any, Set[str]]:
    """A copy of a GraphDef in which large constants of float32 are placeholders of their shape, and their names."""
    from tensorflow.core.framework import graph_pb2

    made = graph_pb2.GraphDef(versions=graph_def.versions, library=graph_def.library)
    waiting = set()
    for node in graph_def.node:
        if not _is_large(node):
            made.node.add().CopyFrom(node)
            continue
        stand_in = made.node.add(name=node.name, op="Placeholder", input=node.input)
        stand_in.attr["dtype"].type = _FLOAT
        stand_in.attr["shape"].shape.CopyFrom(node.attr["value"].tensor.tensor_shape)
        waiting.add(node.name)
    return made, waiting


def back(light_def: Any, graph_def: Any, waiting: Set[str]) -> dict[str, NDArray[Any]]:
    """Makes constants without values of those that wait, as far as they are still there; gives the values by name.

    Each goes from `graph_def`, the whole graph, as it comes: else all would be there twice.
    """
    from tensorflow.python.framework import tensor_util

    whole = {node.name: node for node in graph_def.node if node.name in waiting}
    values = {}
    for node in light_def.node:
        if node.name not in waiting:
            continue
        tensor = whole[node.name].attr["value"].tensor
        values[node.name] = tensor_util.MakeNdarray(tensor)
        tensor.ClearField("tensor_content")
        node.op = "Const"
        node.attr.clear()
        node.attr["dtype"].type = _FLOAT
        node.attr["value"].tensor.CopyFrom(tensor)
    return values


def _is_large(node: Any) -> bool:
    if node.op != "Const" or node.attr["dtype"].type != _FLOAT:
        return False
    tensor = node.attr["value"].tensor
    # One number may stand for all.
    return bool(tensor.tensor_content) and math.prod(dim.size for dim in tensor.tensor_shape.dim) >= LEAST
