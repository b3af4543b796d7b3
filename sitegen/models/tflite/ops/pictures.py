"""Pooling, resizing, and what else goes by neighbours in a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sitegen.models.tflite.flatbuffer import Damaged
from sitegen.models.tflite.network import Call
from sitegen.models.tflite.ops.products import padding, ranked, sizes


def _pool(kind: str) -> Callable[[Call], Any]:
    def build(call: Call) -> Any:
        import tensorflow as tf

        ranked(call, 4, 0)
        window, strides = sizes(call, "filter_h", "filter_w"), sizes(call, "stride_h", "stride_w")
        made = tf.nn.pool(call.input(0), window, kind, strides, padding(call))
        return call.activated(made)

    return build


def _l2_pool(call: Call) -> Any:
    import tensorflow as tf

    ranked(call, 4, 0)
    window, strides = sizes(call, "filter_h", "filter_w"), sizes(call, "stride_h", "stride_w")
    squares = tf.nn.avg_pool2d(tf.square(call.input(0)), window, strides, padding(call))
    return call.activated(tf.sqrt(squares))


def _resize(op: str) -> Callable[[Call], Any]:
    def build(call: Call) -> Any:
        import tensorflow as tf

        how = {"align_corners": call["align_corners"], "half_pixel_centers": call["half_pixel_centers"]}
        return getattr(tf.raw_ops, op)(images=call.input(0), size=call.maybe(1), **how)

    return build


def _depth_to_space(call: Call) -> Any:
    import tensorflow as tf

    ranked(call, 4, 0)
    return tf.nn.depth_to_space(call.input(0), *sizes(call, "block"))


def _space_to_depth(call: Call) -> Any:
    """By moving the axes of blocks behind those of the picture: pages have no operation for it."""
    import tensorflow as tf

    ranked(call, 4, 0)
    (block,), (_, height, width, channels) = sizes(call, "block"), call.tensor(0).shape
    if min(height, width, channels) < 1 or height % block or width % block:
        raise Damaged("a SPACE_TO_DEPTH has blocks that fit no input")
    rows, columns = height // block, width // block
    parts = tf.reshape(call.input(0), [-1, rows, block, columns, block, channels])
    moved = tf.transpose(parts, [0, 1, 3, 2, 4, 5])
    return tf.reshape(moved, [-1, rows, columns, block * block * channels])


def _space_to_batch(call: Call) -> Any:
    import tensorflow as tf

    return tf.space_to_batch(call.input(0), call.constant(1), call.constant(2))


def _batch_to_space(call: Call) -> Any:
    import tensorflow as tf

    return tf.raw_ops.BatchToSpaceND(input=call.input(0), block_shape=call.constant(1), crops=call.constant(2))


def _local_response_normalization(call: Call) -> Any:
    import tensorflow as tf

    how = {"bias": call["bias"], "alpha": call["alpha"], "beta": call["beta"]}
    return tf.nn.local_response_normalization(call.input(0), call["radius"], **how)


BUILDERS = {
    "AVERAGE_POOL_2D": _pool("AVG"),
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "DEPTH_TO_SPACE": _depth_to_space,
    "L2_POOL_2D": _l2_pool,
    "LOCAL_RESPONSE_NORMALIZATION": _local_response_normalization,
    "MAX_POOL_2D": _pool("MAX"),
    "RESIZE_BILINEAR": _resize("ResizeBilinear"),
    "RESIZE_NEAREST_NEIGHBOR": _resize("ResizeNearestNeighbor"),
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "SPACE_TO_DEPTH": _space_to_depth,
}
