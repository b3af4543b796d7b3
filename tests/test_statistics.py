"""What quantize: auto knows of a kernel, against TensorFlow's own gradients, input by input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sitegen.graph import plain, rename
from sitegen.graph.nodes import source
from sitegen.records import GraphModel
from sitegen.weights import gradients, kernels, statistics
from sitegen.weights.gradients import Gradients, Projection
from sitegen.weights.kernels import Kernel
from tests.parity import engine

INPUTS = np.random.default_rng(0).normal(size=(5, 9, 10, 2)).astype(np.float32)
SEED, PROBES = 3, 2
PROJECTION = Projection("numbers", 1.0, 0.5)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> GraphModel:
    """Convolutions with strides, dilations and both paddings, a depthwise one, a product, and a bias of each."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    given = keras.Input((9, 10, 2))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh", bias_initializer="normal")(given)
    x = layers.DepthwiseConv2D(2, depth_multiplier=2, activation="tanh", bias_initializer="normal")(x)
    x = layers.Conv2D(6, (1, 2), padding="same", dilation_rate=(1, 2), activation="tanh")(x)
    x = layers.Conv2D(3, 1, strides=2, activation="tanh")(x)
    made = keras.Model(given, layers.Dense(4, bias_initializer="normal")(layers.Flatten()(x)))
    path = tmp_path_factory.mktemp("model") / "model.keras"
    made.save(path)
    return engine.load(path)


@pytest.fixture(scope="module")
def own(model: GraphModel) -> dict[str, list[NDArray[np.float32]]]:
    """The gradients of each tensor of floats, one for each input and probe."""
    import tensorflow as tf

    names = [name for name, value in model.weights.items() if value.dtype.kind == "f"]
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.import_graph_def(plain.graph_def(model), name="")
        given, end = (graph.get_tensor_by_name(name) for name in (model.signature.inputs[0].name, model.ends[0]))
        tensors = [graph.get_tensor_by_name(f"{name}:0") for name in names]
        for at, each in enumerate(INPUTS):
            for probe in range(PROBES):
                random = tf.random.stateless_normal([1, 4], [SEED + at, 1000 * probe])
                loss = tf.reduce_sum(random * end / PROJECTION.spread)
                values = session.run(tf.gradients(loss, tensors), {given: each[None]})
                for name, value in zip(names, values, strict=True):
                    found[name].append(value)
    return found


@pytest.fixture(scope="module")
def sums(model: GraphModel) -> gradients.Sums:
    found = kernels.find(model)
    others = [
        name
        for name, value in model.weights.items()
        if value.dtype.kind == "f" and name not in {kernel.name for kernel in found}
    ]
    return Gradients(model, found, others, [PROJECTION], PROBES).sums(INPUTS, SEED)


def test_all_kinds_of_kernels_are_found(model: GraphModel) -> None:
    found = kernels.find(model)
    assert sorted(kernel.op for kernel in found) == ["Conv2D"] * 3 + ["DepthwiseConv2dNative", "MatMul"]
    assert all(kernel.matrix(model.weights[kernel.name]).size == model.weights[kernel.name].size for kernel in found)


