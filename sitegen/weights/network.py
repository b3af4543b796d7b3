"""A model as TensorFlow runs it with any weights: quantization is measured on it, and takes its gradients from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.graph import plain
from sitegen.graph.nodes import Nodes, source
from sitegen.records import GraphModel

Floats = NDArray[np.float32]
Weights = Mapping[str, Floats]
_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
_BATCH = 4_000_000  # numbers that go in at once


@dataclass(frozen=True)
class Kernel:
    """The weights of a product or convolution, as a matrix from what comes in to what goes out."""

    name: str
    op: str
    node: str  # whose first input is multiplied with it
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

    def back(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """The other way round."""
        return (matrix.T if self.transposed else matrix).reshape(self.shape)


class Network:
    """A model in a TensorFlow session. Weights that are not given are the model's own."""

    def __init__(self, model: GraphModel, kinds: Sequence[str]) -> None:
        import tensorflow as tf

        self.model = model
        self.kinds = kinds
        self._graph = tf.Graph()
        graph_def = plain.graph_def(model, values=False)
        with self._graph.as_default():
            tf.import_graph_def(graph_def, name="")
        # One thread: with more, sums end in other bits on other machines, and so would the file.
        one = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        self._session = tf.compat.v1.Session(graph=self._graph, config=one)
        self.kernels = list(_kernels(Nodes(graph_def.node), model))
        self._own = {name: value for name, value in model.weights.items() if value.dtype.kind == "f"}
        (self._input,) = (self._tensor(spec.name) for spec in model.signature.inputs)
        self._ends = [self._tensor(name) for name in model.ends]
        self._results = [self._result(end, kind) for end, kind in zip(self._ends, kinds, strict=True)]

    def _tensor(self, name: str) -> Any:
        return self._graph.get_tensor_by_name(name if ":" in name else f"{name}:0")

    def _result(self, end: Any, kind: str) -> Any:
        import tensorflow as tf

        with self._graph.as_default():
            return tf.nn.softmax(end) if kind == "logits" else tf.sigmoid(end) if kind == "logit" else end

    def fed(self, inputs: Floats, weights: Weights | None = None) -> dict[Any, Any]:
        """What a session is fed."""
        values = {**self._own, **(weights or {})}
        return {self._input: inputs, **{self._tensor(name): value for name, value in values.items()}}

    def batches(self, inputs: Floats) -> Iterator[Floats]:
        """As many at once as fit, or one by one where the model takes no more."""
        fixed = self.model.signature.inputs[0].shape[0] == 1
        size = 1 if fixed else max(1, _BATCH // max(1, inputs[0].size * 8))
        for at in range(0, len(inputs), size):
            yield inputs[at : at + size]

    def run(self, inputs: Floats, weights: Weights | None = None) -> list[NDArray[np.float64]]:
        """Each output (probabilities where its kind says so) as [inputs, numbers]."""
        runs = [self._session.run(self._results, self.fed(batch, weights)) for batch in self.batches(inputs)]
        joined = (np.concatenate([np.atleast_1d(run[index]) for run in runs]) for index in range(len(self._results)))
        return [array.astype(np.float64).reshape(len(inputs), -1) for array in joined]

    def seen(self, kernel: Kernel, inputs: Floats) -> Floats:
        """What a kernel's node gets for some inputs."""
        tensor = self._graph.get_operation_by_name(kernel.node).inputs[0]
        found: Floats = self._session.run(tensor, self.fed(inputs))
        return found

    def attribute(self, kernel: Kernel, name: str) -> Any:
        """An attribute of a kernel's node."""
        return self._graph.get_operation_by_name(kernel.node).get_attr(name)

    def gradients(self, temperatures: Sequence[float], spreads: Sequence[float]) -> Any:
        """A function (inputs, random state) -> gradient of a random projection of the outputs by each kernel.

        The outputs are scaled so that the square of their change is about the distortion (fidelity.py): for
        probabilities sqrt(2 p), softened by a temperature; for other numbers, standard deviations.
        """
        import tensorflow as tf

        with self._graph.as_default():
            projections, loss = [], 0.0
            for end, kind, temperature, spread in zip(self._ends, self.kinds, temperatures, spreads, strict=True):
                scaled = self._scaled(end, kind, temperature, spread)
                projection = tf.compat.v1.placeholder(tf.float32, scaled.shape)
                projections.append((projection, scaled))
                loss = loss + tf.reduce_sum(projection * scaled)
            found = tf.compat.v1.gradients(loss, [self._tensor(kernel.name) for kernel in self.kernels])
        live = [index for index, gradient in enumerate(found) if gradient is not None]

        def run(inputs: Floats, random: np.random.Generator) -> dict[str, Floats]:
            fed = self.fed(inputs)
            shapes = self._session.run([tf_shape for _, tf_shape in shaped], fed)
            for (projection, _), shape in zip(projections, shapes, strict=True):
                fed[projection] = random.standard_normal(shape).astype(np.float32)
            values = self._session.run([found[index] for index in live], fed)
            return {self.kernels[index].name: value for index, value in zip(live, values, strict=True)}

        with self._graph.as_default():
            shaped = [(projection, tf.shape(scaled)) for projection, scaled in projections]
        return run

    def _scaled(self, end: Any, kind: str, temperature: float, spread: float) -> Any:
        import tensorflow as tf

        if kind in ("probabilities", "logits"):
            logits = end if kind == "logits" else tf.math.log(end + 1e-12)
            return np.sqrt(2.0) * temperature * tf.sqrt(tf.nn.softmax(logits / temperature) + 1e-12)
        if kind in ("probability", "logit"):
            value = tf.sigmoid(end) if kind == "logit" else end
            return np.sqrt(2.0) * tf.asin(tf.sqrt(tf.clip_by_value(value, 1e-7, 1 - 1e-7)))
        return end / spread


def _kernels(nodes: Nodes, model: GraphModel) -> Iterator[Kernel]:
    """Each kernel once, in the order of the graph."""
    found = set()
    for node in nodes.of(*_PRODUCTS):
        weights = nodes.up(node.input[1])
        if weights is None or weights.name in found or model.weights.get(weights.name) is None:
            continue
        if node.attr["transpose_a"].b or source(node.input[0]) == weights.name:
            continue
        found.add(weights.name)
        shape = model.weights[weights.name].shape
        yield Kernel(weights.name, node.op, node.name, tuple(shape), node.op == "MatMul" and node.attr["transpose_b"].b)
