"""Small single-shot detectors with random weights, built as the TensorFlow Object Detection API builds its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import graph_pb2
from tensorflow.python.ops import control_flow_util

from sitegen.graph import ssd

CLASSES = 3
TOTAL = 12
_SIDE = (24, 32)  # what pictures are resized to
_RATIOS = (1.0, 2.0)


@contextmanager
def loops(new: bool) -> Iterator[None]:
    """Loops are functions (TensorFlow 2), or made of Enter, Switch and Exit (TensorFlow 1)."""
    before = control_flow_util.ENABLE_CONTROL_FLOW_V2
    control_flow_util.ENABLE_CONTROL_FLOW_V2 = new
    try:
        yield
    finally:
        control_flow_util.ENABLE_CONTROL_FLOW_V2 = before


def detector(
    new_loops: bool = True,
    suppression: str = "V5",
    converter: Callable[[Any], Any] = tf.sigmoid,
    agnostic: bool = False,
    score: float = 0.2,
    endless: bool = False,
) -> Any:
    """A GraphDef with the API's four outputs.

    `agnostic` suppresses over all classes at once; an `endless` one loops for ever before it begins.
    """
    graph = tf.Graph()
    with graph.as_default(), loops(new_loops):
        random = np.random.default_rng(4)
        pictures = tf.compat.v1.placeholder(tf.uint8, [None, None, None, 3], "image_tensor")
        resized = tf.map_fn(
            lambda picture: tf.compat.v1.image.resize_bilinear(picture[None], _SIDE)[0],
            tf.cast(pictures, tf.float32),
        )
        if endless:
            (resized,) = tf.while_loop(lambda x: tf.reduce_sum(x) < np.inf, lambda x: [tf.sin(x)], [resized])
        maps = _features(resized * (2 / 255) - 1, random)
        heads = [_head(features, random) for features in maps]
        codes = tf.squeeze(tf.concat([codes for codes, _ in heads], 1), [2])
        scores = converter(tf.concat([scores for _, scores in heads], 1))[:, :, 1:]
        anchors = tf.concat([_anchors(*features.shape[1:3], 0.2 + 0.3 * i) for i, features in enumerate(maps)], 0)
        boxes = _decode(codes, anchors)

        def suppress(one: Any) -> Any:
            return _suppress(*one, suppression, agnostic, score)

        kinds = (tf.float32, tf.float32, tf.float32, tf.int32)
        found = tf.map_fn(suppress, (boxes, scores), fn_output_signature=kinds)
        tf.identity(found[0], "detection_boxes")
        tf.identity(found[1], "detection_scores")
        tf.identity(found[2] + 1.0, "detection_classes")
        tf.identity(tf.cast(found[3], tf.float32), "num_detections")
    return graph.as_graph_def()


def published(shared: Path) -> Any:
    """The graph of the API's SSD MobileNet v1 for COCO, with weights for which every score is the same."""
    graph_def = graph_pb2.GraphDef()
    graph_def.ParseFromString((shared / "models/ssd_mobilenet_v1_tf1_frozen.pb").read_bytes())
    return graph_def


def shake(graph_def: Any) -> None:
    """Gives a graph other random weights, for which scores differ."""
    random = np.random.default_rng(1)
    for node in graph_def.node:
        if node.op == "Const" and node.attr["dtype"].type == tf.float32.as_datatype_enum:
            value = tf.make_ndarray(node.attr["value"].tensor)
            if value.ndim == 4:
                inputs = np.prod(value.shape[:2]) * (1 if "depthwise" in node.name else value.shape[2])
                made = random.normal(0, np.sqrt(2 / inputs), value.shape)
            elif value.ndim == 1 and value.size > 8 and node.name.endswith(("/biases", "/beta")):
                made = random.normal(0, 0.5, value.shape)
            else:
                continue
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(made.astype(np.float32)))


def tensorflows(graph_def: Any, picture: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """What the whole graph finds in pictures, [n, y, x, 3]: boxes, scores, classes and how many there are."""
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph_def, name="")
        found: list[NDArray[Any]] = session.run([f"{name}:0" for name in ssd.RESULTS], {"image_tensor:0": picture})
    return found


def _convolution(x: Any, channels: int, strides: int, random: Any) -> Any:
    shape = (3, 3, x.shape[-1], channels)
    weights = random.normal(0, 0.9 * np.sqrt(2 / np.prod(shape[:3])), shape).astype(np.float32)
    return tf.nn.conv2d(x, weights, strides, "SAME")


