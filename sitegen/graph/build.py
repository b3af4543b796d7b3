"""Adds nodes to a graph: `nodes` is the field of a GraphDef, or of a function, that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# TensorFlow's number for the type (types.proto).
INT32 = 3


def constant(nodes: Any, name: str, value: NDArray[Any]) -> str:
    """Adds a Const of the array's type; gives its name."""
    from tensorflow.python.framework import tensor_util

    tensor = tensor_util.make_tensor_proto(value)
    made = nodes.add()
    made.name, made.op = name, "Const"
    made.attr["dtype"].type = tensor.dtype
    made.attr["value"].tensor.CopyFrom(tensor)
    return name


def integers(nodes: Any, name: str, values: int | Sequence[int] | Sequence[Sequence[int]]) -> str:
    """Adds a Const of int32."""
    return constant(nodes, name, np.array(values, np.int32))


def node(nodes: Any, op: str, name: str, inputs: Sequence[str], **types: int) -> Any:
    """Adds a node whose attributes are types; gives the NodeDef, which takes others."""
    made = nodes.add()
    made.name = name
    return rewrite(made, op, inputs, **types)


def rewrite(made: Any, op: str, inputs: Sequence[str], **types: int) -> Any:
    """Makes another operation of a node, under the same name."""
    made.op = op
    del made.input[:]
    made.input.extend(inputs)
    made.attr.clear()
    for attribute, kind in types.items():
        made.attr[attribute].type = kind
    return made
