"""Small graphs, for tests of plans and of the engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.records import GraphModel, Signature, TensorSpec

_KINDS = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}


def kind(dtype: str) -> dict[str, str]:
    """An attribute that is a type."""
    return {"type": _KINDS[dtype]}


def node(name: str, op: str, *inputs: str, **attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A node of a GraphDef in JSON."""
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes}


def graph(
    nodes: Sequence[dict[str, Any]],
    inputs: Mapping[str, tuple[str, tuple[int, ...]]],
    outputs: Sequence[str],
    weights: Mapping[str, NDArray[Any]] | None = None,
) -> GraphModel:
    """A model of some nodes: placeholders of `inputs` (type and shape by name) and constants of `weights` are added."""
    given = [node(name, "Placeholder", dtype=kind(dtype)) for name, (dtype, _) in inputs.items()]
    constants = [node(name, "Const", dtype=kind(value.dtype.name)) for name, value in (weights or {}).items()]
    ends = Signature(
        tuple(TensorSpec(name, dtype, shape) for name, (dtype, shape) in inputs.items()),
        tuple(TensorSpec(name, "float32", ()) for name in outputs),
    )
    topology = {"node": [*given, *constants, *nodes], "library": {}, "versions": {}}
    return GraphModel(topology, dict(weights or {}), ends)


def numbers(*shape: int, seed: int = 1) -> NDArray[np.float32]:
    """Random ones, the same each time."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def integers(*values: int) -> NDArray[np.int32]:
    """A vector."""
    return np.array(values, np.int32)


FLOAT = kind("float32")
INT = kind("int32")
ROW = {"x": ("float32", (-1, 4))}


def product() -> GraphModel:
    """x @ w, by way of copies and shapes that change nothing."""
    nodes = [
        node("same", "Identity", "x", T=FLOAT),
        node("tall", "Reshape", "same", "four_one", T=FLOAT),
        node("wide", "Reshape", "tall", "one_four", T=FLOAT),
        node("y", "MatMul", "wide", "w", T=FLOAT, transpose_a={"b": False}, transpose_b={"b": False}),
        node("z", "Identity", "y", T=FLOAT),
    ]
    weights = {"w": numbers(4, 3), "four_one": integers(4, 1), "one_four": integers(1, 4)}
    return graph(nodes, ROW, ["z"], weights)
