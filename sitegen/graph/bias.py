"""Fused nodes as TF.js takes them: a bias is one number a channel.

TensorFlow's optimizer also fuses a product with the sum after it where what is added is a matrix (the two products of
an LSTM cell), or has leading dimensions of 1; TF.js's kernels refuse either.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sitegen.records import GraphModel

_PLAIN = {
    "_FusedMatMul": "MatMul",
    "_FusedConv2D": "Conv2D",
    "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
}
# Attributes of the fused forms alone.
_FUSED_ONLY = {"fused_ops", "num_args", "epsilon", "leakyrelu_alpha", "num_host_args", "host_args", "user_data"}


def plain(model: GraphModel) -> GraphModel:
    """Gives constant biases one dimension, and takes nodes apart whose bias is none."""
    weights = dict(model.weights)
    nodes: list[Mapping[str, Any]] = []
    for node in model.topology["node"]:
        fused = fused_ops(node)
        if "BiasAdd" not in fused:
            nodes.append(node)
            continue
        bias = weights.get(node["input"][2])
        if bias is not None and bias.size == bias.shape[-1]:
            # Whoever else adds the same constant gets the same numbers, by broadcasting.
            weights[node["input"][2]] = bias.reshape(-1)
            nodes.append(node)
        else:
            nodes += apart(node, fused)
    return replace(model, topology={**model.topology, "node": nodes}, weights=weights)


def fused_ops(node: Mapping[str, Any]) -> list[str]:
    """What a node does after its product or convolution: "BiasAdd", perhaps an activation; empty for plain nodes."""
    if node["op"] not in _PLAIN:
        return []
    names = node.get("attr", {}).get("fused_ops", {}).get("list", {}).get("s", [])
    return [base64.b64decode(name).decode() for name in names]


def apart(node: Mapping[str, Any], fused: list[str]) -> Iterator[dict[str, Any]]:
    """The node, the sum and the activation, the last of them under the node's name."""
    name, attributes = node["name"], node["attr"]
    first, second, *others = node["input"]
    kept = {key: value for key, value in attributes.items() if key not in _FUSED_ONLY}
    yield {"name": f"{name}/product", "op": _PLAIN[node["op"]], "input": [first, second], "attr": kept}
    source = f"{name}/product"
    # Every operation after the product takes inputs of its own, or none: a bias, PReLU's slopes.
    steps = []
    for op in fused:
        if op != "NoOp":
            taken, others = (others[:1], others[1:]) if op in ("BiasAdd", "Prelu") else ([], others)
            steps.append(("AddV2" if op == "BiasAdd" else op, taken))
    for index, (op, more) in enumerate(steps):
        made = name if index == len(steps) - 1 else f"{name}/{op}"
        own = {"T": attributes["T"]}
        if op == "LeakyRelu":
            own["alpha"] = attributes["leakyrelu_alpha"]
        yield {"name": made, "op": op, "input": [source, *more], "attr": own}
        source = made
