"""Each pass over a GraphDef keeps what the graph computes: TensorFlow runs it before and after."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from sitegen.graph import aside, batch, depth, expand, norms, reshape

Build = Callable[[tf.Tensor], dict[str, tf.Tensor]]
RANDOM = np.random.default_rng(3)


def built(build: Build, *shape: int | None) -> Any:
    """A GraphDef whose placeholder is "in" and whose outputs have the names that `build` gives."""
    graph = tf.Graph()
    with graph.as_default():
        given = tf.compat.v1.placeholder(tf.float32, shape, "in")
        for name, tensor in build(given).items():
            tf.identity(tensor, name)
    return graph.as_graph_def()


def run(graph_def: Any, names: list[str], value: NDArray[Any]) -> list[NDArray[Any]]:
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph_def, name="")
        results: list[NDArray[Any]] = session.run([f"{name}:0" for name in names], {"in:0": value})
    return results


def ops_after(
    change: Callable[[Any], None], graph_def: Any, names: list[str], *shapes: tuple[int, ...]
) -> Counter[str]:
    """Asserts that the results stay; gives the operations that are needed for them afterwards."""
    changed = copy.deepcopy(graph_def)
    change(changed)
    for shape in shapes:
        value = RANDOM.normal(size=shape).astype(np.float32)
        for before, after in zip(run(graph_def, names, value), run(changed, names, value), strict=True):
            np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)
    needed = tf.compat.v1.graph_util.extract_sub_graph(changed, names)
    return Counter(node.op for node in needed.node)


def numbers(*shape: int) -> NDArray[np.float32]:
    return RANDOM.normal(size=shape).astype(np.float32)


def norm(x: tf.Tensor, channels: int, *, training: bool = False, scale: bool = True) -> tf.Tensor:
    gamma = np.abs(numbers(channels)) + 0.5 if scale else np.ones(channels, np.float32)
    parts = [
        gamma,
        numbers(channels),
        *((numbers(channels), np.abs(numbers(channels)) + 0.1) if not training else ([], [])),
    ]
    return tf.compat.v1.nn.fused_batch_norm(x, *parts, epsilon=1e-2, is_training=training)[0]


@pytest.mark.parametrize(
    ("build", "left"),
    [
        (lambda x: norm(tf.nn.conv2d(x, numbers(3, 3, 4, 5), 1, "SAME"), 5), 0),
        (lambda x: norm(tf.nn.conv2d(x, numbers(3, 3, 4, 5), 2, "VALID"), 5, scale=False), 0),
        (lambda x: norm(tf.nn.bias_add(tf.nn.conv2d(x, numbers(1, 1, 4, 5), 1, "SAME"), numbers(5)), 5), 0),
        (lambda x: norm(tf.nn.conv2d(x, numbers(1, 1, 4, 5), 1, "SAME") + numbers(1), 5), 0),
        (lambda x: norm(tf.nn.depthwise_conv2d(x, numbers(3, 3, 4, 2), [1, 1, 1, 1], "SAME"), 8), 0),
        (lambda x: norm(tf.nn.relu(tf.nn.conv2d(x, numbers(1, 1, 4, 5), 1, "SAME")), 5), 1),
        (lambda x: norm(tf.nn.conv2d(x, numbers(1, 1, 4, 5), 1, "SAME"), 5, training=True), 1),
        (lambda x: norm(norm(x, 4), 4), 2),
    ],
    ids=["plain", "no scale", "bias", "one number", "depthwise", "activation between", "training", "no convolution"],
)
def test_norms(build: Callable[[tf.Tensor], tf.Tensor], left: int) -> None:
    graph_def = built(lambda x: {"out": build(x)}, None, 6, 7, 4)
    ops = ops_after(norms.fold, graph_def, ["out"], (2, 6, 7, 4))
    assert ops["FusedBatchNormV3"] == left


def test_a_convolution_that_others_read_too_keeps_its_norm() -> None:
    def build(x: tf.Tensor) -> dict[str, tf.Tensor]:
        y = tf.nn.conv2d(x, numbers(3, 3, 4, 5), 1, "SAME")
        return {"norm": norm(y, 5), "before": y}

    ops = ops_after(norms.fold, built(build, None, 6, 7, 4), ["norm", "before"], (2, 6, 7, 4))
    assert ops["FusedBatchNormV3"] == 1


def test_weights_that_two_convolutions_share() -> None:
    weights = numbers(3, 3, 4, 4)

    def build(x: tf.Tensor) -> dict[str, tf.Tensor]:
        kernel = tf.constant(weights)
        y = norm(tf.nn.conv2d(x, kernel, 1, "SAME"), 4)
        return {"out": norm(tf.nn.conv2d(y, kernel, 1, "SAME"), 4)}

    assert ops_after(norms.fold, built(build, None, 6, 7, 4), ["out"], (2, 6, 7, 4))["FusedBatchNormV3"] == 0


@pytest.mark.parametrize(
    ("build", "settled"),
    [
        (lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0], 6, 28])), True),
        (lambda x: tf.reshape(tf.nn.relu(x), tf.stack([tf.shape(x)[0], -1, 4])), True),
        (lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0] * 2, -1, 4])), False),
        (lambda x: tf.reshape(x, tf.stack([tf.shape(x)[1], -1, 4])), False),
        (lambda x: tf.reshape(tf.transpose(x, [1, 0, 2, 3]), tf.stack([tf.shape(x)[0], -1, 4])), False),
        (lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0], tf.shape(x)[1], 28])), False),
    ],
    ids=["all known", "one to find", "twice the rows", "columns", "rows elsewhere", "two counted"],
)
def test_reshapes(build: Callable[[tf.Tensor], tf.Tensor], settled: bool) -> None:
    graph_def = built(lambda x: {"out": build(x)}, None, 6, 7, 4)
    ops = ops_after(reshape.settle, graph_def, ["out"], (1, 6, 7, 4), (3, 6, 7, 4))
    assert (ops["Pack"] == 0) == settled


def test_operations_that_tfjs_lacks() -> None:
    def build(x: tf.Tensor) -> dict[str, tf.Tensor]:
        product = tf.einsum("bhwc,cd->bhwd", x, numbers(4, 5))
        attention = tf.einsum("bhwc,bhvc->bhwv", x, tf.math.erfc(x))
        return {"product": product, "attention": attention}

    ops = ops_after(expand.expand, built(build, None, 6, 7, 4), ["product", "attention"], (2, 6, 7, 4))
    assert not {"Einsum", "Erfc"} & set(ops)


def test_depth() -> None:
    def build(x: tf.Tensor) -> dict[str, tf.Tensor]:
        y = tf.nn.relu(tf.nn.conv3d(x, numbers(3, 3, 3, 2, 4), [1, 1, 2, 1, 1], "SAME") + numbers(4))
        z = tf.nn.max_pool3d(y, 2, 2, "VALID")
        last = tf.nn.conv3d(z, numbers(2, 2, 1, 4, 3), [1] * 5, "VALID")
        return {"first": y, "last": tf.nn.bias_add(last, numbers(3))}

    graph_def = built(build, None, 6, 7, 8, 2)
    names = ["first", "last"]
    ops = ops_after(lambda changed: depth.flatten(changed, names), graph_def, names, (1, 6, 7, 8, 2), (2, 6, 7, 8, 2))
    assert not {"Conv3D", "MaxPool3D"} & set(ops)


ROWS = 4


def classifier(x: tf.Tensor) -> tf.Tensor:
    """As it is published: with its batch in the shape that it is flattened to."""
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv3d(x, numbers(3, 3, 3, 2, 5), [1] * 5, "SAME"), numbers(5)))
    x = tf.nn.max_pool3d(x, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME")
    x = tf.reshape(tf.transpose(x, [0, 1, 4, 2, 3]), [ROWS, 2 * 5 * 3 * 3])
    return tf.nn.softmax(tf.matmul(x, numbers(90, 3)) + numbers(3))


def whole(x: tf.Tensor) -> tf.Tensor:
    """Slices and sums that keep all rows."""
    x = tf.concat([x[:ROWS], x[0:ROWS, 1:] * numbers(1, 1, 1, 1, 1)], 1)
    x = tf.pad(tf.reduce_mean(x, [2, 3]), [[0, 0], [1, 1], [0, 0]]) + numbers(2)
    return tf.squeeze(tf.expand_dims(tf.reshape(x, [ROWS, -1]), 1), [1])


@pytest.mark.parametrize("build", [classifier, whole])
def test_batches_of_a_fixed_size(build: Callable[[tf.Tensor], tf.Tensor]) -> None:
    graph_def = built(lambda x: {"out": build(x)}, ROWS, 3, 5, 5, 2)
    before = copy.deepcopy(graph_def)
    assert batch.one(graph_def, ["out"])
    values = numbers(ROWS, 3, 5, 5, 2)
    (expected,) = run(before, ["out"], values)
    for row in range(ROWS):
        (found,) = run(graph_def, ["out"], values[row : row + 1])
        assert found.shape == (1, *expected.shape[1:])
        np.testing.assert_allclose(found[0], expected[row], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x - tf.reduce_mean(x, 0, keepdims=True),
        lambda x: x + numbers(ROWS, 6),
        lambda x: x[::-1],
        lambda x: tf.transpose(tf.matmul(x, x, transpose_a=True))[:ROWS],
        lambda x: tf.cumsum(x, 0),
        lambda x: tf.concat([x[1:], x[:1]], 0),
        lambda x: x * tf.cast(tf.raw_ops.Shape(input=x)[0], tf.float32),
        lambda x: tf.reshape(tf.transpose(x), [ROWS, 6]),
        lambda x: tf.reshape(norm(tf.reshape(x, [ROWS, 1, 1, 6]), 6, training=True), [ROWS, 6]),
        lambda x: tf.matmul(x, x, transpose_b=True),
    ],
    ids=["mean", "numbers", "reversed", "product", "sum", "turned", "count", "transposed", "training", "pairs"],
)
def test_rows_that_know_of_one_another(build: Callable[[tf.Tensor], tf.Tensor]) -> None:
    graph_def = built(lambda x: {"out": build(x)}, ROWS, 6)
    before = copy.deepcopy(graph_def)
    assert not batch.one(graph_def, ["out"])
    assert graph_def == before


@pytest.mark.parametrize("shape", [(None, 6), (1, 6), (6,)])
def test_batches_that_are_none(shape: tuple[int | None, ...]) -> None:
    assert not batch.one(built(lambda x: {"out": tf.nn.relu(x)}, *shape), ["out"])


def test_large_constants_wait_outside() -> None:
    """They come back to what reads them; what nobody reads any more does not."""
    kernel, unread = numbers(1024, 1024), numbers(1024, 1025)
    graph_def = built(lambda x: {"out": x @ kernel + numbers(1024), "other": x @ unread}, 2, 1024)
    size = graph_def.ByteSize()
    expected = run(graph_def, ["out"], value := numbers(2, 1024))[0]
    light, waiting = aside.light(graph_def)
    assert light.ByteSize() < 10_000 < size
    assert len(waiting) == 2
    light = tf.compat.v1.graph_util.extract_sub_graph(light, ["out"])
    (name, found), *others = aside.back(light, graph_def, waiting).items()
    assert not others
    np.testing.assert_array_equal(found, kernel)
    next(node for node in light.node if node.name == name).attr["value"].tensor.tensor_content = found.tobytes()
    np.testing.assert_allclose(run(light, ["out"], value)[0], expected)
