"""TensorFlow Lite files: what a page is given computes what TensorFlow Lite's own interpreter does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from sitegen.errors import SitegenError
from sitegen.graph.nodes import source
from sitegen.models.options import Options
from sitegen.models.tflite.ops import BUILDERS
from sitegen.records import GraphModel
from tests.parity import engine, table

Arrays = list[NDArray[Any]]
Function = Callable[..., Any]


def converted(function: Function, *specs: tf.TensorSpec) -> bytes:
    """The .tflite file of a function."""
    concrete = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    made: bytes = converter.convert()
    return made


def interpreted(file: bytes, given: Arrays) -> Arrays:
    """What the interpreter gives, of the numbers that stand in the file; what is quantized as real numbers."""
    machine = tf.lite.Interpreter(model_content=file)
    machine.allocate_tensors()
    for told, value in zip(machine.get_input_details(), given, strict=True):
        machine.set_tensor(told["index"], value.astype(told["dtype"]))
    machine.invoke()
    results = []
    for told in machine.get_output_details():
        value, (scale, zero) = machine.get_tensor(told["index"]), told["quantization"]
        results.append((value.astype(np.float32) - zero) * np.float32(scale) if scale else value)
    return results


def used(file: bytes) -> set[str]:
    """The names of a file's operations, by TensorFlow's own reader."""
    from tensorflow.lite.python import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    model = schema.ModelT.InitFromPackedBuf(file, 0)
    return {names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes}


def read(file: bytes, folder: Path, options: Options | None = None) -> GraphModel:
    path = folder / "model.tflite"
    path.write_bytes(file)
    return engine.load(path, options)


def computed(model: GraphModel, given: Arrays) -> Arrays:
    """What TensorFlow computes from the graph that was read; inputs are in its signature's order."""
    names = [spec.name for spec in model.signature.inputs]
    return engine.tensorflow(model, dict(zip(names, given, strict=True)))


