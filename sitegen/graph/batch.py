"""A graph for a batch of a fixed size -> the same graph for a batch of one, where no thing in it knows of another.

A page shows its model one thing at a time. A model that was saved for ten would compute the same one ten times.

Works on a GraphDef, before anything is optimized. Each operation between inputs and outputs has to be known here to
keep its rows apart; a single one that is not, and the graph is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from sitegen.graph import aside, build
from sitegen.graph.nodes import Nodes, source

# Each row of the result is made of the same row of the first input; the others are not of the batch.
_FIRST = frozenset(
    """
    Conv2D Conv3D DepthwiseConv2dNative MaxPool MaxPool3D AvgPool AvgPool3D LRN BiasAdd FusedBatchNorm FusedBatchNormV2
    FusedBatchNormV3 ResizeBilinear ResizeNearestNeighbor MatMul Softmax LogSoftmax
    """.split()  # noqa: SIM905
)
# Number by number.
_EACH = frozenset(
    """
    Identity StopGradient Snapshot Cast Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softplus Abs Neg Square Sqrt Rsqrt
    Exp Log Add AddV2 Sub Mul RealDiv Maximum Minimum SquaredDifference Pow
    """.split()  # noqa: SIM905
)
_OVER_AXES = frozenset({"Mean", "Max", "Min", "Sum", "Prod"})


def one(graph_def: Any, outputs: Sequence[str]) -> bool:
    """Changes a GraphDef in place, or not at all; whether it did.

    It does where every input is [N, ...] with the same N > 1, and so is each of `outputs`.
    """
    import tensorflow as tf

    nodes = Nodes(graph_def.node)
    inputs = nodes.of("Placeholder")
    if any(not (sizes := node.attr["shape"].shape.dim) or sizes[0].size < 2 for node in inputs):
        return False
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(aside.light(graph_def)[0], name="")
    operations = {operation.name: operation for operation in graph.get_operations()}
    ends = [operations[source(name)] for name in outputs]
    firsts = {_rows(end.outputs[0]) for end in (*(operations[node.name] for node in inputs), *ends)}
    size = firsts.pop() if len(firsts) == 1 else None
    if not inputs or size is None or size < 2:
        return False
    looking = _Looking(nodes, size)
    batched = {node.name for node in inputs}
    # TensorFlow lists operations after those that they read.
    for operation in operations.values():
        given = [tensor for tensor in operation.inputs if tensor.op.name in batched]
        if not given:
            continue
        # Second results are none of rows.
        first = operation.outputs[0] if all(tensor.value_index == 0 for tensor in given) else None
        if first is None or _rows(first) != size or not looking.apart(operation, batched):
            return False
        batched.add(operation.name)
    if not all(end.name in batched for end in ends):
        return False
    for name in batched:
        node, (result, *_) = nodes.by_name[name], operations[name].outputs
        node.attr.pop("_output_shapes", None)
        if node.op == "Placeholder":
            node.attr["shape"].shape.dim[0].size = 1
        elif node.op == "Reshape":
            node.input[1] = build.integers(graph_def.node, f"{name}/one", [1, *result.shape.as_list()[1:]])
            node.attr["Tshape"].type = build.INT32
    return True


def _rows(tensor: Any) -> int | None:
    """The first size of a tensor, where all are known and there are more than one."""
    if tensor.shape.rank is None or tensor.shape.rank < 2 or None in tensor.shape.as_list():
        return None
    return int(tensor.shape[0])


class _Looking:
    """Looks at one operation after the other, for a batch of `size`."""

    def __init__(self, nodes: Nodes, size: int) -> None:
        self._nodes = nodes
        self._size = size
        self._rules: Mapping[str, Callable[[Any], bool]] = {
            "Reshape": lambda _: True,
            "Transpose": lambda operation: self._constant(operation, 1)[:1] == [0],
            "Pad": lambda operation: self._constant(operation, 1)[:1] == [[0, 0]],
            "PadV2": lambda operation: self._constant(operation, 1)[:1] == [[0, 0]],
            "MirrorPad": lambda operation: self._constant(operation, 1)[:1] == [[0, 0]],
            "ExpandDims": lambda operation: self._others(operation, operation.outputs[0].shape.rank),
            "Squeeze": lambda operation: self._squeezed(operation),
            "StridedSlice": lambda operation: self._whole(operation),
            "ConcatV2": lambda operation: self._others(operation, operation.outputs[0].shape.rank),
        }

    def apart(self, operation: Any, batched: Set[str]) -> bool:
        """Whether each row of the result is made of the same rows of what is `batched`, and of nothing else."""
        given = [tensor.op.name in batched for tensor in operation.inputs]
        if operation.type in _EACH:
            rank = operation.outputs[0].shape.rank
            both = zip(given, operation.inputs, strict=True)
            return all(tensor.shape.rank == rank if inside else self._spreads(tensor) for inside, tensor in both)
        if operation.type == "ConcatV2":
            return all(given[:-1]) and self._rules["ConcatV2"](operation)
        if given != [True, *[False] * (len(given) - 1)]:
            return False
        if operation.type in _FIRST:
            return not any(operation.node_def.attr[mixes].b for mixes in ("transpose_a", "is_training"))
        if operation.type in _OVER_AXES:
            return self._others(operation, operation.inputs[0].shape.rank)
        rule = self._rules.get(operation.type)
        return rule is not None and rule(operation)

    def _constant(self, operation: Any, index: int) -> list[Any]:
        """An input as a list, which is empty where it is no constant."""
        value = self._nodes.constant(operation.node_def.input[index])
        return [] if value is None else value.reshape(-1).tolist() if value.ndim < 2 else value.tolist()

    def _spreads(self, tensor: Any) -> bool:
        """Whether a tensor is the same for all rows of what it is added to."""
        shape = tensor.shape
        return shape.rank is not None and (shape.rank == 0 or shape[0] == 1 or shape.rank < 2)

    def _others(self, operation: Any, rank: int) -> bool:
        """Whether the axes, which the last input names, are known and not the first."""
        axes = self._constant(operation, len(operation.inputs) - 1)
        return bool(axes) and all(axis % rank != 0 for axis in axes)

    def _squeezed(self, operation: Any) -> bool:
        axes = operation.get_attr("squeeze_dims")
        return bool(axes) and all(axis % operation.inputs[0].shape.rank != 0 for axis in axes)

    def _whole(self, operation: Any) -> bool:
        """Whether a slice takes all rows."""
        if any(operation.get_attr(mask) & 1 for mask in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")):
            return False
        begin, end, stride = (self._constant(operation, index)[:1] for index in (1, 2, 3))
        begins = operation.get_attr("begin_mask") & 1 or begin == [0]
        ends = operation.get_attr("end_mask") & 1 or (end and end[0] >= self._size)
        return bool(begins and ends and stride == [1])
