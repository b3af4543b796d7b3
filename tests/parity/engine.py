"""Runs a converted model in the engine that pages ship, under Node, and in TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen import models
from sitegen import plan as plans
from sitegen.graph import fold, plain
from sitegen.models.options import Options
from sitegen.records import GraphModel
from sitegen.weights import container, engine, quantize
from sitegen.weights.engine import Inputs


def load(path: Path, options: Options | None = None) -> GraphModel:
    """Reads a model file as the build does, in this process."""
    found = next(format for format in models.FORMATS if format.sniff(path))
    assert found.check(path) is None
    return fold.fold(found.load(path, options or Options()))


def exact(model: GraphModel) -> bytes:
    """A weights file of the model's own numbers."""
    return container.write(quantize.tensors(model, "none"))


def run(
    model: GraphModel, inputs: Inputs, weights: bytes | None = None, plan: bytes | None = None
) -> list[list[NDArray[Any]]]:
    """The outputs of every run, in the signature's order; `inputs` are by tensor name, `weights` is a weights file.

    With a plan it is the plan engine that runs. No run may leave tensors behind.
    """
    (runs,) = engine.run(model, [weights or exact(model)], inputs, plan)
    # The first run may leave constants behind; after that the number of tensors must not grow.
    assert len({run.tensors for run in runs[1:]}) <= 1
    return [run.outputs for run in runs]


def recorded(model: GraphModel, given: Mapping[str, NDArray[Any]], weights: bytes | None = None) -> plans.Recorded:
    """The plan for inputs of the shape of some; those of no fixed rank are numbers."""
    shapes = {name: list(np.shape(value)) for name, value in given.items()}
    return plans.record(model, weights or exact(model), shapes)


def tensorflow(model: GraphModel, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """What TensorFlow computes from the same graph, its fused nodes taken apart: for models that only TF.js reads."""
    import tensorflow as tf

    graph_def = plain.graph_def(model)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph_def, name="")
        feeds = {name if ":" in name else f"{name}:0": value for name, value in inputs.items()}
        ends = [name if ":" in name else f"{name}:0" for name in model.ends]
        results: list[NDArray[Any]] = session.run(ends, feeds)
    return results
