"""A GraphModel -> a GraphDef that TensorFlow itself can read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sitegen.graph import bias
from sitegen.records import GraphModel


def graph_def(model: GraphModel, *, values: bool = True, waiting: Collection[str] = ()) -> Any:
    """The graph with its fused nodes taken apart and its weights in it.

    Without `values`, floats are placeholders of their shape: enough to tell all other shapes, and nothing is copied. So
    are those that are `waiting`, to be fed.
    """
    import tensorflow as tf
    from google.protobuf.json_format import ParseDict
    from tensorflow.core.framework import graph_pb2

    nodes: list[Mapping[str, Any]] = []
    for node in model.topology["node"]:
        fused = bias.fused_ops(node)
        nodes += bias.apart(node, fused) if fused else [node]
    content = {"node": nodes, "library": model.topology.get("library", {})}
    made = ParseDict(content, graph_pb2.GraphDef(), ignore_unknown_fields=True)
    # In old graphs, the shape of a scalar means that it is unknown.
    made.versions.producer = tf.version.GRAPH_DEF_VERSION
    for node in made.node:
        value = model.weights.get(node.name)
        if node.op != "Const" or value is None:
            continue
        kind = tf.dtypes.as_dtype(node.attr["dtype"].type)
        if (values and node.name not in waiting) or kind.is_integer or kind.is_bool:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value.astype(kind.as_numpy_dtype)))
        else:
            node.op = "Placeholder"
            node.attr.clear()
            node.attr["dtype"].type = kind.as_datatype_enum
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
    return made
