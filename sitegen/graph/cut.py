"""Ends a graph at chosen nodes, and leaves out whatever these do not need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sitegen.errors import SitegenError, did_you_mean
from sitegen.records import GraphModel, Signature, TensorSpec


def cut(model: GraphModel, outputs: Sequence[str]) -> GraphModel:
    """The part of the graph that `outputs` (names of nodes or tensors) are computed from.

    The shape of an output that was none before is not known: (). Raises SitegenError for a name that is not there.
    """
    nodes = {node["name"]: node for node in model.topology["node"]}
    known = {spec.name.partition(":")[0]: spec for spec in model.signature.outputs}
    ends = []
    for name in outputs:
        node = name.partition(":")[0]
        if node not in nodes:
            raise SitegenError(f'the graph has no node "{name}"', hint=did_you_mean(name, nodes))
        ends.append(replace(known[node], name=name) if node in known else TensorSpec(name, "float32", ()))
    pending, needed = [spec.name for spec in ends], set()
    while pending:
        name = pending.pop().lstrip("^").partition(":")[0]
        if name not in needed:
            needed.add(name)
            pending += nodes[name].get("input", [])
    return replace(
        model,
        topology={**model.topology, "node": [node for name, node in nodes.items() if name in needed]},
        weights={name: value for name, value in model.weights.items() if name in needed},
        signature=Signature(
            tuple(spec for spec in model.signature.inputs if spec.name.partition(":")[0] in needed), tuple(ends)
        ),
    )
