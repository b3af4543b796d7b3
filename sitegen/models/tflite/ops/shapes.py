"""Operations that move numbers and leave them as they are: shapes, slices, joins, look-ups."""

from __future__ import annotations

from typing import Any

from sitegen.errors import SitegenError
from sitegen.models.tflite import numbers
from sitegen.models.tflite.flatbuffer import Damaged
from sitegen.models.tflite.network import Call


def _reshape(call: Call) -> Any:
    import tensorflow as tf

    if call.has(1):
        return tf.reshape(call.input(0), call.maybe(1))
    if call["shape"] is None:
        raise Damaged("a RESHAPE has no shape")
    return tf.reshape(call.input(0), call["shape"])


def _squeeze(call: Call) -> Any:
    import tensorflow as tf

    axes = [] if call["axes"] is None else call["axes"].tolist()
    return tf.squeeze(call.input(0), axes or None)


def _expand_dims(call: Call) -> Any:
    import tensorflow as tf

    return tf.expand_dims(call.input(0), int(call.constant(1).reshape(())))


def _transpose(call: Call) -> Any:
    import tensorflow as tf

    return tf.transpose(call.input(0), call.constant(1))


def _pack(call: Call) -> Any:
    import tensorflow as tf

    return tf.stack(call.given, call["axis"])


def _unpack(call: Call) -> Any:
    import tensorflow as tf

    return tf.unstack(call.input(0), _parts(call), call["axis"])


def _parts(call: Call) -> int:
    if call["count"] != len(call.operation.outputs):
        raise Damaged(f"a {call.operation.name} into {call['count']} has {len(call.operation.outputs)} outputs")
    return int(call["count"])


def _split(call: Call) -> Any:
    import tensorflow as tf

    return tf.split(call.input(1), _parts(call), int(call.constant(0).reshape(())))


def _split_v(call: Call) -> Any:
    import tensorflow as tf

    _parts(call)
    return tf.split(call.input(0), call.constant(1).tolist(), int(call.constant(2).reshape(())))


def _concatenation(call: Call) -> Any:
    import tensorflow as tf

    return call.activated(tf.concat(call.given, call["axis"]))


def _slice(call: Call) -> Any:
    import tensorflow as tf

    return tf.slice(call.input(0), call.maybe(1), call.maybe(2))


def _strided_slice(call: Call) -> Any:
    import tensorflow as tf

    if call["offset"]:
        raise SitegenError(f'"{call.named}" is a slice whose end is a length, which cannot be read')
    masks = {name: call[name] for name in call.options if name.endswith("_mask")}
    return tf.strided_slice(call.input(0), call.maybe(1), call.maybe(2), call.maybe(3), **masks)


def _gather(call: Call) -> Any:
    import tensorflow as tf

    return tf.gather(call.input(0), call.input(1), axis=call["axis"], batch_dims=call["batch_dims"])


def _embedding_lookup(call: Call) -> Any:
    import tensorflow as tf

    return tf.gather(call.input(1), call.input(0))


def _gather_nd(call: Call) -> Any:
    import tensorflow as tf

    return tf.gather_nd(call.input(0), call.input(1))


def _tile(call: Call) -> Any:
    import tensorflow as tf

    return tf.tile(call.input(0), call.maybe(1))


def _pad(call: Call) -> Any:
    import tensorflow as tf

    filling = call.constant(2).reshape(()) if call.has(2) else 0
    return tf.pad(call.input(0), call.constant(1), constant_values=filling)


def _mirror_pad(call: Call) -> Any:
    import tensorflow as tf

    if call["mode"] not in (0, 1):
        raise Damaged("a MIRROR_PAD has no mode that can be")
    return tf.pad(call.input(0), call.constant(1), ("REFLECT", "SYMMETRIC")[call["mode"]])


def _reverse(call: Call) -> Any:
    import tensorflow as tf

    return tf.reverse(call.input(0), call.constant(1).reshape(-1))


def _shape(call: Call) -> Any:
    import tensorflow as tf

    return tf.shape(call.input(0))


def _rank(call: Call) -> Any:
    import tensorflow as tf

    return tf.rank(call.input(0))


def _one_hot(call: Call) -> Any:
    """In whole numbers, along the last axis: TF.js knows no other one-hot vectors."""
    import tensorflow as tf

    depth, on, off = (call.constant(at).item() for at in (1, 2, 3))
    kind = numbers.dtype(call.result)
    made = tf.cast(tf.one_hot(call.input(0), depth, 1, 0, dtype=tf.int32), kind)
    if kind != "bool" and (on, off) != (1, 0):
        made = made * (on - off) + off
    last = made.shape.rank - 1
    axis = call["axis"]
    return made if axis in (-1, last) else tf.transpose(made, [*range(axis), last, *range(axis, last)])


def _range(call: Call) -> Any:
    import tensorflow as tf

    return tf.range(*map(call.input, range(3)))


def _fill(call: Call) -> Any:
    import tensorflow as tf

    return tf.fill(call.maybe(0), call.input(1))


def _broadcast_to(call: Call) -> Any:
    import tensorflow as tf

    return tf.broadcast_to(call.input(0), call.maybe(1))


BUILDERS = {
    "BROADCAST_TO": _broadcast_to,
    "CONCATENATION": _concatenation,
    "EMBEDDING_LOOKUP": _embedding_lookup,
    "EXPAND_DIMS": _expand_dims,
    "FILL": _fill,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "MIRROR_PAD": _mirror_pad,
    "ONE_HOT": _one_hot,
    "PACK": _pack,
    "PAD": _pad,
    "PADV2": _pad,
    "RANGE": _range,
    "RANK": _rank,
    "RESHAPE": _reshape,
    "REVERSE_V2": _reverse,
    "SHAPE": _shape,
    "SLICE": _slice,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided_slice,
    "TILE": _tile,
    "TRANSPOSE": _transpose,
    "UNPACK": _unpack,
}
