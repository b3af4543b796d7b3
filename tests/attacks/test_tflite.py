"""TensorFlow Lite files that lie: each ends in one SitegenError, soon and in little memory."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from sitegen import worker
from sitegen.errors import SitegenError
from sitegen.models import tflite
from sitegen.models.options import Options
from sitegen.models.tflite import flatbuffer
from sitegen.models.tflite.schema import read
from tests.test_tflite import converted, detector, floats

Model = Any  # schema.ModelT


@pytest.fixture(scope="module")
def good() -> bytes:
    """A convolution, a reshape and a product: what the forgeries are made of."""
    kernel = tf.constant(np.random.default_rng(0).normal(size=(3, 3, 2, 4)), tf.float32)

    def function(x: Any) -> Any:
        y = tf.reshape(tf.nn.relu(tf.nn.conv2d(x, kernel, 2, "SAME")), [1, 64])
        return tf.matmul(y, tf.ones([64, 3]))

    return converted(function, floats(1, 8, 8, 2))


@pytest.fixture(scope="module")
def boxes() -> bytes:
    return detector()


def packed(model: Model) -> bytes:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operation(model: Model, name: str) -> Any:
    code = getattr(schema.BuiltinOperator, name)
    known = [max(each.builtinCode, each.deprecatedBuiltinCode) for each in model.operatorCodes]
    return next(each for each in model.subgraphs[0].operators if known[each.opcodeIndex] == code)


def tensor(model: Model, name: str, at: int) -> Any:
    """An input of an operation."""
    return model.subgraphs[0].tensors[operation(model, name).inputs[at]]


def added(model: Model, code: str, inputs: list[Any], options: Any = None) -> None:
    """An operation after all others, whose inputs are constants, and whose result is the model's."""
    graph = model.subgraphs[0]
    made = schema.OperatorT()
    made.opcodeIndex = len(model.operatorCodes)
    own = schema.OperatorCodeT()
    own.builtinCode = getattr(schema.BuiltinOperator, code)
    own.deprecatedBuiltinCode = min(own.builtinCode, 127)
    model.operatorCodes.append(own)
    indices = []
    for value in inputs:
        array = np.asarray(value)
        buffer, each = schema.BufferT(), schema.TensorT()
        buffer.data = list(array.tobytes())
        model.buffers.append(buffer)
        each.name, each.shape, each.buffer = f"added_{len(graph.tensors)}", list(array.shape), len(model.buffers) - 1
        each.type = {"f": schema.TensorType.FLOAT32, "i": schema.TensorType.INT32}[array.dtype.kind]
        graph.tensors.append(each)
        indices.append(len(graph.tensors) - 1)
    result = schema.TensorT()
    result.name, result.shape = "result", []
    graph.tensors.append(result)
    made.inputs, made.outputs = indices, [len(graph.tensors) - 1]
    if options is not None:
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        made.builtinOptions = options
    graph.operators.append(made)
    graph.outputs = [len(graph.tensors) - 1]
    model.signatureDefs = []


def giant_input(model: Model) -> None:
    each = tensor(model, "CONV_2D", 0)
    each.shape = each.shapeSignature = [1, 1 << 30, 1 << 30, 2]


def giant_constant(model: Model) -> None:
    tensor(model, "CONV_2D", 1).shape = [1 << 15, 1 << 15, 1 << 15, 2]


def giant_fill(model: Model) -> None:
    added(model, "FILL", [np.array([1 << 20, 1 << 20], np.int32), np.float32(1)])


def giant_tile(model: Model) -> None:
    added(model, "TILE", [np.ones((4, 4), np.float32), np.array([1 << 15, 1 << 15], np.int32)])


def giant_range(model: Model) -> None:
    added(model, "RANGE", [np.int32(0), np.int32((1 << 31) - 1), np.int32(1)])


def cycle(model: Model) -> None:
    first = operation(model, "CONV_2D")
    first.inputs[0] = operation(model, "FULLY_CONNECTED").outputs[0]


def own_result(model: Model) -> None:
    first = operation(model, "CONV_2D")
    first.inputs[0] = first.outputs[0]


def written_twice(model: Model) -> None:
    second = operation(model, "RESHAPE")
    second.outputs = [operation(model, "CONV_2D").outputs[0], second.outputs[0]]


def no_tensor(model: Model) -> None:
    operation(model, "CONV_2D").inputs[1] = 1 << 20


def no_weights(model: Model) -> None:
    operation(model, "CONV_2D").inputs[1] = -1


def no_code(model: Model) -> None:
    operation(model, "CONV_2D").opcodeIndex = 99


def no_buffer(model: Model) -> None:
    tensor(model, "CONV_2D", 1).buffer = 1 << 30


