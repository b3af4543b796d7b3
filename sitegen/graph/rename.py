"""Short names for weights: they travel twice, in the graph and in the weights file, and nobody reads them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sitegen.graph.nodes import source
from sitegen.records import GraphModel


def short(model: GraphModel) -> tuple[GraphModel, dict[str, str]]:
    """The model with weights called w0, w1, ...; the new name of each.

    Those that are results keep theirs, and those inside functions, which are not looked at here.
    """
    nodes = model.topology["node"]
    prefix = "w"
    while any(node["name"].startswith(prefix) for node in nodes):
        prefix += "_"
    kept = {source(end) for end in model.ends} | (model.weights.keys() - {node["name"] for node in nodes})
    names = {name: name if name in kept else f"{prefix}{index}" for index, name in enumerate(model.weights)}
    topology = {**model.topology, "node": [_renamed(node, names) for node in nodes]}
    weights = {names[name]: value for name, value in model.weights.items()}
    steps = {names[name]: value for name, value in model.steps.items() if name in names}
    return replace(model, topology=topology, weights=weights, steps=steps), names


def _renamed(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    made = {**node, "name": names.get(node["name"], node["name"])}
    if "input" in node:
        made["input"] = [_input(name, names) for name in node["input"]]
    return made


def _input(name: str, names: Mapping[str, str]) -> str:
    own = source(name)
    head, _, tail = name.partition(own)
    return f"{head}{names.get(own, own)}{tail}"
