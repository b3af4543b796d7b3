"""C3D (Tran et al., 2015) as IBM's Model Asset Exchange publishes it, but for its weights, which are seeded noise.

    python -m tests.c3d FOLDER

It is a SavedModel of TensorFlow 1: reference variables, a batch that is baked into placeholder and reshape, the
signature `serving_default` from `inputs` to `scores`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Convolutions before each pooling.
BLOCKS = (1, 1, 2, 2, 2)
# Inputs are some 60 away from 0.
INPUT_SCALE = 1 / 64


@dataclass(frozen=True)
class Size:
    """The published one; its 80 M parameters are 320 MB. `side` is of a frame, `filters` of a block's convolutions."""

    batch: int = 10
    frames: int = 16
    side: int = 112
    filters: tuple[int, ...] = (64, 128, 256, 512, 512)
    dense: int = 4096
    classes: int = 487


# Takes what the published one takes and gives what it gives, in no time.
THIN = Size(filters=(4, 4, 8, 8, 8), dense=16)


def write(folder: Path, size: Size = Size(), *, transposed: bool = False, seed: int = 1) -> None:
    """Writes the SavedModel; with `transposed`, channels come before rows and columns in what the dense layers take."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    random = np.random.default_rng(seed)
    values: list[tuple[object, NDArray[np.float32]]] = []

    def variable(name: str, shape: tuple[int, ...], scale: float) -> object:
        made = tf1.get_variable(name, shape, initializer=tf1.zeros_initializer(), use_resource=False)
        values.append((made, random.standard_normal(shape, np.float32) * np.float32(scale)))
        return made

    def convolved(name: str, x: object, filters: int) -> object:
        shape = (3, 3, 3, x.shape[4], filters)
        # He et al. (2015): what goes on has the variance of what came.
        scale = np.sqrt(2 / (27 * shape[3])) * (INPUT_SCALE if shape[3] == 3 else 1)
        kernel, bias = variable(f"w{name}", shape, scale), variable(f"b{name}", (filters,), 0.05)
        return tf.nn.relu(tf.nn.bias_add(tf.nn.conv3d(x, kernel, [1] * 5, "SAME"), bias))

    def product(name: str, x: object, units: int, gain: float) -> object:
        shape = (x.shape[1], units)
        kernel, bias = variable(f"w{name}", shape, np.sqrt(gain / shape[0])), variable(f"b{name}", (units,), 0.05)
        return tf.matmul(x, kernel) + bias

    graph = tf.Graph()
    with graph.as_default(), tf1.Session(graph=graph) as session:
        x = given = tf1.placeholder(tf.float32, (size.batch, size.frames, size.side, size.side, 3), "inputs")
        for block, (count, filters) in enumerate(zip(BLOCKS, size.filters, strict=True), 1):
            for index in range(count):
                x = convolved(f"c{block}{'ab'[index] if count > 1 else ''}", x, filters)
            deep = 1 if block == 1 else 2
            x = tf.nn.max_pool3d(x, [1, deep, 2, 2, 1], [1, deep, 2, 2, 1], "SAME")
        if transposed:
            x = tf.transpose(x, [0, 1, 4, 2, 3])
        x = tf.reshape(x, [size.batch, int(np.prod(x.shape[1:]))])
        x = tf.nn.relu(product("d1", x, size.dense, 2))
        x = tf.nn.relu(product("d2", x, size.dense, 2))
        scores = tf.nn.softmax(product("out", x, size.classes, 2), name="scores")
        for made, value in values:
            made.load(value, session)
        builder = tf1.saved_model.Builder(str(folder))
        signature = tf1.saved_model.predict_signature_def({"inputs": given}, {"scores": scores})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()


def preprocessed(frames: Sequence[NDArray[np.uint8]], mean: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A clip [1, frames, side, side, 3] of pictures [height, width, 3], as the published code has it but for rounding.

    Source: process_frames in IBM/MAX-Sports-Video-Classifier, core/model.py, where OpenCV's INTER_LINEAR scales.
    """
    made = []
    for frame in frames:
        height, width, _ = frame.shape
        size = (side, int(width * (side / height) + 1)) if width > height else (int(height * (side / width) + 1), side)
        scaled = frame.astype(np.float64)
        for axis in (0, 1):
            scaled = _bilinear(scaled, _places(frame.shape[axis], size[axis]), axis)
        top, left = ((length - side) // 2 for length in size)
        made.append(scaled[top : top + side, left : left + side])
    return (np.stack(made) - mean).astype(np.float32)[None]


def _places(before: int, after: int) -> NDArray[np.float64]:
    """Where pixels are looked at along an axis, counted from the middle of the first."""
    places: NDArray[np.float64] = (np.arange(after) + 0.5) * before / after - 0.5
    return places.clip(0, before - 1)


def _bilinear(picture: NDArray[np.float64], places: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    below = np.minimum(np.floor(places).astype(int), picture.shape[axis] - 2)
    share = (places - below).reshape([-1 if each == axis else 1 for each in range(3)])
    mixed: NDArray[np.float64] = picture.take(below, axis) * (1 - share) + picture.take(below + 1, axis) * share
    return mixed


if __name__ == "__main__":
    write(Path(sys.argv[1]))
