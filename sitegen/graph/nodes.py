"""A GraphDef's nodes, or those of a function in it, as something to walk on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

# Nodes that hand on what they get.
PASSING = frozenset({"Identity", "Enter", "RefEnter", "Snapshot", "StopGradient"})


def source(reference: str) -> str:
    """The node that an input comes from: of "^node", "node", "node:1" and, in functions, "node:output:1"."""
    return reference.lstrip("^").partition(":")[0]


class Nodes:
    """NodeDefs by name."""

    def __init__(self, nodes: Iterable[Any]) -> None:
        self.by_name: dict[str, Any] = {node.name: node for node in nodes}

    def __iter__(self) -> Iterator[Any]:
        return iter(self.by_name.values())

    def of(self, *ops: str) -> list[Any]:
        """The nodes of some operations."""
        return [node for node in self if node.op in ops]

    def up(self, reference: str, through: Set[str] = PASSING) -> Any | None:
        """The node behind an input, past those whose operation is in `through`; None for a function's argument."""
        node = self.by_name.get(source(reference))
        while node is not None and node.op in through:
            node = self.by_name.get(source(node.input[0]))
        return node

    def constant(self, reference: str) -> Any | None:
        """The value of an input as an array, if it is a constant."""
        from tensorflow.python.framework import tensor_util

        node = self.up(reference)
        return tensor_util.MakeNdarray(node.attr["value"].tensor) if node is not None and node.op == "Const" else None

    def before(self, *references: str) -> set[str]:
        """The names of all nodes that these tensors are computed from, themselves among them."""
        pending, found = [source(reference) for reference in references], set()
        while pending:
            name = pending.pop()
            if name not in found and name in self.by_name:
                found.add(name)
                pending += [source(reference) for reference in self.by_name[name].input]
        return found

    def inside_loops(self) -> set[str]:
        """The names of nodes in TensorFlow 1's loops, whose values nobody outside can ask for."""
        readers: dict[str, list[Any]] = {}
        for node in self:
            for reference in node.input:
                readers.setdefault(source(reference), []).append(node)
        pending, found = self.of("Enter", "RefEnter"), set()
        while pending:
            node = pending.pop()
            if node.name not in found and node.op not in ("Exit", "RefExit"):
                found.add(node.name)
                pending += readers.get(node.name, [])
        return found


def part(graph_def: Any, nodes: Nodes, ends: Sequence[str]) -> Any:
    """A GraphDef of the nodes that `ends`, tensors of `nodes`, are computed from, with the graph's functions."""
    from tensorflow.core.framework import graph_pb2

    kept = nodes.before(*ends)
    made = graph_pb2.GraphDef(versions=graph_def.versions)
    made.node.extend(node for node in nodes if node.name in kept)
    functions = {function.signature.name for function in graph_def.library.function}
    values = [value for node in made.node for value in node.attr.values()]
    if any(value.HasField("func") or value.list.func for value in values) or any(n.op in functions for n in made.node):
        made.library.CopyFrom(graph_def.library)
    return made
