"""TensorFlow Lite files: what a page is given computes what TensorFlow Lite's own interpreter does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from sitegen import chunks
from sitegen.disk import Cache
from sitegen.errors import SitegenError
from sitegen.graph import boxes as detect
from sitegen.graph import rename, ssd
from sitegen.graph.nodes import source
from sitegen.models import store
from sitegen.models.options import Options
from sitegen.models.tflite import detection
from sitegen.records import GraphModel
from sitegen.weights import codec, container, grids
from tests.parity import engine, table
from tests.test_parity import close, expected_of, randomized

Arrays = list[NDArray[Any]]
Function = Callable[..., Any]


def converted(function: Function, *specs: tf.TensorSpec) -> bytes:
    """The .tflite file of a function."""
    module = tf.Module()
    module.function = tf.function(function, input_signature=specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.function.get_concrete_function()], module)
    converter.allow_custom_ops = True
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    made: bytes = converter.convert()
    return made


def interpreted(file: bytes, given: Arrays) -> Arrays:
    """What the interpreter gives, of the numbers that stand in the file; what is quantized as real numbers.

    Inputs and outputs are in the order of their names, where the file has a signature.
    """
    machine = tf.lite.Interpreter(model_content=file)
    if machine.get_signature_list():
        runner = machine.get_signature_runner()
        inputs, outputs = sorted(runner.get_input_details().items()), sorted(runner.get_output_details().items())
        fed = {name: value.astype(told["dtype"]) for (name, told), value in zip(inputs, given, strict=True)}
        results = runner(**fed)
        return [real(results[name], *told["quantization"]) for name, told in outputs]
    machine.allocate_tensors()
    for told, value in zip(machine.get_input_details(), given, strict=True):
        machine.set_tensor(told["index"], value.astype(told["dtype"]))
    machine.invoke()
    return [real(machine.get_tensor(told["index"]), *told["quantization"]) for told in machine.get_output_details()]


def real(value: NDArray[Any], scale: float, zero: int) -> NDArray[Any]:
    return (value.astype(np.float32) - zero) * np.float32(scale) if scale else value


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
COLOURS = floats(1, 7, 9, 3)
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
    ordered = sorted(spec.name for spec in model.signature.outputs)
    expected = dict(zip(ordered, interpreted(file, values), strict=True))
    fed = {spec.name: values[int(spec.name[1:3])] for spec in model.signature.inputs}
    for results in (engine.tensorflow(model, fed), engine.run(model, [fed])[0]):
        for result, spec in zip(results, model.signature.outputs, strict=True):
            wanted = expected[spec.name]
            assert result.shape == wanted.shape, spec.name
            assert spec.dtype == {"f": "float32", "b": "bool", "i": "int32"}[wanted.dtype.kind]
            np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-4, err_msg=spec.name)


def test_a_detector(tmp_path: Path) -> None:
    """It ends at its heads, of which the page makes the boxes that the interpreter makes."""
    file = detector()
    model = read(file, tmp_path)
    assert model.detection is not None
    assert [spec.name for spec in model.signature.outputs] == list(ssd.RESULTS)
    assert model.notes == ()
    for seed in range(3):
        (picture,) = given([COLOURS], seed)
        boxes, classes, scores, count = interpreted(file, [picture])
        codes, likely = engine.tensorflow(model, {model.signature.inputs[0].name: picture})
        found = detect.detect(codes, likely, model.detection)
        sure = int(count[0])
        assert sure == found.count[0] > 3
        np.testing.assert_allclose(found.scores[0, :sure], scores[0, :sure], atol=1e-5)
        np.testing.assert_array_equal(found.classes[0, :sure], classes[0, :sure])
        # The page cuts boxes off at the picture's edges.
        np.testing.assert_allclose(found.boxes[0, :sure], boxes[0, :sure].clip(0, 1), atol=1e-5)


def test_a_detector_with_its_own_way(tmp_path: Path) -> None:
    assert read(detector(regular=False), tmp_path).notes == (detection.NOTE,)
    heads = read(detector(), tmp_path, Options(outputs=("Reshape",)))
    assert heads.detection is None
    assert [spec.shape for spec in heads.signature.outputs] == [(1, ANCHORS, 4)]


def keras_file(make: Callable[[], keras.Model], how: str = "float") -> tuple[bytes, keras.Model]:
    """A model of the table and its file: of floats, with weights of 8 or 16 bits, or quantized throughout."""
    keras.utils.set_random_seed(1)
    model = randomized(make()) if make is not table.preprocessing else make()
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if how != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if how == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if how in ("uint8", "int8"):
        random = np.random.default_rng(7)
        converter.representative_dataset = lambda: ([pixels(random, model)] for _ in range(30))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(how)
    return converter.convert(), model


def pixels(random: np.random.Generator, model: keras.Model) -> NDArray[np.float32]:
    """A picture in 0..1, in steps of 1/255."""
    values: NDArray[np.int64] = random.integers(0, 256, (1, *model.input_shape[1:]))
    return (values / 255).astype(np.float32)


@pytest.mark.parametrize(
    "make",
    [table.depthwise, table.residual, table.attention, table.conv1d, table.preprocessing, table.multi_input],
    ids=lambda make: make.__name__,
)
def test_networks(make: Callable[[], keras.Model], tmp_path: Path) -> None:
    file, model = keras_file(make)
    read_back = read(file, tmp_path)
    values = table.inputs_of(model, np.random.default_rng(3), 1)
    names = [tensor.name for tensor in model.inputs]
    order = [0] if len(names) == 1 else [names.index(source(spec.name)) for spec in read_back.signature.inputs]
    fed = {spec.name: values[at] for spec, at in zip(read_back.signature.inputs, order, strict=True)}
    expected = expected_of(model, values)
    close(engine.tensorflow(read_back, fed), expected)
    close(engine.run(read_back, [fed])[0], expected)
    if make is table.depthwise:
        assert "PRELU" in used(file)


@pytest.mark.parametrize(
    ("how", "least", "scale"), [("weights", 0, 1), ("float16", 0, 1), ("uint8", 0, 255), ("int8", -128, 1)]
)
def test_quantized_networks(how: str, least: int, scale: int, tmp_path: Path) -> None:
    """The input of a file of uint8 takes 0 to 255, that of int8 what the floats took, 0 to 1 here."""
    file, model = keras_file(table.cnn, how)
    read_back = read(file, tmp_path)
    quantized = how in ("uint8", "int8")
    ends = read_back.signature.inputs[0].range
    assert (ends is None) == (not quantized)
    if ends is not None:
        np.testing.assert_allclose(ends, (0, scale), atol=0.01)
    random = np.random.default_rng(8)
    for _ in range(4):
        picture = pixels(random, model)
        stored = np.round(picture * 255) + least if quantized else picture
        (expected,) = interpreted(file, [stored])
        (result,) = computed(read_back, [picture * scale])
        assert np.abs(result - expected).max() < 0.03
        # Real numbers throughout are no farther from the model before it was quantized.
        (before,) = expected_of(model, [picture])
        assert np.abs(result - before).max() < 0.02
    kernels = [name for name, value in read_back.weights.items() if value.ndim > 1 and value.size > 50]
    assert kernels
    # TensorFlow Lite leaves small weights as they are where it quantizes nothing else.
    assert grids.find(read_back).keys() >= set(kernels if quantized else ())


def test_weights_arrive_exactly(tmp_path: Path) -> None:
    """Each weight of 8 bits is in the page what it is in the file, and takes less than a byte."""
    file, _ = keras_file(table.cnn, "int8")
    model = read(file, tmp_path)
    cache = Cache(tmp_path / "cache")
    stored = store.save(model, cache)
    loaded = store.load(stored, cache)
    assert {name: steps.tolist() for name, steps in loaded.steps.items()} == {
        name: steps.tolist() for name, steps in model.steps.items()
    }
    packed = codec.pack(stored, "auto", {}, {}, cache)
    short, _ = rename.short(loaded)
    values = container.read(chunks.payload(packed["weights"], cache))
    for name, value in short.weights.items():
        np.testing.assert_array_equal(values[name], value)
    # What the page's engine reads is the same.
    (name,) = (spec.name for spec in model.signature.inputs)
    given = [{name: np.random.default_rng(1).uniform(0, 1, (1, 9, 8, 3)).astype(np.float32)}]
    coded = engine.run(short, given, chunks.payload(packed["weights"], cache))
    for ours, theirs in zip(coded[0], engine.run(short, given)[0], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    held = codec.pack(stored, "uint8", {}, {}, cache)
    assert held["weight_bytes"] < packed["weight_bytes"]
    # A pattern of the page's goes before.
    kernel = max(model.steps, key=lambda each: model.weights[each].size)
    fixed = codec.pack(stored, "auto", {kernel: "float16"}, {}, cache)
    assert {row[0]: row[2] for row in fixed["layers"]}[kernel] == 2 * model.weights[kernel].size


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (
            lambda: converted(lambda x: tf.while_loop(lambda y: y < 9.0, lambda y: y + tf.abs(x), [x])[0], floats()),
            Options(),
            r'the node "[^"]+" is a WHILE, which cannot be read',
        ),
        (
            lambda: converted(lambda x: tf.linalg.cholesky(tf.eye(3) + x), floats(3, 3)),
            Options(),
            r'the node "[^"]+" is the custom operation FlexCholesky, which cannot be read',
        ),
        (lambda: detector(), Options(outputs=("nowhere",)), 'the graph has no node "nowhere"'),
        (lambda: detector(), Options(signature="other"), 'the model has no signature "other"'),
    ],
    ids=["loop", "custom", "outputs", "signature"],
)
def test_what_cannot_be_read(make: Callable[[], bytes], options: Options, message: str, tmp_path: Path) -> None:
    with pytest.raises(SitegenError) as caught:
        read(make(), tmp_path, options)
    assert re.fullmatch(message, caught.value.what)


ANCHORS = 63


def detector(regular: bool = True) -> bytes:
    """A file of one convolution for each head, with three classes and a background."""
    random = np.random.default_rng(5)
    kernels = [tf.constant(random.normal(0, 0.5, (1, 1, 3, 4)), tf.float32) for _ in range(2)]
    centers = np.concatenate([random.uniform(0.2, 0.8, (ANCHORS, 2)), random.uniform(0.1, 0.3, (ANCHORS, 2))], 1)
    numbers = {
        "i": {"max_detections": 20, "max_classes_per_detection": 1, "detections_per_class": 8, "num_classes": 3},
        "f": {"nms_score_threshold": 0.3, "nms_iou_threshold": 0.4},
        "b": {"use_regular_nms": str(regular).lower()},
    }
    numbers["f"] |= {"y_scale": 10, "x_scale": 10, "h_scale": 5, "w_scale": 5}
    told = [
        f'attr {{ key: "{key}" value {{ {kind}: {value} }} }}'
        for kind, own in numbers.items()
        for key, value in own.items()
    ]

    @tf.function(experimental_implements=f'name: "{detection.NAME}" ' + " ".join(told))
    def picked(codes: Any, scores: Any, anchors: Any) -> Any:
        return [tf.constant(0.0) for _ in range(4)]

    def function(x: Any) -> Any:
        heads = [tf.reshape(tf.nn.conv2d(x, kernel, 1, "SAME"), [1, ANCHORS, 4]) for kernel in kernels]
        codes, scores = tf.identity(heads[0], "codes"), tf.sigmoid(heads[1], "scores")
        return picked(codes, scores, tf.constant(centers, tf.float32))

    return converted(function, COLOURS)


# What README says of the published files: file, side of the picture, what the file and the graph take of pixels.
Scale = Callable[[NDArray[Any]], NDArray[Any]]
PUBLISHED: dict[str, tuple[int, Scale, Scale]] = {
    "vww96_float": (96, lambda x: x / 255, lambda x: x / 255),
    "vww96_int8": (96, lambda x: x - 128, lambda x: x / 255),
    "resnet8_cifar10_int8": (32, lambda x: x - 128, lambda x: x),
    "mobilenet_v2_1.0_224_quant": (224, lambda x: x, lambda x: x),
    "deeplabv3_mnv2_dm05_pascal_quant": (513, lambda x: x, lambda x: x),
    "movenet_single_pose_lightning_ptq": (192, lambda x: x, lambda x: x),
}


@pytest.fixture(scope="module")
def models(shared: Path) -> dict[str, GraphModel]:
    return {name: engine.load(shared / f"models/{name}.tflite") for name in PUBLISHED}


def both(shared: Path, models: dict[str, GraphModel], name: str, picture: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """What the interpreter gives of a picture, and what TensorFlow computes of the graph that was read."""
    side, theirs, ours = PUBLISHED[name]
    with Image.open(shared / "samples" / picture) as image:
        given = np.round(tf.image.resize(np.asarray(image.convert("RGB")), (side, side)).numpy())[None]
    spec = models[name].signature.inputs[0]
    (expected,) = interpreted((shared / f"models/{name}.tflite").read_bytes(), [theirs(given)])
    (result,) = engine.tensorflow(models[name], {spec.name: ours(given).astype(spec.dtype)})
    return expected, result


PICTURES = ("parrot.jpg", "hot_dog.jpg", "cat_720p.jpg", "pets.jpg", "kite_and_cold.jpg")


@pytest.mark.parametrize("picture", PICTURES)
def test_a_published_classifier(picture: str, shared: Path, models: dict[str, GraphModel]) -> None:
    labels = (shared / "labels/imagenet_labels.txt").read_text().splitlines()
    best = ("macaw", "hotdog", "Egyptian cat", "Boston bull", "sandbar")[PICTURES.index(picture)]
    expected, result = both(shared, models, "mobilenet_v2_1.0_224_quant", picture)
    assert labels[int(result.argmax())].startswith(best)
    assert np.abs(result - expected).max() < 0.05


@pytest.mark.parametrize("picture", PICTURES[::2])
def test_a_published_model_and_its_quantized_one(picture: str, shared: Path, models: dict[str, GraphModel]) -> None:
    exact, ours = both(shared, models, "vww96_float", picture)
    assert np.abs(exact - ours).max() < 1e-5
    coarse, near = both(shared, models, "vww96_int8", picture)
    assert np.abs(coarse - near).max() < 0.03
    # Both models say the same, and what was not rounded on the way is no farther from the floats.
    assert near.argmax() == exact.argmax()
    assert np.abs(near - exact).max() < 0.03


def test_a_published_network_beside_its_keras_file(shared: Path, models: dict[str, GraphModel]) -> None:
    before = engine.load(shared / "models/resnet8_cifar10.h5")
    name = before.signature.inputs[0].name
    for picture in PICTURES:
        _, result = both(shared, models, "resnet8_cifar10_int8", picture)
        with Image.open(shared / "samples" / picture) as image:
            given = np.round(tf.image.resize(np.asarray(image.convert("RGB")), (32, 32)).numpy())[None]
        (floats_,) = engine.tensorflow(before, {name: given})
        assert result.argmax() == floats_.argmax()
        assert np.abs(result - floats_).max() < 0.1


@pytest.mark.parametrize("picture", ["parrot.jpg", "pets.jpg"])
def test_a_published_map(picture: str, shared: Path, models: dict[str, GraphModel]) -> None:
    expected, result = both(shared, models, "deeplabv3_mnv2_dm05_pascal_quant", picture)
    assert result.shape == (1, 513, 513)
    assert (expected == result).mean() > 0.98
    assert len(np.unique(result)) > 1


def test_published_key_points(shared: Path, models: dict[str, GraphModel]) -> None:
    expected, result = both(shared, models, "movenet_single_pose_lightning_ptq", "max/object/dog-human.jpg")
    sure = (expected[0, 0, :, 2] > 0.3) & (result[0, 0, :, 2] > 0.3)
    assert sure.sum() >= 10
    assert np.abs(expected - result)[0, 0, sure, :2].max() < 0.02


@pytest.mark.parametrize("name", [*PUBLISHED][:4])
def test_published_models_run_in_pages(name: str, shared: Path, models: dict[str, GraphModel]) -> None:
    """With a plan, to TensorFlow's numbers. The two large ones are built into pages elsewhere."""
    model = models[name]
    side = PUBLISHED[name][0]
    spec = model.signature.inputs[0]
    low, high = spec.range or (0, 1)
    given = {spec.name: np.random.default_rng(0).uniform(low, high, (1, side, side, 3)).astype(np.float32)}
    plan = engine.recorded(model, given)
    assert plan.file is not None, plan.why
    close(engine.run(model, [given], plan=plan.file)[0], engine.tensorflow(model, given))
