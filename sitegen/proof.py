"""What a page proves itself with: inputs that anybody can make, and what TensorFlow computes from them.

Inputs are made of bytes by a rule (`given`; runtime/src/shared/golden.ts has it too), so that none are shipped. Of each
output some numbers are: the float model's, and those of the model with the weights that pages get. The build has the
engine that ships compute them under Node, and so does the page on a visitor's device, when asked.

Runs in the worker process.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError, first_line
from sitegen.graph import aside, plain
from sitegen.models import store
from sitegen.records import GraphModel, Signature, TensorSpec
from sitegen.weights import container, engine

_VERSION = 1
_SEEDS = (1, 2)
_NUMBERS = 256  # of each output that are shipped, at most
_CELLS = 8  # a picture is this many coloured boxes high and wide
# Of the largest number of an output, or of 1 where that is more.
TOLERANCE = 1e-4

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Proof:
    """The file for the page; how far the engine was from TensorFlow, and the float model from what pages compute.

    Both are the largest difference of any number next to the largest of its output, or to 1 where that is more.
    """

    file: bytes
    engine: float
    quantized: float


def prove(
    model: GraphModel,
    weights: bytes,
    planned: bytes | None,
    shapes: Mapping[str, Sequence[int]],
    image: Mapping[str, Any] | None,
) -> Proof:
    """Proves a model with a weights file, by its plan if it has one. `image` is what `given` takes.

    Raises SitegenError where the engine computes other numbers than TensorFlow, LookupError where TensorFlow cannot
    compute the model.
    """
    runs = [given(shapes, model.signature, image, seed) for seed in _SEEDS]
    exact = _tensorflow(model, runs)
    coded = _tensorflow(replace(model, weights={**model.weights, **container.read(weights)}), runs)
    outputs = tuple(TensorSpec(end, "float32", ()) for end in model.ends)
    bare = replace(model, detection=None, signature=Signature(model.signature.inputs, outputs))
    (found,) = engine.run(bare, [weights], runs, planned)
    told, apart, lost = [], 0.0, 0.0
    for seed, floats, expected, run in zip(_SEEDS, exact, coded, found, strict=True):
        told.append({"seed": seed, "outputs": dict(zip(model.ends, map(_told, floats, expected), strict=True))})
        for end, before, after, computed in zip(model.ends, floats, expected, run.outputs, strict=True):
            difference = _apart(after, computed)
            if not difference <= TOLERANCE:
                what = f"the engine of pages computes other numbers than TensorFlow: {end} is {difference:.0e} off"
                raise SitegenError(what, hint="model.outputs can end the graph before what differs")
            apart, lost = max(apart, difference), max(lost, _apart(before, after))
    file = {"version": _VERSION, "shapes": {name: list(shape) for name, shape in shapes.items()}, "runs": told}
    return Proof(json.dumps(file, separators=(",", ":")).encode(), apart, lost)


def given(
    shapes: Mapping[str, Sequence[int]], signature: Signature, image: Mapping[str, Any] | None, seed: int
) -> dict[str, NDArray[Any]]:
    """One input of each name, the same for the same seed, on every machine.

    Pictures [1, height, width, channels] are boxes with noise over them, of whole numbers in 0..255, and go through the
    page's arithmetic, `image`: scale, mean, std, invert. Other floats are in 0..1, integers and booleans 0 or 1.
    """
    numbers = _Bytes(seed)
    return {spec.name: _input(spec, shapes[spec.name], image, numbers) for spec in signature.inputs}


def _input(
    spec: TensorSpec, shape: Sequence[int], image: Mapping[str, Any] | None, numbers: _Bytes
) -> NDArray[np.generic]:
    if spec.dtype != "float32":
        return (numbers.take(math.prod(shape)) & 1).astype(store.DTYPES[spec.dtype]).reshape(shape)
    if image is None:
        return (numbers.take(math.prod(shape)) / 255).astype(np.float32).reshape(shape)
    _, height, width, channels = shape
    boxes = numbers.take(_CELLS * _CELLS * channels).reshape(_CELLS, _CELLS, channels)
    rows, columns = np.arange(height) * _CELLS // height, np.arange(width) * _CELLS // width
    noise = numbers.take(height * width * channels).reshape(height, width, channels)
    pixels = ((3 * boxes[rows][:, columns] + noise) >> 2).astype(np.float64)
    shown = 255 - pixels if image["invert"] else pixels
    scaled = (shown * image["scale"] - np.array(image["mean"])) / np.array(image["std"])
    whole: NDArray[np.float32] = scaled.astype(np.float32)[None]
    return whole


class _Bytes:
    """The high bytes of a linear congruential generator modulo 2^32 (Numerical Recipes' multiplier and increment)."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def take(self, count: int) -> NDArray[np.int64]:
        """The next numbers, 0..255."""
        # Jumps: the state after n steps is a^n s + c (a^n - 1) / (a - 1), whose factors are running sums.
        powers = np.cumprod(np.full(count, 1664525, np.uint32), dtype=np.uint32)
        sums = np.cumsum(np.concatenate([[np.uint32(1)], powers[:-1]]), dtype=np.uint32)
        states = powers * np.uint32(self._state) + np.uint32(1013904223) * sums
        if count:
            self._state = int(states[-1])
        return (states >> np.uint32(24)).astype(np.int64)


def _tensorflow(model: GraphModel, runs: Sequence[Arrays]) -> list[list[NDArray[Any]]]:
    """The model's ends for each run, as TensorFlow computes them."""
    import tensorflow as tf

    nodes = {node["name"] for node in model.topology["node"]}
    # Fed, not part of the graph, of which TensorFlow makes several copies.
    large = {n: v for n, v in model.weights.items() if n in nodes and v.dtype.kind == "f" and v.size >= aside.LEAST}
    graph = tf.Graph()
    try:
        with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
            tf.import_graph_def(plain.graph_def(model, waiting=large), name="")
            ends = [_whole(end) for end in model.ends]
            fed = [{_whole(name): value for name, value in (*large.items(), *run.items())} for run in runs]
            return [session.run(ends, each) for each in fed]
    except (ValueError, TypeError, tf.errors.OpError) as error:
        # Of a graph that it has no operation for, or cannot run; it goes on with the name of the machine.
        raise LookupError(first_line(error).partition(" in binary running on ")[0]) from error


def _whole(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _apart(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """The largest difference next to the largest number; infinite where they are not of one size."""
    if expected.size != found.size:
        return math.inf
    if not expected.size:
        return 0.0
    a, b = expected.astype(np.float64).ravel(), found.astype(np.float64).ravel()
    return float(np.abs(a - b).max() / max(1.0, float(np.abs(a).max())))


def _told(floats: NDArray[Any], coded: NDArray[Any]) -> dict[str, Any]:
    """What is shipped of an output: every so many numbers; an odd distance does not stay in one channel of many."""
    every = -(-floats.size // _NUMBERS) | 1
    largest = max(1.0, float(np.abs(coded.astype(np.float64)).max())) if coded.size else 1.0
    numbers = {"float": floats, "coded": coded}
    picked = {key: [float(f"{value:.7g}") for value in array.ravel()[::every]] for key, array in numbers.items()}
    return {"size": floats.size, "every": every, "largest": largest, **picked}
