"""Writes operations that TF.js lacks with those that it has. Works on a GraphDef, before anything is optimized."""

from __future__ import annotations

from typing import Any

from sitegen.graph import einsum


def expand(graph_def: Any) -> None:
    """Changes a GraphDef, and the functions in it, in place.

    Erfc(x), in Keras's exact GELU, becomes 1 - Erf(x). Einsum of two operands becomes a batched matrix product, where
    TensorFlow can tell the shapes well enough; it stays where not.
    """
    for nodes in (graph_def.node, *(function.node_def for function in graph_def.library.function)):
        for node in [node for node in nodes if node.op == "Erfc"]:
            _erfc(nodes, node)
    if any(node.op == "Einsum" for node in graph_def.node):
        einsum.expand(graph_def)


def _erfc(nodes: Any, node: Any) -> None:
    import numpy as np
    from tensorflow.python.framework import tensor_util

    kind = node.attr["T"].type
    one, erf = nodes.add(), nodes.add()
    one.name, one.op = f"{node.name}/one", "Const"
    one.attr["dtype"].type = kind
    one.attr["value"].tensor.CopyFrom(tensor_util.make_tensor_proto(np.float32(1), dtype=kind))
    erf.name, erf.op = f"{node.name}/erf", "Erf"
    erf.attr["T"].type = kind
    erf.input.extend(node.input)
    node.op = "Sub"
    del node.input[:]
    node.input.extend([one.name, erf.name])
