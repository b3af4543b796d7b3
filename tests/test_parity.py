"""The numbers that a page computes are those that Python computes, whatever file the model came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from sitegen.models.options import Options
from sitegen.records import GraphModel
from tests.parity import engine, table
from tests.parity.chromium import Arena, shaped

RTOL = ATOL = 1e-4


def close(actual: list[NDArray[Any]], expected: list[NDArray[Any]], rtol: float = RTOL, atol: float = ATOL) -> None:
    """Asserts that every output has the shape and, nearly, the numbers that it should."""
    assert [a.shape for a in actual] == [e.shape for e in expected]
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=rtol, atol=atol)


def same(actual: list[NDArray[Any]], expected: list[NDArray[Any]]) -> None:
    """Asserts that two engines come to the same bits."""
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, e)


def expected_of(model: keras.Model, values: list[Any]) -> list[NDArray[Any]]:
    """What Keras computes, as a list of outputs."""
    made = model(values if len(values) > 1 else values[0], training=False)
    return [np.asarray(output) for output in (made if isinstance(made, list | tuple) else [made])]


def randomized(model: keras.Model) -> keras.Model:
    """The model with no weight at its initial value: a batch norm of ones and zeros would hide what is lost."""
    random = np.random.default_rng(3)
    model.set_weights(
        [np.abs(random.normal(0.5, 0.2, w.shape)) + 0.1 if "variance" in v.path else random.normal(0, 0.4, w.shape)
         for v, w in zip(model.weights, model.get_weights(), strict=True)]
    )  # fmt: skip
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("make", table.GENERATED, ids=lambda make: make.__name__)
def test_generated(make: Callable[[], keras.Model], suffix: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = make()
    if make not in (table.preprocessing, table.embedding):
        model = randomized(model)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    converted = engine.load(path)
    random = np.random.default_rng(2)
    # Two batches of different size: a model must not remember the first.
    batches = [table.inputs_of(model, random, batch) for batch in (1, 3)]
    names = [spec.name for spec in converted.signature.inputs]
    order = [_position(model, name) for name in names]
    runs = [{name: batch[at] for name, at in zip(names, order, strict=True)} for batch in batches]
    results = engine.run(converted, runs)
    loose = 4e-3 if make is table.mixed_precision else RTOL
    for result, batch in zip(results, batches, strict=True):
        close(result, expected_of(model, batch), rtol=loose, atol=loose)
    if suffix == ".keras":
        made = engine.recorded(converted, runs[0])
        assert (made.file is None) == (make in table.LOOPS), made.why
        if made.file is not None:
            same(engine.run(converted, [runs[0]], plan=made.file)[0], results[0])


def _position(model: keras.Model, name: str) -> int:
    """Which of the model's inputs a tensor of the graph is."""
    if len(model.inputs) == 1:
        return 0
    return [tensor.name for tensor in model.inputs].index(name.partition(":")[0])


def test_outputs_can_be_chosen(tmp_path: Path) -> None:
    model = randomized(table.multi_output())
    model.save(tmp_path / "model.keras")
    whole = engine.load(tmp_path / "model.keras")
    wanted = [whole.signature.outputs[n].name for n in (11, 2)]
    part = engine.load(tmp_path / "model.keras", Options(outputs=tuple(wanted)))
    assert len(part.weights) < len(whole.weights)
    value = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    (result,) = engine.run(part, [{part.signature.inputs[0].name: value}])
    expected = expected_of(model, [value])
    close(result, [expected[11], expected[2]])


