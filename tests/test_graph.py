"""Passes over graphs, each by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from sitegen import worker
from sitegen.errors import SitegenError
from sitegen.graph.fold import fold
from sitegen.graph.lacking import LACKING
from sitegen.models import keras as keras_format
from sitegen.models.options import Options
from tests.conftest import REPOSITORY
from tests.parity import engine

TFJS = REPOSITORY / "sitegen/runtime/node_modules/@tensorflow"
# Kernels that graphs cannot ask for, or that TF.js composes of others.
NOT_ASKED_FOR = {
    "BroadcastTo",
    "Conv2DBackpropFilter",
    "DepthwiseConv2dNativeBackpropFilter",
    "DepthwiseConv2dNativeBackpropInput",
    "Draw",
    "FromPixels",
    "LogSoftmax",
    "Pool",
    "UnsortedSegmentSum",
}


def test_what_the_backend_lacks_is_known() -> None:
    """The list in lacking.py is what the installed TF.js says: an update that changes it is seen."""
    names = dict(re.findall(r"export const (\w+) = '(\w+)'", (TFJS / "tfjs-core/dist/kernel_names.js").read_text()))
    registered = set()
    for path in (TFJS / "tfjs-backend-wasm/dist/kernels").glob("*.js"):
        code = path.read_text().partition("//# source")[0]
        found = re.findall(r"(?:kernelName: |KernelConfig\()(\w+)", code)
        registered |= {names.get(name, name) for name in found}
        if path.stem in ("ArgMax", "ArgMin", "Sigmoid"):
            registered.add(path.stem)
    missing = set(names.values()) - registered - NOT_ASKED_FOR
    # The real FFTs are composed of complex ones.
    assert missing | {"RFFT", "IRFFT"} == LACKING


def fourier(folder: Path) -> Path:
    """A SavedModel with a Fourier transform in the middle."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([4, 8], tf.float32)])
        def call(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            before = tf.multiply(x, 2.0, name="before")
            return {"after": tf.math.abs(tf.signal.fft(tf.cast(before, tf.complex64))), "before": before}

    module = Module()
    tf.saved_model.save(module, str(folder / "model"), signatures=module.call)
    return folder / "model"


def test_an_operation_that_cannot_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(SitegenError) as caught:
        worker.convert(fourier(tmp_path), "saved-model", Options(), tmp_path / "cache")
    assert re.fullmatch(r'the node "\S+" is a FFT, which pages cannot run \(and 1 more node\)', caught.value.what)


def test_a_cut_before_it_helps(tmp_path: Path) -> None:
    path = fourier(tmp_path)
    whole = engine.load(path)
    end = next(spec.name for spec in whole.signature.outputs if spec.shape == (4, 8))
    names = [node["name"] for node in whole.topology["node"]]
    before = next(name for name in names if name.endswith("before"))
    part = engine.load(path, Options(outputs=(before,)))
    assert end
    assert len(part.topology["node"]) < len(names)
    value = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    ((result,),) = engine.run(part, [{part.signature.inputs[0].name: value}])
    np.testing.assert_allclose(result, value * 2, rtol=1e-6)


def dense_and_norm() -> keras.Model:
    """Dense and convolution layers before batch norms, and one norm whose input is an output too."""
    x = keras.Input((6,))
    y = keras.layers.Dense(5)(x)
    z = keras.layers.BatchNormalization()(y)
    z = keras.layers.Dense(4, use_bias=False)(keras.layers.ReLU()(z))
    z = keras.layers.BatchNormalization(scale=False)(z)
    z = keras.layers.Dense(4)(keras.layers.Activation("tanh")(z))
    z = keras.layers.ReLU()(keras.layers.BatchNormalization()(z))
    return keras.Model(x, [y, z])


def test_norms_are_folded(tmp_path: Path) -> None:
    keras.utils.set_random_seed(2)
    model = dense_and_norm()
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    model.save(tmp_path / "model.keras")
    before = keras_format.load(tmp_path / "model.keras", Options())
    after = fold(before)
    value = random.normal(size=(3, 6)).astype(np.float32)
    name = before.signature.inputs[0].name
    expected = engine.tensorflow(before, {name: value})
    for results in (engine.tensorflow(after, {name: value}), engine.run(after, [{name: value}])[0]):
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-5)
    ops = [node["op"] for node in after.topology["node"]]
    # The first norm's input is an output of the model: it stays. The others are gone.
    assert (ops.count("Mul"), ops.count("AddV2") + ops.count("Sub"), ops.count("Relu")) == (1, 1, 1)
    assert len(after.weights) < len(before.weights)


def test_an_autoencoder_is_one_node_a_layer(shared: Path) -> None:
    model = engine.load(shared / "models/ad01_autoencoder.h5")
    assert [n["op"] for n in model.topology["node"] if n["op"] != "Const"] == [
        "Placeholder",
        *["_FusedMatMul"] * 10,
        "Identity",
    ]


