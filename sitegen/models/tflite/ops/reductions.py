"""Operations along axes: sums, extremes, sorting, norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sitegen.models.tflite.network import Call

_NAMES = {
    "MEAN": "mean",
    "REDUCE_ALL": "all",
    "REDUCE_ANY": "any",
    "REDUCE_MAX": "max",
    "REDUCE_MIN": "min",
    "REDUCE_PROD": "prod",
    "SUM": "sum",
}


def _reduced(name: str) -> Callable[[Call], Any]:
    def build(call: Call) -> Any:
        import tensorflow as tf

        axes = call.constant(1).reshape(-1)
        return getattr(tf, f"reduce_{name}")(call.input(0), axes.tolist(), keepdims=call["keep_dims"])

    return build


def _arg(name: str) -> Callable[[Call], Any]:
    def build(call: Call) -> Any:
        import tensorflow as tf

        return getattr(tf, name)(call.input(0), int(call.constant(1).reshape(())), output_type=tf.int32)

    return build


def _top_k(call: Call) -> Any:
    import tensorflow as tf

    return list(tf.math.top_k(call.input(0), call.constant(1).reshape(())))


def _l2_normalization(call: Call) -> Any:
    import tensorflow as tf

    return call.activated(tf.math.l2_normalize(call.input(0), -1))


def _cumsum(call: Call) -> Any:
    import tensorflow as tf

    axis = int(call.constant(1).reshape(()))
    return tf.cumsum(call.input(0), axis, call["exclusive"], call["reverse"])


BUILDERS = {
    **{op: _reduced(name) for op, name in _NAMES.items()},
    "ARG_MAX": _arg("argmax"),
    "ARG_MIN": _arg("argmin"),
    "CUMSUM": _cumsum,
    "L2_NORMALIZATION": _l2_normalization,
    "TOPK_V2": _top_k,
}