def _features(x: Any, random: Any) -> list[Any]:
    maps = []
    for channels in (8, 12, 12):
        x = _convolution(x, channels, 2, random)
        parts = [random.uniform(0.5, 1.5, channels).astype(np.float32) for _ in range(4)]
        x, *_ = tf.compat.v1.nn.fused_batch_norm(x, *parts, epsilon=1e-3, is_training=False)
        x = tf.nn.relu6(x)
        maps.append(x)
    return maps[1:]


def _head(features: Any, random: Any) -> tuple[Any, Any]:
    batch = tf.shape(features)[0]
    count = len(_RATIOS)
    codes = tf.nn.bias_add(_convolution(features, count * 4, 1, random), random.normal(size=count * 4))
    scores = _convolution(features, count * (CLASSES + 1), 1, random) * 2.0
    return tf.reshape(codes, [batch, -1, 1, 4]), tf.reshape(scores, [batch, -1, CLASSES + 1])


def _anchors(height: int, width: int, scale: float) -> Any:
    y, x = tf.meshgrid((tf.range(float(height)) + 0.5) / height, (tf.range(float(width)) + 0.5) / width, indexing="ij")
    boxes = []
    for ratio in _RATIOS:
        h, w = scale / np.sqrt(ratio) / 2, scale * np.sqrt(ratio) / 2
        boxes.append(tf.stack([y - h, x - w, y + h, x + w], -1))
    return tf.reshape(tf.stack(boxes, 2), [-1, 4])


def _decode(codes: Any, anchors: Any) -> Any:
    batch, count = tf.shape(codes)[0], tf.shape(codes)[1]
    tiled = tf.reshape(tf.tile(anchors[None], [batch, 1, 1]), [-1, 4])
    top, left, bottom, right = tf.unstack(tf.transpose(tiled))
    height, width = bottom - top, right - left
    y, x = top + height / 2, left + width / 2
    ty, tx, th, tw = tf.unstack(tf.transpose(tf.reshape(codes, [-1, 4])))
    h, w = tf.exp(th / 5.0) * height, tf.exp(tw / 5.0) * width
    y, x = ty / 10.0 * height + y, tx / 10.0 * width + x
    boxes = tf.transpose(tf.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2]))
    return tf.reshape(boxes, tf.stack([batch, count, 4]))


def _suppress(boxes: Any, scores: Any, kind: str, agnostic: bool, least: float) -> Any:
    found = []
    groups = [tf.reduce_max(scores, 1)] if agnostic else tf.unstack(scores, CLASSES, 1)
    for index, own in enumerate(groups):
        most = tf.minimum(8, tf.shape(boxes)[0])
        if kind == "V2":
            above = tf.reshape(tf.where(tf.greater(own, least)), [-1])
            kept = tf.raw_ops.NonMaxSuppressionV2(
                boxes=tf.gather(boxes, above), scores=tf.gather(own, above), max_output_size=most, iou_threshold=0.45
            )
            kept = tf.gather(above, kept)
        else:
            kept = tf.raw_ops.NonMaxSuppressionV5(
                boxes=boxes,
                scores=own,
                max_output_size=most,
                iou_threshold=0.45,
                score_threshold=least,
                soft_nms_sigma=0.0,
            )[0]
        found.append((tf.gather(boxes, kept), tf.gather(own, kept), tf.fill(tf.shape(kept), float(index))))
    boxes, scores, classes = (tf.concat(parts, 0) for parts in zip(*found, strict=True))
    boxes = tf.clip_by_value(boxes, 0.0, 1.0)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    scores = tf.where(tf.cast(area, tf.bool), scores, tf.fill(tf.shape(scores), -1.0))
    count = tf.reduce_sum(tf.cast(scores >= 0, tf.int32))
    best, order = tf.math.top_k(scores, tf.shape(scores)[0])
    rows = [tf.gather(boxes, order), best, tf.gather(classes, order)]
    return (*(_fixed(row) for row in rows), tf.minimum(count, TOTAL))


def _fixed(rows: Any) -> Any:
    """The first TOTAL rows, with zeros after them."""
    rows = rows[:TOTAL]
    missing = TOTAL - tf.shape(rows)[0]
    padding = [[0, missing], *([[0, 0]] * (len(rows.shape) - 1))]
    return tf.ensure_shape(tf.pad(rows, padding), [TOTAL, *rows.shape[1:]])