def floats(*shape: int | None, dtype: Any = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec(shape, dtype)


PICTURE = floats(1, 7, 9, 4)
ROWS = floats(3, 5)
WHOLE = floats(3, 5, dtype=tf.int32)
BITS = floats(3, 5, dtype=tf.bool)
KERNEL = tf.constant(np.random.default_rng(1).normal(size=(3, 2, 4, 6)), tf.float32)
NARROW = tf.constant(np.random.default_rng(2).normal(size=(3, 3, 4, 2)), tf.float32)
NUMBERS = tf.constant(np.random.default_rng(3).normal(size=6), tf.float32)


def convolution(x: Any, **how: Any) -> Any:
    how = {"strides": 1, "padding": "SAME", **how}
    return tf.nn.conv2d(x, KERNEL, **how)


def depthwise(x: Any, strides: int = 1, padding: str = "SAME", **how: Any) -> Any:
    return tf.nn.depthwise_conv2d(x, NARROW, [1, strides, strides, 1], padding, **how)


def resized(op: str, corners: bool, halves: bool) -> Function:
    def function(x: Any) -> Any:
        return getattr(tf.raw_ops, op)(images=x, size=[11, 5], align_corners=corners, half_pixel_centers=halves)

    return function


# What a function is made of in the file, the function, and what it takes.
OPERATIONS: list[tuple[str, Function, list[tf.TensorSpec]]] = [
    ("ABS", tf.abs, [ROWS]),
    ("ADD", lambda x: tf.nn.relu6(x + 3 * x[0]), [ROWS]),
    ("ARG_MAX", lambda x: tf.argmax(x, -1, tf.int32), [ROWS]),
    ("ARG_MIN", lambda x: tf.argmin(x, 0), [ROWS]),
    ("AVERAGE_POOL_2D", lambda x: tf.nn.avg_pool2d(x, (3, 2), 2, "SAME"), [PICTURE]),
    ("BATCH_MATMUL", lambda x, y: tf.matmul(x, y, transpose_b=True), [floats(2, 3, 4), floats(2, 5, 4)]),
    ("BROADCAST_TO", lambda x: tf.broadcast_to(x, [2, 3, 5, 2, 2, 5]), [floats(5, 2, 1, 5)]),
    ("CAST", lambda x: tf.cast(tf.cast(x * 3, tf.int32), tf.float32) / 2, [ROWS]),
    ("CEIL", tf.math.ceil, [ROWS]),
    ("CONCATENATION", lambda x, y: tf.concat([x, y, x], -1), [ROWS, floats(3, 2)]),
    ("CONV_2D", lambda x: tf.nn.relu(convolution(x, strides=(2, 1), padding="VALID") + NUMBERS), [PICTURE]),
    ("CONV_2D", lambda x: tf.tanh(convolution(x, dilations=(2, 3))), [PICTURE]),
    (
        "CONV_3D",
        lambda x: tf.nn.conv3d(x, tf.reshape(KERNEL, [3, 2, 1, 4, 6]), [1] * 5, "SAME"),
        [floats(1, 4, 5, 3, 4)],
    ),
    ("COS", tf.cos, [ROWS]),
    ("CUMSUM", lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True), [ROWS]),
    ("DEPTHWISE_CONV_2D", lambda x: tf.nn.relu6(depthwise(x, 2)), [PICTURE]),
    ("DEPTHWISE_CONV_2D", lambda x: depthwise(x, padding="VALID", dilations=(2, 2)), [PICTURE]),
    ("DEPTH_TO_SPACE", lambda x: tf.nn.depth_to_space(x, 2), [PICTURE]),
    ("DIV", lambda x, y: x / (tf.abs(y) + 1), [ROWS, ROWS]),
    ("ELU", tf.nn.elu, [ROWS]),
    ("EQUAL", lambda x: tf.equal(x, x[::-1]), [WHOLE]),
    ("EXP", tf.exp, [ROWS]),
    ("EXPAND_DIMS", lambda x: tf.expand_dims(x, x.shape.rank - 1), [floats(None, 3, 2)]),
    ("FILL", lambda x: tf.fill(tf.shape(x), x[0, 0]), [floats(None, 2)]),
    ("FLOOR", tf.floor, [ROWS]),
    ("FLOOR_DIV", lambda x: tf.math.floordiv(x, 3), [WHOLE]),
    ("FLOOR_MOD", lambda x: tf.math.floormod(x, 3), [WHOLE]),
    ("FULLY_CONNECTED", lambda x: tf.nn.relu(x @ tf.transpose(KERNEL[0, 0, :, :5]) + NUMBERS[:4]), [ROWS]),
    ("FULLY_CONNECTED", lambda x: tf.tensordot(x, KERNEL[0, 0], 1), [floats(2, 3, 4)]),
    ("GATHER", lambda x, i: tf.gather(x, i, axis=1), [ROWS, floats(2, dtype=tf.int32)]),
    ("GATHER_ND", lambda x: tf.gather_nd(x, [[0, 1], [2, 4]]), [ROWS]),
    ("GELU", lambda x: tf.nn.gelu(x, True), [ROWS]),
    ("GREATER", lambda x: x > 0.5, [ROWS]),
    ("GREATER_EQUAL", lambda x: x >= 1, [WHOLE]),
    ("HARD_SWISH", lambda x: x * tf.nn.relu6(x + 3) / 6, [ROWS]),
    ("L2_NORMALIZATION", lambda x: tf.math.l2_normalize(x, -1), [ROWS]),
    ("LEAKY_RELU", lambda x: tf.nn.leaky_relu(x, 0.3), [ROWS]),
    ("LESS", lambda x: x < x[0], [ROWS]),
    ("LESS_EQUAL", lambda x: x <= x[0], [WHOLE]),
    ("LOCAL_RESPONSE_NORMALIZATION", lambda x: tf.nn.lrn(x, 2, 1.5, 0.3, 0.7), [PICTURE]),
    ("LOG", lambda x: tf.math.log(tf.abs(x) + 1), [ROWS]),
    ("LOGICAL_AND", lambda x: tf.logical_and(x, x[0]), [BITS]),
    ("LOGICAL_NOT", tf.logical_not, [BITS]),
    ("LOGICAL_OR", lambda x: tf.logical_or(x, x[0]), [BITS]),
    ("LOGISTIC", tf.sigmoid, [ROWS]),
    ("LOG_SOFTMAX", tf.nn.log_softmax, [ROWS]),
    ("MAXIMUM", lambda x: tf.maximum(x, x[0]), [ROWS]),
    ("MAX_POOL_2D", lambda x: tf.nn.max_pool2d(x, 2, (2, 1), "VALID"), [PICTURE]),
    ("MEAN", lambda x: tf.reduce_mean(x, [1, 2]), [PICTURE]),
    ("MINIMUM", lambda x: tf.minimum(x, x[0]), [WHOLE]),
    ("MIRROR_PAD", lambda x: tf.pad(x, [[0, 0], [1, 2]], "SYMMETRIC"), [ROWS]),
    ("MUL", lambda x: x * x[1], [ROWS]),
    ("NEG", tf.negative, [ROWS]),
    ("NOT_EQUAL", lambda x: tf.not_equal(x, x[0]), [WHOLE]),
    ("ONE_HOT", lambda i: tf.one_hot(i, 6, 2.0, -1.0, 0), [floats(3, dtype=tf.int32)]),
    ("PACK", lambda x: tf.stack([x, 2 * x], 1), [ROWS]),
    ("PAD", lambda x: tf.pad(x, [[1, 0], [2, 1]]), [ROWS]),
    ("PADV2", lambda x: tf.pad(x, [[1, 0], [2, 1]], constant_values=0.5), [ROWS]),
    ("POW", lambda x: tf.pow(tf.abs(x), 1.5), [ROWS]),
    ("RANGE", lambda x: tf.range(tf.shape(x)[0] * 2), [floats(None, 2)]),
    ("REDUCE_ALL", lambda x: tf.reduce_all(x, 1), [BITS]),
    ("REDUCE_ANY", lambda x: tf.reduce_any(x, 0, keepdims=True), [BITS]),
    ("REDUCE_MAX", lambda x: tf.reduce_max(x, -1), [ROWS]),
    ("REDUCE_MIN", lambda x: tf.reduce_min(x, -1, keepdims=True), [ROWS]),
    ("REDUCE_PROD", lambda x: tf.reduce_prod(x, 0), [ROWS]),
    ("RELU", tf.nn.relu, [ROWS]),
    ("RELU6", lambda x: tf.nn.relu6(tf.exp(x)), [ROWS]),
    ("RELU_N1_TO_1", lambda x: tf.minimum(tf.maximum(x, -1.0), 1.0), [ROWS]),
    ("RESHAPE", lambda x: tf.reshape(x, [5, -1]), [ROWS]),
    *(
        ("RESIZE_BILINEAR", resized("ResizeBilinear", *how), [PICTURE])
        for how in ((False, False), (True, False), (False, True))
    ),
    *(
        ("RESIZE_NEAREST_NEIGHBOR", resized("ResizeNearestNeighbor", *how), [PICTURE])
        for how in ((False, False), (True, False), (False, True))
    ),
    ("REVERSE_V2", lambda x: tf.reverse(x, [1]), [ROWS]),
    ("ROUND", tf.round, [ROWS]),
    ("RSQRT", lambda x: tf.math.rsqrt(tf.abs(x) + 1), [ROWS]),
    ("SELECT_V2", lambda x: tf.where(x > 0, x, x[0] - 5), [ROWS]),
    ("SHAPE", lambda x: tf.shape(x), [floats(None, 2)]),
    ("SIGN", tf.sign, [ROWS]),
    ("SIN", tf.sin, [ROWS]),
    ("SLICE", lambda x: tf.slice(x, [1, 0], [2, 3]), [ROWS]),
    ("SOFTMAX", tf.nn.softmax, [ROWS]),
    ("SPACE_TO_DEPTH", lambda x: tf.nn.space_to_depth(x, 2), [floats(1, 4, 6, 3)]),
    ("SPLIT", lambda x: list(reversed(tf.split(x, 3, 0))), [ROWS]),
    ("SPLIT_V", lambda x: tf.split(x, [1, 3, 1], 1)[1], [ROWS]),
    ("SQRT", lambda x: tf.sqrt(tf.abs(x)), [ROWS]),
    ("SQUARE", tf.square, [ROWS]),
    ("SQUARED_DIFFERENCE", lambda x: tf.math.squared_difference(x, x[0]), [ROWS]),
    ("SQUEEZE", lambda x: tf.squeeze(x, [1]), [floats(None, 1, None)]),
    ("STRIDED_SLICE", lambda x: x[1:, ::-2, tf.newaxis], [ROWS]),
    ("SUB", lambda x: x - x[2], [ROWS]),
    ("SUM", lambda x: tf.reduce_sum(x, 0), [ROWS]),
    ("TANH", tf.tanh, [ROWS]),
    ("TILE", lambda x: tf.tile(x, [2, 3]), [ROWS]),
    ("TOPK_V2", lambda x: list(tf.math.top_k(x, 2)), [ROWS]),
    ("TRANSPOSE", lambda x: tf.transpose(x, [0, 3, 1, 2]), [PICTURE]),
    (
        "TRANSPOSE_CONV",
        lambda x: tf.nn.conv2d_transpose(x, tf.transpose(KERNEL, [0, 1, 3, 2]), [1, 14, 18, 6], 2, "SAME") + NUMBERS,
        [PICTURE],
    ),
    ("UNPACK", lambda x: tf.unstack(x, axis=1)[3], [ROWS]),
]


