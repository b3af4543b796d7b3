"""Writes operations that TF.js lacks with those that it has. Works on a GraphDef, before anything is optimized."""

from __future__ import annotations

from typing import Any

from sitegen.graph import build, einsum


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
    import tensorflow as tf

    kind = node.attr["T"].type
    one = build.constant(nodes, f"{node.name}/one", np.array(1, tf.dtypes.as_dtype(kind).as_numpy_dtype))
    erf = build.node(nodes, "Erf", f"{node.name}/erf", node.input, T=kind)
    build.rewrite(node, "Sub", [one, erf.name], T=kind)
