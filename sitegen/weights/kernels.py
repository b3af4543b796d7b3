"""The weights of products and convolutions, as matrices from what comes in to what goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from sitegen.graph import plain
from sitegen.graph.nodes import Nodes, source
from sitegen.records import GraphModel

_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
# Of larger ones the statistics, which grow with the square, would not fit into memory.
_MOST_ROWS, _MOST = 5000, 6_000_000


@dataclass(frozen=True)
class Kernel:
    """A kernel, and the nodes whose first inputs are multiplied with it."""

    name: str
    op: str
    nodes: tuple[str, ...]
    shape: tuple[int, ...]
    transposed: bool  # stored as [out, in]

    @property
    def depthwise(self) -> bool:
        """Whether each channel has a kernel of its own; the matrix is then [taps, channels * multiplier]."""
        return self.op == "DepthwiseConv2dNative"

    def matrix(self, values: NDArray[Any]) -> NDArray[Any]:
        """Weights of the kernel's shape as [in, out]."""
        if self.depthwise:
            return values.reshape(self.shape[0] * self.shape[1], -1)
        return values.T if self.transposed else values.reshape(-1, self.shape[-1])


def find(model: GraphModel) -> list[Kernel]:
    """Each kernel once, in the order of the graph."""
    nodes = Nodes(plain.graph_def(model, values=False).node)
    uses: dict[str, list[Any]] = {}
    for node in nodes.of(*_PRODUCTS):
        weights = nodes.up(node.input[1])
        if weights is None or model.weights.get(weights.name) is None:
            continue
        if not node.attr["transpose_a"].b and source(node.input[0]) != weights.name:
            uses.setdefault(weights.name, []).append(node)
    found = []
    for name, users in uses.items():
        # A matrix that is used in two ways has no one shape.
        ways = {(node.op, node.op == "MatMul" and node.attr["transpose_b"].b) for node in users}
        if len(ways) == 1:
            ((op, transposed),) = ways
            made = Kernel(name, op, tuple(n.name for n in users), tuple(model.weights[name].shape), transposed)
            if model.weights[name].size <= _MOST and made.matrix(model.weights[name]).shape[0] <= _MOST_ROWS:
                found.append(made)
    return found