def given(specs: list[tf.TensorSpec], seed: int = 0) -> Arrays:
    """Inputs of some shapes; where a size is free it is 3."""
    random = np.random.default_rng(seed)
    made = []
    for spec in specs:
        shape = [size or 3 for size in spec.shape]
        if spec.dtype == tf.bool:
            made.append(random.integers(0, 2, shape).astype(bool))
        elif spec.dtype.is_integer:
            made.append(random.integers(0, 5, shape).astype(np.int32))
        else:
            made.append(random.normal(0, 1.5, shape).astype(np.float32))
    return made


# So many go into one file: what takes time is the file, not the operations.
AT_ONCE = 12
GROUPS = [OPERATIONS[at : at + AT_ONCE] for at in range(0, len(OPERATIONS), AT_ONCE)]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group[0][0]} to {group[-1][0]}")
def test_operations(group: list[tuple[str, Function, list[tf.TensorSpec]]], tmp_path: Path) -> None:
    """TensorFlow and the engine of pages compute from what was read what the interpreter computes."""
    specs = [spec for _, _, own in group for spec in own]
    named = [tf.TensorSpec(spec.shape, spec.dtype, f"x{at:02}") for at, spec in enumerate(specs)]

    def function(*values: Any) -> Any:
        made, at = [], 0
        for _, each, own in group:
            result = each(*values[at : at + len(own)])
            made += result if isinstance(result, list) else [result]
            at += len(own)
        return made

    file = converted(function, *named)
    assert {name for name, _, _ in group} <= used(file)
    model = read(file, tmp_path)
    assert model.lacking == ()
    values = given(specs)
    machine = tf.lite.Interpreter(model_content=file)
    inputs = sorted(machine.get_input_details(), key=lambda told: str(told["name"]))
    for told, value in zip(inputs, values, strict=True):
        machine.resize_tensor_input(told["index"], value.shape)
    machine.allocate_tensors()
    for told, value in zip(inputs, values, strict=True):
        machine.set_tensor(told["index"], value)
    machine.invoke()
    expected = [machine.get_tensor(told["index"]) for told in machine.get_output_details()]
    fed = {spec.name: values[int(spec.name[1:3])] for spec in model.signature.inputs}
    for results in (engine.tensorflow(model, fed), engine.run(model, [fed])[0]):
        for result, wanted, spec in zip(results, expected, model.signature.outputs, strict=True):
            assert result.shape == wanted.shape, spec.name
            assert spec.dtype == {"f": "float32", "b": "bool", "i": "int32"}[wanted.dtype.kind]
            np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-4, err_msg=spec.name)
