"""Nodes that would fail in the page, found when the site is built: with their names, and with a way out."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from importlib import resources
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.graph.nodes import source
from sitegen.records import GraphModel, Lacking

# What TF.js knows but its WebAssembly backend (4.22) has no kernel for: tfjs-core's kernel_names less those that
# tfjs-backend-wasm registers, as far as graphs can hold them. Einsum is here for those that graph/einsum.py leaves.
LACKING = frozenset(
    {
        "Complex",
        "ComplexAbs",
        "Einsum",
        "FFT",
        "IFFT",
        "IRFFT",
        "Imag",
        "LowerBound",
        "MatrixBandPart",
        "RFFT",
        "RaggedGather",
        "RaggedRange",
        "RaggedTensorToTensor",
        "Real",
        "StaticRegexReplace",
        "UpperBound",
    }
)
_Node = Mapping[str, Any]


@functools.cache
def known() -> frozenset[str]:
    """The operations that TF.js can read, as tensorflowjs of the same version lists them."""
    lists = resources.files("tensorflowjs").joinpath("op_list").iterdir()
    entries = [entry for each in lists if each.name.endswith(".json") for entry in json.loads(each.read_text("utf-8"))]
    return frozenset(entry["tfOpName"] for entry in entries)


def runs(op: str) -> bool:
    """Whether the engine of a page has the operation, on its WebAssembly backend."""
    return op in known() and op not in LACKING


def find(model: GraphModel, names: Set[str] | None = None) -> tuple[Lacking, ...]:
    """Every node of the graph, and of the functions in it, that pages cannot run.

    `names` are those that `model.outputs` may say; left out, all of the graph's.
    """
    nodes = {node["name"]: node for node in model.topology["node"]}
    functions = model.topology.get("library", {}).get("function", [])
    own = {function["signature"]["name"] for function in functions}
    bad = [name for name, node in nodes.items() if not runs(node["op"]) and node["op"] not in own]
    inner = [
        Lacking(node["name"], node["op"], ())
        for function in functions
        for node in function.get("nodeDef", [])
        if not runs(node["op"]) and node["op"] not in own
    ]
    if not bad:
        return tuple(inner)
    after = _after(nodes, bad)
    left = [source(name) for name in model.ends if source(name) not in after]
    return (
        *(
            Lacking(
                name,
                nodes[name]["op"],
                tuple(dict.fromkeys([*left, *_before(nodes, name, after, names or set(nodes))])),
            )
            for name in bad
        ),
        *inner,
    )


def check(model: GraphModel) -> None:
    """Raises SitegenError when a page cannot run the model."""
    if not model.lacking:
        return
    first, *others = model.lacking
    more = f" (and {text.plural(len(others), 'more node')})" if others else ""
    ways = [found.instead for found in model.lacking if found.instead]
    raise SitegenError(
        f'the node "{first.node}" is a {first.op}, which pages cannot run{more}',
        hint=f"end the graph before it: model: {{outputs: [{', '.join(ways[0])}]}}"
        if ways
        else "leave that part out of the model",
    )


def _after(nodes: Mapping[str, _Node], bad: Iterable[str]) -> set[str]:
    """The nodes that cannot be computed: the bad ones, and all that need them."""
    readers = defaultdict(list)
    for name, node in nodes.items():
        for reference in node.get("input", []):
            readers[source(reference)].append(name)
    pending, found = list(bad), set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += readers[name]
    return found


def _before(nodes: Mapping[str, _Node], name: str, after: Set[str], names: Set[str]) -> Iterator[str]:
    """The nearest nodes before one that are computed, from the model's inputs, and whose names are known."""
    pending, seen = [source(reference) for reference in nodes[name].get("input", [])], set()
    while pending:
        found = pending.pop(0)
        node = nodes.get(found)
        if node is None or found in seen or node["op"] in ("Const", "Placeholder"):
            continue
        seen.add(found)
        if found in names and found not in after and _depends(nodes, found):
            yield found
        else:
            pending += [source(reference) for reference in node.get("input", [])]


def _depends(nodes: Mapping[str, _Node], name: str) -> bool:
    """Whether a node is computed from an input of the model."""
    pending, seen = [name], set()
    while pending:
        found = pending.pop()
        node = nodes.get(found)
        if node is None or found in seen:
            continue
        if node["op"] == "Placeholder":
            return True
        seen.add(found)
        pending += [source(reference) for reference in node.get("input", [])]
    return False