def test_moments_of_gradients(
    model: GraphModel, sums: gradients.Sums, own: dict[str, list[NDArray[np.float32]]]
) -> None:
    for kernel in kernels.find(model):
        all_of_it = [kernel.matrix(value).astype(float) for value in own[kernel.name]]
        if kernel.depthwise:
            channels = kernel.shape[2]
            split = [g.reshape(g.shape[0], channels, -1) for g in all_of_it]
            np.testing.assert_allclose(
                sums[kernel.name][0], sum(np.einsum("tcm,ucm->ctu", g, g) for g in split), rtol=1e-3, atol=1e-5
            )
            continue
        for found, expected in zip(
            sums[kernel.name], (sum(g @ g.T for g in all_of_it), sum(g.T @ g for g in all_of_it)), strict=False
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_inputs_that_go_in_together(tmp_path: Path) -> None:
    """Without a dilation, which TensorFlow does by other batches; what kernels see is the same in any batch."""
    import keras
    from keras import layers

    given = keras.Input((9, 10, 2))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2)(layers.Conv2D(4, 3, activation="tanh")(given))
    keras.Model(given, layers.Dense(3)(layers.GlobalAveragePooling2D()(x))).save(tmp_path / "model.keras")
    model = engine.load(tmp_path / "model.keras")
    found = kernels.find(model)
    made = Gradients(model, found, [], [PROJECTION], 1)
    together = made.sums(INPUTS, SEED)
    made._alone = True
    alone = made.sums(INPUTS, SEED)
    for kernel in found:
        np.testing.assert_allclose(together[kernel.name][-1], alone[kernel.name][-1], rtol=1e-4)
        # The projections are others, their number is the same.
        assert (
            0.1
            < np.trace(together[kernel.name][0], axis1=-2, axis2=-1).sum()
            / np.trace(alone[kernel.name][0], axis1=-2, axis2=-1).sum()
            < 10
        )


def test_squares_of_the_rest(
    model: GraphModel, sums: gradients.Sums, own: dict[str, list[NDArray[np.float32]]]
) -> None:
    biases = [name for name, value in model.weights.items() if value.ndim == 1 and value.dtype.kind == "f"]
    assert biases
    for name in biases:
        assert sums[name][0] == pytest.approx(sum(float(np.square(g).sum()) for g in own[name]), rel=1e-3)


def test_what_kernels_see(model: GraphModel, sums: gradients.Sums) -> None:
    """The first convolution's windows, which the same padding moves."""
    kernel = kernels.find(model)[0]
    padded = np.pad(INPUTS, ((0, 0), (1, 1), (0, 1), (0, 0))).astype(float)
    rows = np.stack(
        [padded[:, y : y + 3, x : x + 3].reshape(len(INPUTS), -1) for y in range(0, 9, 2) for x in range(0, 10, 2)]
    ).reshape(-1, 18)
    np.testing.assert_allclose(sums[kernel.name][2], rows.T @ rows, rtol=1e-4)


def test_what_matters_most_is_rounded_first(sums: gradients.Sums, model: GraphModel) -> None:
    for kernel in kernels.find(model):
        known = statistics.of(kernel, sums[kernel.name], len(INPUTS) * PROBES)
        rows, columns = kernel.matrix(model.weights[kernel.name]).shape
        assert sorted(known.order_in) == list(range(rows))
        assert sorted(known.order_out) == list(range(columns))
        if known.m_out is not None:
            a = known.m_in.astype(float) @ np.diag(known.d_in) @ known.m_in.T.astype(float)
            assert (np.diff(np.diag(a)) <= 1e-6 * a.max()).all()


def test_a_channel_that_nothing_stirred_is_not_thrown_away() -> None:
    kernel = Kernel("k", "DepthwiseConv2dNative", ("n",), (1, 2, 3, 1), False)
    one = np.array([[2.0, 1.0], [1.0, 2.0]])
    known = statistics.of(kernel, [np.stack([one, 0 * one, one]), np.stack([one, 0 * one, one])], 1)
    assert known.d_out[1] > 0.01 * known.d_out[0]
    assert np.isfinite(known.m_in).all()


def test_short_names(model: GraphModel) -> None:
    short, names = rename.short(model)
    assert set(short.weights) == set(names.values())
    assert all(name.startswith("w") and len(name) < 4 for name in short.weights)
    assert short.ends == model.ends
    used = {source(name) for node in short.topology["node"] for name in node.get("input", [])}
    assert set(short.weights) <= used
    given = {model.signature.inputs[0].name: INPUTS}
    for one, other in zip(engine.tensorflow(short, given), engine.tensorflow(model, given), strict=True):
        np.testing.assert_array_equal(one, other)