def outside(model: Model) -> None:
    buffer = model.buffers[tensor(model, "CONV_2D", 1).buffer]
    buffer.data, buffer.offset, buffer.size = None, 1 << 40, 1 << 40


def short_buffer(model: Model) -> None:
    buffer = model.buffers[tensor(model, "CONV_2D", 1).buffer]
    buffer.data = buffer.data[:-4]


def unknown_operation(model: Model) -> None:
    model.operatorCodes[operation(model, "CONV_2D").opcodeIndex].builtinCode = 9999


def unknown_type(model: Model) -> None:
    tensor(model, "CONV_2D", 0).type = 99


def text(model: Model) -> None:
    tensor(model, "CONV_2D", 0).type = schema.TensorType.STRING


def no_stride(model: Model) -> None:
    operation(model, "CONV_2D").builtinOptions.strideW = 0


def no_padding(model: Model) -> None:
    operation(model, "CONV_2D").builtinOptions.padding = 7


def no_activation(model: Model) -> None:
    operation(model, "CONV_2D").builtinOptions.fusedActivationFunction = 77


def flat_input(model: Model) -> None:
    each = tensor(model, "CONV_2D", 0)
    each.shape = each.shapeSignature = [128]


def other_channels(model: Model) -> None:
    each = tensor(model, "CONV_2D", 0)
    each.shape = each.shapeSignature = [1, 8, 8, 4]


def negative_size(model: Model) -> None:
    each = tensor(model, "CONV_2D", 0)
    each.shape = each.shapeSignature = [1, -8, 8, 2]


def other_shape(model: Model) -> None:
    each = tensor(model, "CONV_2D", 0)
    each.shape = each.shapeSignature = [1, 9, 12, 2]


def no_graph(model: Model) -> None:
    model.subgraphs = []


def no_outputs(model: Model) -> None:
    model.subgraphs[0].outputs, model.signatureDefs = [], []


def scales(model: Model, count: int, value: float, axis: int = 0) -> None:
    made = schema.QuantizationParametersT()
    made.scale, made.zeroPoint, made.quantizedDimension = [value] * count, [0] * count, axis
    tensor(model, "CONV_2D", 1).quantization = made


def no_number(model: Model) -> None:
    scales(model, 1, float("nan"))


def too_many_scales(model: Model) -> None:
    scales(model, 3, 1.0)


def no_axis(model: Model) -> None:
    scales(model, 4, 1.0, 9)


def sparse(model: Model) -> None:
    made = schema.SparsityParametersT()
    made.traversalOrder = [0, 1, 2, 3]
    tensor(model, "CONV_2D", 1).sparsity = made


def shared_numbers(model: Model) -> None:
    """Thousands of constants in the bytes of one."""
    added(model, "CONCATENATION", [np.ones((1, 50_000), np.float32)], schema.ConcatenationOptionsT())
    graph = model.subgraphs[0]
    last, (first,) = graph.operators[-1], graph.operators[-1].inputs
    for _ in range(3000):
        each = schema.TensorT()
        each.name, each.shape, each.buffer = "again", graph.tensors[first].shape, graph.tensors[first].buffer
        graph.tensors.append(each)
        last.inputs.append(len(graph.tensors) - 1)


def test_weights_that_many_share(tmp_path: Path) -> None:
    """Thirty convolutions with one kernel have it once."""
    kernel = tf.constant(np.random.default_rng(0).normal(size=(1, 1, 64, 64)), tf.float32)

    def function(x: Any) -> Any:
        for _ in range(30):
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME"))
        return x

    path = tmp_path / "model.tflite"
    path.write_bytes(converted(function, floats(1, 2, 2, 64)))
    found = tflite.load(path, Options())
    assert sum(value.size for value in found.weights.values()) < 2 * 64 * 64


FORGED: dict[Callable[[Model], None], str] = {
    giant_input: "is 1x1073741824x1073741824x2, which is too large",
    giant_constant: "is damaged: ",
    giant_fill: "is 1048576x1048576, which is too large",
    giant_tile: "is 131072x131072, which is too large",
    giant_range: "is 2147483647, which is too large",
    cycle: "is read before anything is written to it",
    own_result: "is read before anything is written to it",
    written_twice: "is written twice",
    no_tensor: "it speaks of a tensor that it has not",
    no_weights: "a CONV_2D lacks an input",
    no_code: "an operation is of no kind",
    no_buffer: "a tensor's numbers are not there",
    outside: "are outside of what can be read",
    short_buffer: "has not as many numbers as its shape",
    unknown_operation: "is a 9999, which cannot be read",
    unknown_type: "there is no type 99",
    text: "is a string, which pages do not have",
    no_stride: "a CONV_2D has a stride_w of 0",
    no_padding: "a CONV_2D has no padding that can be",
    no_activation: "there is no activation 77",
    flat_input: "a CONV_2D has an input of 1 axes",
    other_channels: "is a convolution in groups, of 2 of 4 channels each, which pages cannot run",
    negative_size: "a tensor has no shape that can be",
    other_shape: "a RESHAPE, does not fit its inputs",
    no_graph: "it has no graph",
    no_outputs: "it has no outputs",
    no_number: "make no sense",
    too_many_scales: "make no sense",
    no_axis: "make no sense",
    sparse: "is sparse, which cannot be read",
    shared_numbers: "its tensors share their numbers more often than a model's do",
}


