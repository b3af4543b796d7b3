"""The task image-classification: groups of classes, and maps of what speaks for one, as Python computes them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.graph import activations, fold, plain
from sitegen.models import export
from sitegen.records import GraphModel
from tests import scripts

layers = keras.layers
RESULT = "widgets/image-classification/result.ts"


def dense(**options: Any) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, **options),
        ]
    )


def pointwise() -> keras.Model:
    """As MobileNet ends: the average keeps its axes, and a convolution of size 1 weighs it."""
    x = keras.Input((12, 10, 3))
    y = layers.GlobalAveragePooling2D(keepdims=True)(layers.Conv2D(8, 3, activation="relu")(x))
    return keras.Model(x, layers.Softmax()(layers.Reshape((5,))(layers.Conv2D(5, 1)(y))))


def mapped(model: keras.Model) -> tuple[GraphModel, NDArray[np.float32], NDArray[np.float32]]:
    """The graph with maps of classes, and what they and the scores are of noise."""
    made = activations.add(fold.fold(export.export(model, ())))
    picture = np.random.default_rng(1).normal(size=(1, 12, 10, 3)).astype(np.float32)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(plain.graph_def(made), name="")
        scores, maps = session.run(list(made.ends), {made.signature.inputs[0].name: picture})
    assert np.allclose(scores, model.predict(picture, verbose=0), atol=1e-5)
    return made, maps, scores


@pytest.mark.parametrize(
    "model", [dense, lambda: dense(activation="softmax"), lambda: dense(use_bias=False), pointwise]
)
def test_logits_are_means_of_maps(model: Any) -> None:
    keras.utils.set_random_seed(1)
    network = model()
    last = next(layer for layer in reversed(network.layers) if layer.weights)
    if last.use_bias:
        last.bias.assign(np.random.default_rng(2).normal(size=5))
    made, maps, scores = mapped(network)
    logits = maps.mean((1, 2)) + (np.array(last.bias) if last.use_bias else 0)
    ends_in_logits = np.abs(scores.sum() - 1) > 1e-4
    powers = np.exp(logits - logits.max())
    assert np.allclose(scores, logits if ends_in_logits else powers / powers.sum(), atol=1e-5)
    assert maps.shape == (1, 10, 8, 5)
    # The weights are the layer's own: none are added.
    assert sum(value.size for value in made.weights.values() if value.dtype.kind == "f") <= network.count_params()
    assert [spec.name for spec in activations.apart(made).signature.outputs] == [made.ends[0]]


@pytest.mark.parametrize(
    "head",
    [
        [layers.Flatten(), layers.Dense(3)],
        [layers.GlobalAveragePooling2D()],
        [layers.GlobalMaxPooling2D(), layers.Dense(3)],
        [layers.GlobalAveragePooling2D(), layers.Dense(4, activation="relu"), layers.Dense(3)],
        [layers.GlobalAveragePooling2D(), layers.Dense(3, activation="relu")],
    ],
    ids=["flat", "no product", "maximum", "two products", "rectified"],
)
def test_other_heads_have_no_maps(head: list[Any]) -> None:
    model = keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2D(4, 3), *head])
    with pytest.raises(SitegenError, match="networks that end in a mean over all places") as caught:
        activations.add(fold.fold(export.export(model, ())))
    assert caught.value.key == "output.heatmap"


def test_a_map_is_told_from_its_least_to_its_most() -> None:
    maps = np.random.default_rng(1).normal(size=(1, 2, 3, 4)).astype(np.float32)
    body = """
      const maps = { dtype: 'float32', shape: [1, 2, 3, 4], data: given };
      return [0, 3].map((kind) => ({ ...script.heatOf(maps, kind), values: [...script.heatOf(maps, kind).values] }));
    """
    for kind, found in zip((0, 3), scripts.call(RESULT, body, maps.ravel().tolist()), strict=True):
        values = maps[0, ..., kind]
        assert (found["height"], found["width"]) == (2, 3)
        expected = (values - values.min()) / (values.max() - values.min())
        assert np.allclose(np.reshape(found["values"], (2, 3)), expected, atol=1e-6)


def test_of_one_score_the_map_is_for_or_against() -> None:
    body = """
      const maps = { dtype: 'float32', shape: [1, 1, 3, 1], data: [1, 2, 5] };
      const flat = { dtype: 'float32', shape: [1, 1, 2, 1], data: [7, 7] };
      return [[maps, 1], [maps, 0], [flat, 1]].map(([one, kind]) => [...script.heatOf(one, kind).values]);
    """
    assert scripts.call(RESULT, body, None) == [[0, 0.25, 1], [1, 0.75, 0], [0, 0]]


@pytest.mark.parametrize(
    ("at", "told"),
    [((0, 0), "top left"), ((0, 3), "top"), ((3, 6), "right"), ((6, 0), "bottom left"), ((3, 3), "middle")],
)
def test_where_the_most_is(at: tuple[int, int], told: str) -> None:
    values = np.zeros((7, 7))
    values[at] = 1
    body = "return script.whereMost({ width: 7, height: 7, values: new Float32Array(given) });"
    assert scripts.call(RESULT, body, values.ravel().tolist()) == told


def test_groups_are_sums() -> None:
    scores = [{"index": index, "label": "abc"[index], "value": value} for index, value in enumerate([0.5, 0.25, 0.125])]
    groups = {"names": ["x", "y", "none of them"], "of": [0, 1, 0]}
    found = scripts.call(
        RESULT, "return script.grouped(given.scores, given.groups);", {"scores": scores, "groups": groups}
    )
    assert [(one["label"], one["value"]) for one in found] == [("x", 0.625), ("y", 0.25), ("none of them", 0)]
