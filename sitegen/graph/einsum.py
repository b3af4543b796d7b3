"""Einsum of two operands -> Transpose, Reshape and BatchMatMulV2.

Labels are sorted by where they stand (as in opt_einsum, Smith and Gray, JOSS 2018): in both operands and the result
(batch), in both operands only (contracted), in one operand and the result (free). Each operand is transposed to
[batch, free, contracted] or [batch, contracted, free]; several labels of one kind are merged by a reshape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sitegen.graph import build

Sizes = Mapping[str, int]  # size of each label; -1 for any


def expand(graph_def: Any) -> None:
    """Changes a GraphDef in place; leaves an Einsum whose equation or shapes are not of the kinds above."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    for node in [node for node in graph_def.node if node.op == "Einsum" and len(node.input) == 2]:
        shapes = [tensor.shape for tensor in graph.get_operation_by_name(node.name).inputs]
        equation = node.attr["equation"].s.decode()
        if "." in equation or any(shape.rank is None for shape in shapes):
            continue
        sizes = _sizes(equation, [[size or -1 for size in shape.as_list()] for shape in shapes])
        if sizes is not None:
            _Product(graph_def, node, equation, sizes).write()


def _sizes(equation: str, shapes: Sequence[Sequence[int]]) -> Sizes | None:
    sizes: dict[str, int] = {}
    for labels, shape in zip(equation.partition("->")[0].split(","), shapes, strict=True):
        # A label that stands twice in one operand is a diagonal.
        if len(set(labels)) != len(labels) or len(labels) != len(shape):
            return None
        for label, size in zip(labels, shape, strict=True):
            sizes[label] = max(size, sizes.get(label, -1))
    return sizes


class _Product:
    """One Einsum, while it is written anew."""

    def __init__(self, graph_def: Any, node: Any, equation: str, sizes: Sizes) -> None:
        operands, _, self._result = equation.partition("->")
        self._left, self._right = operands.split(",")
        self._graph_def, self._node, self._sizes = graph_def, node, sizes
        self._batch = [x for x in self._result if x in self._left and x in self._right]
        self._contracted = [x for x in self._left if x in self._right and x not in self._result]
        self._free_left = [x for x in self._result if x not in self._right]
        self._free_right = [x for x in self._result if x not in self._left]

    def write(self) -> None:
        """Changes the graph, unless a label is in one operand alone, or a reshape would have two sizes to guess."""
        alone = set(self._left + self._right) - set(self._result) - set(self._contracted)
        batch, free_left, free_right = self._batch, self._free_left, self._free_right
        unknown = [label for label in self._result if self._sizes[label] < 0]
        if alone or len(unknown) > 1 or any(self._sizes[x] < 0 for x in self._contracted):
            return
        rows, columns, inner = (self._merged(group) for group in (free_left, free_right, self._contracted))
        left = self._operand(0, self._left, [*batch, *free_left, *self._contracted], [rows, inner])
        right = self._operand(1, self._right, [*batch, *self._contracted, *free_right], [inner, columns])
        kind = self._node.attr["T"].type
        product = self._add("BatchMatMulV2", "product", [left, right], T=kind)
        order = [*batch, *free_left, *free_right]
        shaped = self._reshape(product, "shaped", [self._sizes[x] for x in order])
        result = self._transpose(shaped, "result", order, self._result)
        build.rewrite(self._node, "Identity", [result], T=kind)

    def _known(self, labels: Sequence[str]) -> list[int]:
        return [self._sizes[label] for label in labels]

    def _merged(self, labels: Sequence[str]) -> int:
        sizes = self._known(labels)
        return -1 if any(size < 0 for size in sizes) else math.prod(sizes)

    def _operand(self, index: int, labels: str, order: Sequence[str], matrix: Sequence[int]) -> str:
        name = "ab"[index]
        moved = self._transpose(self._node.input[index], f"{name}/moved", labels, "".join(order))
        return self._reshape(moved, name, [*self._known(self._batch), *matrix])

    def _transpose(self, source: str, name: str, labels: str | Sequence[str], order: str | Sequence[str]) -> str:
        if list(labels) == list(order):
            return source
        permutation = [list(labels).index(label) for label in order]
        axes = self._constant(f"{name}/axes", permutation)
        return self._add("Transpose", name, [source, axes], T=self._node.attr["T"].type, Tperm=build.INT32)

    def _reshape(self, source: str, name: str, shape: Sequence[int]) -> str:
        target = self._constant(f"{name}/shape", shape)
        return self._add(
            "Reshape", f"{name}/reshaped", [source, target], T=self._node.attr["T"].type, Tshape=build.INT32
        )

    def _constant(self, name: str, values: Sequence[int]) -> str:
        return build.integers(self._graph_def.node, f"{self._node.name}/{name}", values)

    def _add(self, op: str, name: str, inputs: Sequence[str], **types: int) -> str:
        return str(build.node(self._graph_def.node, op, f"{self._node.name}/{name}", inputs, **types).name)