@pytest.mark.parametrize(
    ("name", "reference", "shape", "low", "high", "outputs"), table.PUBLISHED, ids=[row[0] for row in table.PUBLISHED]
)
def test_published(
    name: str,
    reference: str,
    shape: tuple[int, ...],
    low: float,
    high: float,
    outputs: tuple[str, ...],
    shared: Path,
    tmp_path: Path,
) -> None:
    path = shared / "models" / name
    converted = engine.load(path, Options(outputs=outputs))
    random = np.random.default_rng(4)
    values = [random.uniform(low, high, shape).astype(np.float32) for _ in range(2)]
    (tensor,) = (spec.name for spec in converted.signature.inputs)
    inputs = [{tensor: value} for value in values]
    results = engine.run(converted, inputs)
    plan = engine.recorded(converted, inputs[0])
    for result, planned in zip(results, engine.run(converted, inputs, plan=plan.file), strict=True):
        same(planned, result)
    assert plan.file is not None, plan.why
    for result, value in zip(results, values, strict=True):
        expected = REFERENCES[reference](path, converted, tensor, value)
        scale = max(float(np.abs(e).max()) for e in expected)
        close(result, expected, atol=ATOL * max(1.0, scale))


def _with_keras(path: Path, converted: GraphModel, tensor: str, value: NDArray[Any]) -> list[NDArray[Any]]:
    return expected_of(keras.saving.load_model(path, compile=False), [value])


def _with_tf_keras(path: Path, converted: GraphModel, tensor: str, value: NDArray[Any]) -> list[NDArray[Any]]:
    import tf_keras

    assert "read by tf_keras" in converted.notes[0]
    return [tf_keras.models.load_model(path, compile=False).predict(value, verbose=0)]


def _with_saved_model(path: Path, converted: GraphModel, tensor: str, value: NDArray[Any]) -> list[NDArray[Any]]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return [output.numpy() for output in loaded.signatures["serving_default"](tf.constant(value)).values()]


def _with_graph(path: Path, converted: GraphModel, tensor: str, value: NDArray[Any]) -> list[NDArray[Any]]:
    return engine.tensorflow(converted, {tensor: value})


REFERENCES = {
    "keras": _with_keras,
    "tf_keras": _with_tf_keras,
    "saved_model": _with_saved_model,
    "graph": _with_graph,
}


# Models that stand for what engines do differently: convolutions, loops, integers, several inputs, control flow.
IN_CHROMIUM = (table.cnn, table.long_sequence, table.embedding, table.multi_input, table.attention)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with Arena(tmp_path_factory.mktemp("arena")) as made:
        yield made


@pytest.mark.parametrize("make", IN_CHROMIUM, ids=lambda make: make.__name__)
def test_generated_in_chromium(make: Callable[[], keras.Model], arena: Arena, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = randomized(make())
    model.save(tmp_path / "model.keras")
    converted = engine.load(tmp_path / "model.keras")
    values = table.inputs_of(model, np.random.default_rng(2), 2)
    names = [spec.name for spec in converted.signature.inputs]
    given = dict(zip(names, values, strict=True))
    arena.enter(make.__name__, converted, [given])
    expected = expected_of(model, values)
    close(shaped(arena.run(make.__name__), expected), expected)
    plan = engine.recorded(converted, given).file
    if plan is not None:
        arena.enter(f"plan of {make.__name__}", converted, [given], plan=plan)
        close(shaped(arena.run(f"plan of {make.__name__}"), expected), expected)


@pytest.mark.parametrize("picture", ["kite_and_cold.jpg", "max/object/dog-human.jpg", "max/object/baby-bear.jpg"])
def test_detections_in_a_photograph_in_chromium(picture: str, shared: Path, arena: Arena) -> None:
    """CenterNet's whole graph, its own list of detections: on a photograph there are no ties among the best."""
    from PIL import Image

    converted = engine.load(shared / "models/centernet_tfjs/centernet.json")
    with Image.open(shared / "samples" / picture) as image:
        pixels = np.asarray(image.convert("RGB").resize((512, 512)), np.float32)[None]
    (name,) = (spec.name for spec in converted.signature.inputs)
    arena.enter(picture, converted, [{name: pixels}])
    index = [spec.name for spec in converted.signature.outputs].index("tower_0/detections")
    expected = engine.tensorflow(converted, {name: pixels})
    found = shaped(arena.run(picture), expected)[index][0]
    # Columns: xmin, ymin, xmax, ymax in pixels, class, score.
    sure = int((expected[index][0][:, -1] > 0.3).sum())
    assert sure > 0
    np.testing.assert_allclose(found[:sure], expected[index][0][:sure], rtol=1e-3, atol=1e-3)
