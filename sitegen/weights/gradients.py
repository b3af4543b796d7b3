"""Second moments of what kernels see and of their gradients, input by input, as TensorFlow computes them.

A kernel [in, out] that sees X [places, in] and whose result has the gradient Y [places, out] has the gradient X^T Y. It
is made from the two here, since TensorFlow's own is the sum over a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.graph import plain
from sitegen.records import GraphModel
from sitegen.weights.kernels import Kernel

Floats = NDArray[np.float32]
Sums = dict[str, list[NDArray[np.float64]]]
_PLACES = 64  # places of a picture at which what a kernel sees is looked at, for each input
_BATCH, _BATCH_NUMBERS = 16, 600_000  # inputs that go in at once, and numbers of theirs
_AT_ONCE = 2


@dataclass(frozen=True)
class Projection:
    """What scales an output, so that the square of its change is about its distortion (fidelity.py).

    Probabilities become sqrt(2 p), softened by a `temperature`; other numbers are divided by `spread`, which is their
    standard deviation times the square root of how many they are.
    """

    kind: str
    temperature: float
    spread: float

    def scaled(self, end: Any) -> Any:
        """The output, so scaled."""
        import tensorflow as tf

        if self.kind in ("probabilities", "logits"):
            logits = end if self.kind == "logits" else tf.math.log(end + 1e-12)
            return np.sqrt(2.0) * self.temperature * tf.sqrt(tf.nn.softmax(logits / self.temperature) + 1e-12)
        if self.kind in ("probability", "logit"):
            value = tf.sigmoid(end) if self.kind == "logit" else end
            return np.sqrt(2.0) * tf.asin(tf.sqrt(tf.clip_by_value(value, 1e-7, 1 - 1e-7)))
        return end / self.spread


class Gradients:
    """A model's graph with the gradients of random projections of its outputs, `probes` of them for each input."""

    def __init__(
        self,
        model: GraphModel,
        kernels: Sequence[Kernel],
        others: Sequence[str],
        projections: Sequence[Projection],
        probes: int,
    ) -> None:
        """`others` are tensors that are no kernels. Raises LookupError where TensorFlow has no gradient."""
        import tensorflow as tf

        self._graph = tf.Graph()
        self._alone = model.signature.inputs[0].shape[0] == 1
        with self._graph.as_default():
            tf.import_graph_def(plain.graph_def(model), name="")
            self._seed = tf.compat.v1.placeholder(tf.int32, [])
            (self._input,) = (self._tensor(spec.name) for spec in model.signature.inputs)
            ends = [p.scaled(self._tensor(end)) for p, end in zip(projections, model.ends, strict=True)]
            behind = {node: self._tensor(node) for kernel in kernels for node in kernel.nodes}
            convolutions = [node for kernel in kernels if kernel.op != "MatMul" for node in kernel.nodes]
            self._batches = [tf.shape(self._tensor(node))[0] for node in convolutions]
            rest = {name: self._tensor(name) for name in others}
            by_probe = [self._behind(ends, behind | rest, 1000 * probe) for probe in range(probes)]
            self._fetches: dict[str, Any] = {}
            for kernel in kernels:
                uses = [node for node in kernel.nodes if by_probe[0][node] is not None]
                if uses:
                    self._fetches[kernel.name] = self._moments(kernel, uses, by_probe)
            for name in others:
                if by_probe[0][name] is not None:
                    squares = [tf.reduce_sum(tf.square(tf.convert_to_tensor(each[name]))) for each in by_probe]
                    self._fetches[name] = [tf.add_n(squares)]

    def _tensor(self, name: str) -> Any:
        return self._graph.get_tensor_by_name(name if ":" in name else f"{name}:0")

    def _behind(self, ends: Sequence[Any], tensors: Mapping[str, Any], number: int) -> dict[str, Any]:
        """The gradient of one random projection by some tensors."""
        import tensorflow as tf

        loss = 0.0
        for index, end in enumerate(ends):
            random = tf.random.stateless_normal(tf.shape(end), [self._seed, number + index])
            loss = loss + tf.reduce_sum(random * end)
        return dict(zip(tensors, tf.gradients(loss, list(tensors.values())), strict=True))

    def sums(self, inputs: Floats, seed: int) -> Sums:
        """Sums over inputs and probes, by name: of kernels [A, B, seen], of depthwise ones [A, seen].

        A [in, in] and B [out, out] are of the gradient G: G G^T and G^T G; seen is X^T X. Depthwise A and seen are
        [channels, taps, taps]. Of others there is the sum of the squares of the gradient.
        """
        size = 1 if self._apart(inputs) else max(1, min(_BATCH, _BATCH_NUMBERS // inputs[0].size))
        batches = [(at, inputs[at : at + size]) for at in range(0, len(inputs), size)]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            # Who adds what does not depend on how many cores there are.
            first, *rest = threads.map(lambda i: self._part(batches[i::_AT_ONCE], seed), range(_AT_ONCE))
        for other in rest:
            _add(first, other)
        return first

    def _apart(self, inputs: Floats) -> bool:
        """Whether inputs have to go in one by one: the model takes no more, or has them in other batches inside."""
        import tensorflow as tf

        if self._alone or len(inputs) == 1:
            return True
        with tf.compat.v1.Session(graph=self._graph) as session:
            return any(size != 2 for size in session.run(self._batches, {self._input: inputs[:2]}))

    def _part(self, batches: Sequence[tuple[int, Floats]], seed: int) -> Sums:
        import tensorflow as tf

        # More threads would end sums in other bits on other machines.
        one = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, use_per_session_threads=True
        )
        totals: Sums = {}
        with tf.compat.v1.Session(graph=self._graph, config=one) as session:
            for at, batch in batches:
                _add(totals, session.run(self._fetches, {self._input: batch, self._seed: seed + at}))
        return totals

    def _moments(self, kernel: Kernel, uses: Sequence[str], by_probe: Sequence[Mapping[str, Any]]) -> list[Any]:
        import tensorflow as tf

        count = tf.shape(self._input)[0]
        seen: list[Any] = []
        gradient: Any = 0.0
        for name in uses:
            node = self._graph.get_operation_by_name(name)
            rows = _rows(node, kernel, count)
            seen.append(rows)
            behind = tf.stack([tf.reshape(each[name], [count, -1, node.outputs[0].shape[-1]]) for each in by_probe])
            gradient = gradient + _products(kernel, rows, behind)
        if kernel.depthwise:
            a = tf.einsum("pnctm,pncum->ctu", gradient, gradient)
            return [a, tf.add_n([_seen_depthwise(rows) for rows in seen])]
        across = tf.reshape(tf.transpose(gradient, [2, 0, 1, 3]), [gradient.shape[2], -1])
        down = tf.reshape(gradient, [-1, gradient.shape[3]])
        a, b = tf.matmul(across, across, transpose_b=True), tf.matmul(down, down, transpose_a=True)
        return [a, b, tf.add_n([_seen(rows) for rows in seen])]


def _add(totals: Sums, more: Mapping[str, Sequence[NDArray[Any]]]) -> None:
    for name, values in more.items():
        known = totals.setdefault(name, [np.zeros(value.shape) for value in values])
        for index, value in enumerate(values):
            known[index] = known[index] + value


def _rows(node: Any, kernel: Kernel, count: Any) -> Any:
    """What a kernel's matrix is multiplied with: [inputs, places, in]; depthwise [inputs, places, taps, channels]."""
    import tensorflow as tf

    values = node.inputs[0]
    if kernel.op == "MatMul":
        return tf.reshape(values, [count, -1, values.shape[-1]])
    high, wide, channels = kernel.shape[:3]
    padding = node.get_attr("padding").decode()
    if padding == "EXPLICIT":
        values = tf.pad(values, np.reshape(node.get_attr("explicit_paddings"), [4, 2]))
        padding = "VALID"
    strides, dilations = node.get_attr("strides"), node.get_attr("dilations")
    if (high, wide) == (1, 1):
        patches = values[:, :: strides[1], :: strides[2]]
    else:
        patches = tf.image.extract_patches(values, [1, high, wide, 1], strides, dilations, padding)
    if kernel.depthwise:
        return tf.reshape(patches, [count, -1, high * wide, channels])
    return tf.reshape(patches, [count, -1, high * wide * channels])


def _products(kernel: Kernel, rows: Any, behind: Any) -> Any:
    """Gradients by a kernel: [probes, inputs, in, out]; depthwise [probes, inputs, channels, taps, multiplier]."""
    import tensorflow as tf

    if not kernel.depthwise:
        return tf.matmul(rows[None], behind, transpose_a=True)
    shape = tf.shape(behind)
    split = tf.reshape(behind, [shape[0], shape[1], shape[2], kernel.shape[2], kernel.shape[3]])
    return tf.matmul(tf.transpose(rows, [0, 3, 2, 1])[None], tf.transpose(split, [0, 1, 3, 2, 4]))


def _some(rows: Any) -> Any:
    """Evenly spread over the places."""
    import tensorflow as tf

    every = tf.maximum(tf.shape(rows)[1] // _PLACES, 1)
    # An odd distance does not run down the same columns of a picture as wide as a power of two.
    return rows[:, :: every + (1 - every % 2)]


def _seen(rows: Any) -> Any:
    import tensorflow as tf

    flat = tf.reshape(_some(rows), [-1, rows.shape[-1]])
    return tf.matmul(flat, flat, transpose_a=True)


def _seen_depthwise(rows: Any) -> Any:
    import tensorflow as tf

    flat = tf.reshape(tf.transpose(_some(rows), [3, 2, 0, 1]), [rows.shape[3], rows.shape[2], -1])
    return tf.matmul(flat, flat, transpose_b=True)
