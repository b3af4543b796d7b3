"""Products and convolutions. Their weights are turned as TensorFlow has them, inputs before outputs."""

from __future__ import annotations

from typing import Any

from sitegen.errors import SitegenError
from sitegen.models.tflite.flatbuffer import Damaged
from sitegen.models.tflite.network import Call


def padding(call: Call) -> str:
    """Of the schema's enumeration Padding."""
    if call["padding"] not in (0, 1):
        raise Damaged(f"a {call.operation.name} has no padding that can be")
    return ("SAME", "VALID")[call["padding"]]


def sizes(call: Call, *options: str) -> list[int]:
    """Strides, dilations and the like: whole numbers from 1 on."""
    found = [int(call[option]) for option in options]
    if min(found) < 1:
        raise Damaged(f"a {call.operation.name} has a {options[found.index(min(found))]} of {min(found)}")
    return found


def ranked(call: Call, rank: int, *inputs: int) -> None:
    """Raises Damaged where an input has not as many axes."""
    for at in inputs:
        if len(call.tensor(at).shape) != rank:
            raise Damaged(f"a {call.operation.name} has an input of {len(call.tensor(at).shape)} axes")


def _conv_2d(call: Call) -> Any:
    import tensorflow as tf

    ranked(call, 4, 0, 1)
    # The file has [out, height, width, in].
    channels, own = call.tensor(0).shape[3], call.tensor(1).shape[3]
    if own != channels:
        what = f'"{call.named}" is a convolution in groups, of {own} of {channels} channels each'
        raise SitegenError(f"{what}, which pages cannot run", hint="build it of convolutions of a part each")
    strides, dilations = sizes(call, "stride_h", "stride_w"), sizes(call, "dilation_h", "dilation_w")
    kernel = call.weights(1, (1, 2, 3, 0))
    return _biased(call, tf.nn.conv2d(call.input(0), kernel, strides, padding(call), dilations=dilations))


def _depthwise_conv_2d(call: Call) -> Any:
    import tensorflow as tf

    ranked(call, 4, 0, 1)
    # The file has [1, height, width, channels * multiplier].
    channels = call.tensor(0).shape[3]
    one, height, width, out = call.tensor(1).shape
    if one != 1 or channels < 1 or out % channels:
        raise Damaged("a DEPTHWISE_CONV_2D has weights that fit no input")
    strides, dilations = sizes(call, "stride_h", "stride_w"), sizes(call, "dilation_h", "dilation_w")
    kernel = call.weights(1, (0, 1, 2, 3), (height, width, channels, out // channels))
    made = tf.nn.depthwise_conv2d(call.input(0), kernel, [1, *strides, 1], padding(call), dilations=dilations)
    return _biased(call, made)


def _conv_3d(call: Call) -> Any:
    import tensorflow as tf

    ranked(call, 5, 0, 1)
    strides = sizes(call, "stride_d", "stride_h", "stride_w")
    dilations = sizes(call, "dilation_d", "dilation_h", "dilation_w")
    made = tf.nn.conv3d(call.input(0), call.input(1), [1, *strides, 1], padding(call), dilations=[1, *dilations, 1])
    return _biased(call, made)


def _transpose_conv(call: Call) -> Any:
    import tensorflow as tf

    ranked(call, 4, 1, 2)
    # The file has [out, height, width, in].
    kernel = call.weights(1, (1, 2, 0, 3))
    strides = sizes(call, "stride_h", "stride_w")
    made = tf.nn.conv2d_transpose(call.input(2), kernel, call.maybe(0), strides, padding(call))
    return _biased(call, made, 3)


def _fully_connected(call: Call) -> Any:
    import tensorflow as tf

    ranked(call, 2, 1)
    if call["weights_format"]:
        raise SitegenError(f'"{call.named}" has its weights shuffled for one kind of processor, which cannot be read')
    x, (out, wide) = call.input(0), call.tensor(1).shape
    made = tf.matmul(tf.reshape(x, [-1, wide]) if x.shape.rank != 2 else x, call.weights(1, (1, 0)))
    made = _biased(call, made)
    if not call["keep_dims"] or x.shape.rank in (None, 2):
        return made
    kept = x.shape.as_list()[:-1]
    if kept.count(None) > 1:
        return tf.reshape(made, tf.concat([tf.shape(x)[:-1], [out]], 0))
    return tf.reshape(made, [*(-1 if size is None else size for size in kept), out])


def _batch_matmul(call: Call) -> Any:
    import tensorflow as tf

    return tf.matmul(call.input(0), call.input(1), transpose_a=call["adj_x"], transpose_b=call["adj_y"])


def _biased(call: Call, made: Any, at: int = 2) -> Any:
    import tensorflow as tf

    return call.activated(tf.nn.bias_add(made, call.input(at)) if call.has(at) else made)


BUILDERS = {
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _conv_2d,
    "CONV_3D": _conv_3d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transpose_conv,
}
