"""Convolutions and pooling over depth, height and width -> their two-dimensional kin, frame by frame.

TF.js computes them in a loop over single numbers; its two-dimensional convolution is 30 to 70 times as fast. A kernel
kd deep sees kd frames of C channels: laid beside one another they are one frame of kd * C channels, for which it is a
two-dimensional kernel. Works on a GraphDef, before anything is optimized, where depth, height and width are known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sitegen.graph import aside, build
from sitegen.graph.nodes import Nodes, source

# With what is done over height and width, and then over depth.
_POOLS = {"MaxPool3D": ("MaxPool", "Max"), "AvgPool3D": ("AvgPool", "Mean")}
# What works number by number, or channel by channel, can be done before the frames are stacked again.
_SUMS = ("BiasAdd", "Add", "AddV2")
_ACTIVATIONS = ("Relu", "Relu6", "Elu", "LeakyRelu", "Sigmoid", "Tanh")


def flatten(graph_def: Any, outputs: Sequence[str]) -> None:
    """Changes a GraphDef in place; `outputs` keep their names and shapes.

    A layout that is not NDHWC and sizes that are not known are left as they are, as are pooling whose windows overlap
    in depth or leave frames out, and dilated convolutions without padding.
    """
    import tensorflow as tf

    nodes = Nodes(graph_def.node)
    found = nodes.of("Conv3D", *_POOLS)
    if not found:
        return
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(aside.light(graph_def)[0], name="")
    readers: dict[str, list[Any]] = defaultdict(list)
    for node in nodes:
        for reference in node.input:
            readers[source(reference)].append(node)
    for name in outputs:
        # An output has a reader more: the world.
        readers[source(name)].append(None)
    for node in found:
        operation = graph.get_operation_by_name(node.name)
        before, after = _sizes(operation.inputs[0]), _sizes(operation.outputs[0])
        if node.attr["data_format"].s in (b"", b"NDHWC") and before and after:
            rewriting = _Rewriting(graph_def, nodes, node, before, after)
            if node.op == "Conv3D":
                rewriting.convolution(readers)
            else:
                rewriting.pool()


def _sizes(tensor: Any) -> list[int] | None:
    """The shape without the batch, if it is known."""
    sizes: list[int] = tensor.shape.as_list()[1:] if tensor.shape.rank == 5 else []
    return sizes if sizes and None not in sizes else None


class _Rewriting:
    """One node, while it is written anew. `before` and `after` are [depth, height, width, channels]."""

    def __init__(self, graph_def: Any, nodes: Nodes, node: Any, before: Sequence[int], after: Sequence[int]) -> None:
        self._graph_def, self._nodes, self._node = graph_def, nodes, node
        self._before, self._after = before, after
        self._kind = node.attr["T"].type
        self._strides = list(node.attr["strides"].list.i)[1:4]

    def convolution(self, readers: Mapping[str, Sequence[Any]]) -> None:
        """Rewrites a Conv3D whose weights are constant, with the bias and the activation after it."""
        weights = self._nodes.constant(self._node.input[1])
        dilations = list(self._node.attr["dilations"].list.i) or [1] * 5
        # TensorFlow itself mistakes the shape of a dilated convolution that is not padded.
        if weights is None or (max(dilations) > 1 and self._node.attr["padding"].s != b"SAME"):
            return
        deep, high, wide, channels, filters = weights.shape
        seen = self._seen(deep, dilations[1])
        if deep > 1:
            axis = build.integers(self._graph_def.node, self._name("axis"), 3)
            joined = self._add("ConcatV2", "beside", [*seen, axis], T=self._kind, Tidx=build.INT32)
            joined.attr["N"].i = deep
            seen = [joined.name]
        kernel = weights.transpose(1, 2, 0, 3, 4).reshape(high, wide, deep * channels, filters)
        kernel_name = build.constant(self._graph_def.node, self._name("kernel"), kernel)
        made = self._add("Conv2D", "frames", [*seen, kernel_name], T=self._kind)
        made.attr["padding"].CopyFrom(self._node.attr["padding"])
        made.attr["strides"].list.i.extend([1, *self._strides[1:], 1])
        made.attr["dilations"].list.i.extend([1, *dilations[2:4], 1])
        last, flat = self._carry(readers, made.name, filters)
        self._stack(last, flat)

    def pool(self) -> None:
        """Rewrites pooling whose windows lie side by side in depth."""
        deep, high, wide = list(self._node.attr["ksize"].list.i)[1:4]
        if self._strides[0] != deep or self._before[0] % deep:
            return
        over_frames, over_depth = _POOLS[self._node.op]
        flat = self._reshape("flat", self._node.input[0], [-1, *self._before[1:]])
        pooled = self._add(over_frames, "frames", [flat], T=self._kind)
        pooled.attr["padding"].CopyFrom(self._node.attr["padding"])
        pooled.attr["ksize"].list.i.extend([1, high, wide, 1])
        pooled.attr["strides"].list.i.extend([1, *self._strides[1:], 1])
        result = pooled.name
        if deep > 1:
            rows = self._reshape("rows", result, [-1, deep, math.prod(self._after[1:])])
            axis = build.integers(self._graph_def.node, self._name("axis"), 1)
            result = self._add(over_depth, "deep", [rows, axis], T=self._kind, Tidx=build.INT32).name
        self._stack(self._node, result)

    def _seen(self, deep: int, dilation: int) -> list[str]:
        """The frames that each slice of a kernel sees, [batch * windows, height, width, channels], one a slice."""
        stride = self._strides[0]
        size, windows = self._before[0], self._after[0]
        given = self._node.input[0]
        if self._node.attr["padding"].s == b"SAME":
            # As TensorFlow pads: the odd one at the end.
            missing = max((windows - 1) * stride + (deep - 1) * dilation + 1 - size, 0)
            if missing:
                ends = [[0, 0], [missing // 2, missing - missing // 2], [0, 0], [0, 0], [0, 0]]
                padding = build.integers(self._graph_def.node, self._name("ends"), ends)
                given = self._add("Pad", "padded", [given, padding], T=self._kind, Tpaddings=build.INT32).name
        flat = []
        for index in range(deep):
            begin = index * dilation
            frames = self._slice(f"slice{index}", given, begin, begin + (windows - 1) * stride + 1, stride)
            flat.append(self._reshape(f"flat{index}", frames, [-1, *self._before[1:]]))
        return flat

    def _slice(self, name: str, given: str, begin: int, end: int, stride: int) -> str:
        """given[:, begin:end:stride]."""
        bounds = {"begin": [0, begin], "end": [0, end], "strides": [1, stride]}
        inputs = [build.integers(self._graph_def.node, self._name(f"{name}/{key}"), at) for key, at in bounds.items()]
        made = self._add("StridedSlice", name, [given, *inputs], T=self._kind, Index=build.INT32)
        made.attr["begin_mask"].i = made.attr["end_mask"].i = 1
        return str(made.name)

    def _carry(self, readers: Mapping[str, Sequence[Any]], flat: str, filters: int) -> tuple[Any, str]:
        """Does what follows on the frames; gives the last node of that, and its result as frames."""
        last = self._node
        while len(readers[last.name]) == 1 and readers[last.name][0] is not None:
            (reader,) = readers[last.name]
            inputs = [flat]
            if reader.op in _SUMS:
                added = next((name for name in reader.input if source(name) != last.name), last.name)
                value = self._nodes.constant(added)
                if value is None or value.size not in (1, filters) or (value.ndim and value.shape[-1] != value.size):
                    break
                inputs.append(build.constant(self._graph_def.node, f"{reader.name}/by_frame/added", value.reshape(-1)))
            elif reader.op not in _ACTIVATIONS:
                break
            op = "AddV2" if reader.op == "Add" else reader.op
            made = build.node(self._graph_def.node, op, f"{reader.name}/by_frame", inputs, T=self._kind)
            if "alpha" in reader.attr:
                made.attr["alpha"].CopyFrom(reader.attr["alpha"])
            last, flat = reader, made.name
        return last, flat

    def _stack(self, last: Any, flat: str) -> None:
        """Makes a node the frames put back on one another, [batch, depth, height, width, channels]."""
        shape = build.integers(self._graph_def.node, f"{last.name}/by_frame/stacked", [-1, *self._after])
        build.rewrite(last, "Reshape", [flat, shape], T=self._kind, Tshape=build.INT32)

    def _reshape(self, name: str, given: str, shape: Sequence[int]) -> str:
        target = build.integers(self._graph_def.node, self._name(f"{name}/shape"), shape)
        return str(self._add("Reshape", name, [given, target], T=self._kind, Tshape=build.INT32).name)

    def _add(self, op: str, name: str, inputs: Sequence[str], **types: int) -> Any:
        return build.node(self._graph_def.node, op, self._name(name), inputs, **types)

    def _name(self, name: str) -> str:
        return f"{self._node.name}/by_frame/{name}"
