"""Where a model is measured: detectors at what their boxes are made of, as boxes that are picked change places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sitegen.graph.nodes import PASSING, source
from sitegen.records import GraphModel, Signature, TensorSpec

# What picks by rank, and what a head ends in.
_PICKING = ("ArgMax", "ArgMin", "NonMaxSuppressionV3", "NonMaxSuppressionV4", "NonMaxSuppressionV5", "TopKV2", "Where")
_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
_FUSED = ("_FusedConv2D", "FusedDepthwiseConv2dNative", "_FusedMatMul")
_HEADS = ("Sigmoid", "Softmax", *_PRODUCTS, *_FUSED)


def of(model: GraphModel) -> GraphModel:
    """The model with the outputs that it is measured at, which are all float32."""
    nodes = {node["name"]: node for node in model.topology["node"]}
    # A dict keeps the order, and each once.
    ends = {_up(nodes, each): None for end in model.ends for each in _measured(nodes, end)}
    outputs = tuple(TensorSpec(end, "float32", ()) for end in ends)
    return replace(model, detection=None, signature=Signature(model.signature.inputs, outputs))


def _measured(nodes: Mapping[str, Any], end: str) -> list[str]:
    behind = list(_behind(nodes, end))
    heads = [name for name in behind if nodes[name]["op"] in _HEADS]
    return heads if heads and any(nodes[name]["op"] in _PICKING for name in behind) else [end]


def _behind(nodes: Mapping[str, Any], end: str) -> Iterator[str]:
    """The nodes that an end is computed from, from the end on; heads stand for all behind them."""
    pending, found = [source(end)], set()
    while pending:
        name = pending.pop(0)
        if name in found or name not in nodes:
            continue
        found.add(name)
        yield name
        if nodes[name]["op"] not in _HEADS:
            pending += [source(reference) for reference in nodes[name].get("input", ())]


def _up(nodes: Mapping[str, Any], end: str) -> str:
    """The tensor itself, where nodes only hand it on."""
    while source(end) in nodes and nodes[source(end)]["op"] in PASSING:
        end = nodes[source(end)]["input"][0]
    return end