Call = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def same_as_tensorflow(call: Call, value: NDArray[Any], folder: Path, reference: Call | None = None) -> list[str]:
    """Asserts that the engine computes what a function, or `reference`, gives for one input; gives the operations."""
    module = tf.Module()
    module.function = tf.function(call, input_signature=[tf.TensorSpec([None, *value.shape[1:]], value.dtype)])
    tf.saved_model.save(module, str(folder / "model"), signatures=module.function)
    model = engine.load(folder / "model")
    (results,) = engine.run(model, [{model.signature.inputs[0].name: value}])
    expected = (reference or call)(value)
    for result, name in zip(results, sorted(expected), strict=True):
        np.testing.assert_allclose(result, expected[name], rtol=1e-4, atol=1e-4)
    return [node["op"] for node in model.topology["node"]]


def test_the_second_output_of_a_node_in_a_loop(tmp_path: Path) -> None:
    def call(x: tf.Tensor) -> dict[str, tf.Tensor]:
        def body(i: tf.Tensor, x: tf.Tensor, order: tf.Tensor) -> tuple[tf.Tensor, ...]:
            values, found = tf.math.top_k(x, 5)
            return i + 1, values * tf.constant([1.0, -2.0, 3.0, -4.0, 5.0]), order * 10 + found

        start = (tf.reduce_sum(tf.cast(x > 0, tf.int32)), x, tf.zeros([5], tf.int32))
        _, values, order = tf.while_loop(lambda i, *_: i < 7, body, start)
        return {"order": order, "values": values}

    same_as_tensorflow(call, np.array([0.1, -0.4, 0.3, 0.9, -2.0], np.float32), tmp_path)


def test_what_is_not_zero_is_true(tmp_path: Path) -> None:
    def call(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"kept": tf.where(tf.cast(x, tf.bool), x, -9.0), "whole": tf.cast(tf.cast(x, tf.int32), tf.bool)}

    same_as_tensorflow(call, np.array([0.0, 0.3, -0.2, 256.0, 1.0, -512.5], np.float32), tmp_path)


def spaced(weights: NDArray[Any], dilations: Sequence[int]) -> NDArray[Any]:
    """Weights with zeros between them: TensorFlow has no dilated Conv3D for processors."""
    sizes = [(size - 1) * dilation + 1 for size, dilation in zip(weights.shape[:3], dilations, strict=True)]
    wide = np.zeros((*sizes, *weights.shape[3:]), np.float32)
    wide[tuple(slice(None, None, dilation) for dilation in dilations)] = weights
    return wide


@pytest.mark.parametrize(
    ("kernel", "strides", "dilations", "padding"),
    [
        *(
            (kernel, strides, (1, 1, 1), padding)
            for padding in ("SAME", "VALID")
            for kernel, strides in [
                ((3, 3, 3), (1, 1, 1)),
                ((1, 3, 2), (1, 2, 1)),
                ((2, 1, 1), (2, 1, 1)),
                ((4, 2, 3), (3, 2, 2)),
            ]
        ),
        ((2, 2, 2), (1, 1, 1), (3, 2, 1), "SAME"),
    ],
)
def test_convolutions_in_three_dimensions(
    kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], padding: str, tmp_path: Path
) -> None:
    random = np.random.default_rng(5)
    weights = random.normal(size=(*kernel, 2, 3)).astype(np.float32)
    more = random.normal(size=(1, 1, 1, 3, 4)).astype(np.float32)
    biases = [random.normal(size=count).astype(np.float32) for count in (3, 4)]

    def dilated(x: tf.Tensor) -> tf.Tensor:
        steps, spaces = [1, *strides, 1], [1, *dilations, 1]
        return tf.raw_ops.Conv3D(input=x, filter=weights, strides=steps, padding=padding, dilations=spaces)

    def wide(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv3d(x, spaced(weights, dilations), [1, *strides, 1], padding)

    def network(convolution: Callable[[tf.Tensor], tf.Tensor]) -> Call:
        def call(x: tf.Tensor) -> dict[str, tf.Tensor]:
            first = convolution(x)
            second = tf.nn.leaky_relu(first + biases[0], 0.3)
            third = tf.nn.conv3d(second, more, [1] * 5, "VALID")
            return {"first": first, "last": tf.tanh(tf.nn.bias_add(third, biases[1]))}

        return call

    value = random.normal(size=(2, 9, 7, 8, 2)).astype(np.float32)
    ops = same_as_tensorflow(network(dilated), value, tmp_path, network(wide))
    assert "Conv3D" not in ops


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("pool", [tf.nn.max_pool3d, tf.nn.avg_pool3d])
@pytest.mark.parametrize("size", [(1, 2, 2), (2, 2, 2), (3, 1, 3)])
def test_pooling_in_three_dimensions(
    pool: Callable[..., Any], size: Sequence[int], padding: str, tmp_path: Path
) -> None:
    value = np.random.default_rng(6).normal(size=(2, 6, 7, 8, 3)).astype(np.float32)
    ops = same_as_tensorflow(lambda x: {"pooled": pool(x, size, size, padding)}, value, tmp_path)
    assert not {"MaxPool3D", "AvgPool3D"} & set(ops)


def test_pooling_that_overlaps_in_depth_stays(tmp_path: Path) -> None:
    value = np.random.default_rng(6).normal(size=(2, 6, 7, 8, 3)).astype(np.float32)
    ops = same_as_tensorflow(lambda x: {"pooled": tf.nn.max_pool3d(x, 3, 2, "SAME")}, value, tmp_path)
    assert "MaxPool3D" in ops
