"""The outputs of nodes inside functions, by number.

Inside a function (the body of a loop) TensorFlow writes "node:output:i", the i-th tensor of an output that may be a
list. TF.js reads the number alone, and takes the first output of a node for its second, unless they are one list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sitegen.records import GraphModel

_Node = Mapping[str, Any]


def numbered(model: GraphModel) -> GraphModel:
    """The same graph, with "node:n" in its functions, n counting over all of the node's outputs."""
    functions = model.topology.get("library", {}).get("function", [])
    if not functions:
        return model
    library = {**model.topology["library"], "function": [_numbered(function) for function in functions]}
    return replace(model, topology={**model.topology, "library": library})


def _numbered(function: Mapping[str, Any]) -> dict[str, Any]:
    nodes = {node["name"]: node for node in function.get("nodeDef", [])}
    return {
        **function,
        "nodeDef": [
            {**node, "input": [_flat(name, nodes) for name in node.get("input", [])]} for node in nodes.values()
        ],
        "ret": {name: _flat(value, nodes) for name, value in function.get("ret", {}).items()},
    }


def _flat(reference: str, nodes: Mapping[str, _Node]) -> str:
    from tensorflow.python.framework import op_def_registry

    name, *parts = reference.split(":")
    known = op_def_registry.get(nodes[name]["op"]) if name in nodes else None
    if len(parts) != 2 or known is None:
        return reference
    count = 0
    for output in known.output_arg:
        if output.name == parts[0]:
            return f"{name}:{count + int(parts[1])}"
        count += _length(output, nodes[name].get("attr", {}))
    return reference


def _length(output: Any, attributes: Mapping[str, Any]) -> int:
    """How many tensors an output is."""
    if output.number_attr:
        return int(attributes[output.number_attr]["i"])
    if output.type_list_attr:
        return len(attributes[output.type_list_attr].get("list", {}).get("type", []))
    return 1