def refused(file: bytes, folder: Path) -> str:
    path = folder / "model.tflite"
    path.write_bytes(file)
    assert tflite.sniff(path)
    began = time.monotonic()
    with pytest.raises(SitegenError) as caught:
        tflite.load(path, Options())
    assert time.monotonic() - began < 10
    return caught.value.what


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_forged(forge: Callable[[Model], None], good: bytes, tmp_path: Path) -> None:
    model = schema.ModelT.InitFromPackedBuf(bytearray(good), 0)
    forge(model)
    assert FORGED[forge] in refused(packed(model), tmp_path)


def test_what_is_forged_is_good_before(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(packed(schema.ModelT.InitFromPackedBuf(good, 0)))
    assert tflite.load(tmp_path / "model.tflite", Options()).lacking == ()


def test_a_small_file_that_claims_to_be_huge(tmp_path: Path) -> None:
    """One operation that stands ten thousand times in a list, with as many inputs."""
    builder = flatbuffers.Builder(1 << 16)
    many = 10_000
    inputs = builder.CreateNumpyVector(np.zeros(many, np.int32))
    outputs = builder.CreateNumpyVector(np.zeros(1, np.int32))
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(1, inputs, 0)
    builder.PrependUOffsetTRelativeSlot(2, outputs, 0)
    one = builder.EndObject()
    lists = []
    builder.StartObject(2)
    each = builder.EndObject()  # a tensor of nothing, and a code
    for item, count in ((each, 1), (one, many), (each, 1)):
        builder.StartVector(4, count, 4)
        for _ in range(count):
            builder.PrependUOffsetTRelative(item)
        lists.append(builder.EndVector())
    tensors, operators, codes = lists
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(0, tensors, 0)
    builder.PrependUOffsetTRelativeSlot(3, operators, 0)
    graph = builder.EndObject()
    builder.StartVector(4, 1, 4)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    builder.StartObject(8)
    builder.PrependUOffsetTRelativeSlot(1, codes, 0)
    builder.PrependUOffsetTRelativeSlot(2, graphs, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    file = bytes(builder.Output())
    assert len(file) < 100_000
    assert refused(file, tmp_path).endswith("its parts are shared until they are larger than the file can be")


@pytest.mark.parametrize("part", [0.0005, 0.01, 0.2, 0.5, 0.8, 0.95])
def test_truncated(part: float, good: bytes, tmp_path: Path) -> None:
    assert "is damaged: " in refused(good[: max(8, int(len(good) * part))], tmp_path)


def test_options_of_detectors(boxes: bytes, tmp_path: Path) -> None:
    """They are a format of their own: damaged anywhere, they are read or refused."""
    model = schema.ModelT.InitFromPackedBuf(boxes, 0)
    (own,) = (each for each in model.subgraphs[0].operators if each.customOptions is not None)
    before = bytes(own.customOptions)
    chance = random.Random(3)
    for _ in range(40):
        damaged = bytearray(before)
        for _ in range(chance.choice([1, 3])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        own.customOptions = np.frombuffer(bytes(damaged[: chance.choice([len(damaged), 9])]), np.uint8)
        path = tmp_path / "model.tflite"
        path.write_bytes(packed(model))
        with contextlib.suppress(SitegenError):
            tflite.load(path, Options())


def test_damaged_anywhere(good: bytes, tmp_path: Path) -> None:
    """Whatever byte is another one, records are made or refused; and so is the model, as a build reads it."""
    chance = random.Random(4)
    read_whole = 0
    for turn in range(1500):
        damaged = bytearray(good)
        for _ in range(chance.choice([1, 2, 8])):
            damaged[chance.randrange(8, len(good))] = chance.choice([0, 1, 255, chance.randrange(256)])
        try:
            read(bytes(damaged))
        except (flatbuffer.Damaged, SitegenError):
            continue
        if turn % 25 == 0:
            path = tmp_path / "model.tflite"
            path.write_bytes(bytes(damaged))
            read_whole += 1
            with contextlib.suppress(SitegenError):
                worker.convert(path, tflite.NAME, Options(), tmp_path / "cache")
    assert read_whole > 10
