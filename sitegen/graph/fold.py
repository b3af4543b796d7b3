"""Folds what batch normalization leaves after a product or convolution, y * scale + shift, into its weights.

TensorFlow.js's converter does so for convolutions with their batch norm still in one piece; behind dense layers, and
where the norm was taken apart before, a multiplication and a sum a layer remain.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sitegen.graph.bias import fused_ops
from sitegen.graph.nodes import source
from sitegen.records import GraphModel

# Each with its fused form. Output channels are the last axis of the weights of all of them.
_PRODUCTS = {"MatMul": "_FusedMatMul", "Conv2D": "_FusedConv2D"}
_ACTIVATIONS = {"Relu", "Relu6", "Elu"}
_Node = dict[str, Any]


def fold(model: GraphModel) -> GraphModel:
    """The same numbers with fewer nodes: each chain of product, Mul, AddV2 or Sub, and activation becomes one node."""
    graph = _Graph(model)
    for node in list(graph.nodes.values()):
        graph.fold(node)
    return graph.result()


class _Graph:
    """A graph while it is folded."""

    def __init__(self, model: GraphModel) -> None:
        self._model = model
        self.nodes: dict[str, _Node] = {node["name"]: dict(node) for node in model.topology["node"]}
        self._weights = dict(model.weights)
        self._ends = {source(name) for name in model.ends}
        inputs = [source(name) for node in self.nodes.values() for name in node.get("input", [])]
        self._uses = Counter(inputs)
        self._reader = {source(name): node["name"] for node in self.nodes.values() for name in node.get("input", [])}

    def fold(self, product: _Node) -> None:
        """Folds what follows a node, if it is such a chain and nobody else reads any part of it."""
        fused = fused_ops(product)
        if product["op"] not in _PRODUCTS and not (product["op"] in _PRODUCTS.values() and fused == ["BiasAdd"]):
            return
        if any(name not in self._weights for name in product["input"][1:]):
            return
        if any(product.get("attr", {}).get(key, {}).get("b") for key in ("transpose_a", "transpose_b")):
            return
        scaled = self._scalar(product, product, {"Mul"})
        shifted = self._scalar(product, scaled or product, {"AddV2", "Sub"})
        activation = self._next(shifted or scaled or product, _ACTIVATIONS)
        # Weights that somebody else reads too cannot be scaled.
        if scaled and any(self._uses[name] != 1 for name in product["input"][1:]):
            scaled = shifted = activation = None
        if scaled or shifted or activation:
            self._write(product, scaled, shifted, activation)

    def _scalar(self, product: _Node, before: _Node, ops: set[str]) -> _Node | None:
        """The node after `before`, if it is one of `ops` with one constant a channel of the product."""
        node = self._next(before, ops)
        name = self._constant(node, before) if node else None
        weights = self._weights.get(product["input"][1])
        if node is None or name is None or weights is None or (node["op"] == "Sub" and node["input"][1] != name):
            return None
        return node if self._weights[name].size in (1, weights.shape[-1]) else None

    def _write(self, product: _Node, scaled: _Node | None, shifted: _Node | None, activation: _Node | None) -> None:
        name, *biases = product["input"][1:]
        channels = self._weights[name].shape[-1]
        bias = self._wide(biases[0], channels) if biases else None
        if scaled:
            factor = self._wide(self._beside(scaled), channels)
            self._weights[name] = (self._weights[name] * factor).astype(np.float32)
            bias = bias * factor if bias is not None else None
        if shifted:
            shift = self._wide(self._beside(shifted), channels) * (-1 if shifted["op"] == "Sub" else 1)
            bias = shift if bias is None else bias + shift
        chain = [node for node in (product, scaled, shifted, activation) if node]
        last = chain[-1]["name"]
        for node in chain[:-1]:
            del self.nodes[node["name"]]
        inputs = product["input"][:2]
        if bias is not None:
            added = f"{last}/folded_bias"
            self.nodes[added] = {"name": added, "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}}
            self._weights[added] = bias.astype(np.float32)
            inputs = [*inputs, added]
        ops = ["NoOp" if bias is None else "BiasAdd", *([activation["op"]] if activation else [])]
        attributes = {
            **product.get("attr", {}),
            "fused_ops": {"list": {"s": [base64.b64encode(op.encode()).decode() for op in ops]}},
            "num_args": {"i": str(len(inputs) - 2)},
        }
        op = _PRODUCTS.get(product["op"], product["op"])
        if bias is None and activation is None:
            op, attributes = product["op"], product.get("attr", {})
        self.nodes[last] = {"name": last, "op": op, "input": inputs, "attr": attributes}

    def _beside(self, node: _Node) -> str:
        """The constant among a node's two inputs."""
        return next(str(name) for name in node["input"] if name in self._weights)

    def _wide(self, name: str, channels: int) -> np.ndarray[Any, Any]:
        """A constant as one number a channel, in double precision."""
        return np.broadcast_to(self._weights[name].astype(np.float64).reshape(-1), (channels,))

    def _next(self, node: _Node, ops: set[str]) -> _Node | None:
        """The one node that reads a node, if it is one of `ops` and the node is no output of the model."""
        name = node["name"]
        if self._uses[name] != 1 or name in self._ends:
            return None
        reader = self.nodes.get(self._reader[name])
        return reader if reader is not None and reader["op"] in ops else None

    def _constant(self, node: _Node, other: Mapping[str, Any]) -> str | None:
        """The input of a node that is a weight of its own, beside `other`."""
        names = [name for name in node["input"] if source(name) != other["name"]]
        own = len(names) == 1 and names[0] in self._weights and self._uses[names[0]] == 1
        return str(names[0]) if own else None

    def result(self) -> GraphModel:
        """The model, without the constants that nobody reads any more."""
        read = {source(name) for node in self.nodes.values() for name in node.get("input", [])}
        kept = [n for n in self.nodes.values() if n["op"] != "Const" or n["name"] in read or n["name"] in self._ends]
        names = {node["name"] for node in kept}
        return replace(
            self._model,
            topology={**self._model.topology, "node": kept},
            weights={name: value for name, value in self._weights.items() if name in names or name not in self.nodes},
        )
