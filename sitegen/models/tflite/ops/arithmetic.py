"""Operations number by number: sums, functions, activations, comparisons, changes of type."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from sitegen.models.tflite import numbers, schema
from sitegen.models.tflite.network import Call

Builder = Callable[[Call], Any]
# Of what TensorFlow has under a name.
_ONE = {
    "ABS": "abs",
    "CEIL": "math.ceil",
    "COS": "cos",
    "ELU": "nn.elu",
    "EXP": "exp",
    "FLOOR": "floor",
    "LOG": "math.log",
    "LOGICAL_NOT": "logical_not",
    "LOGISTIC": "sigmoid",
    "LOG_SOFTMAX": "nn.log_softmax",
    "NEG": "negative",
    "RELU": "nn.relu",
    "RELU6": "nn.relu6",
    "ROUND": "round",
    "RSQRT": "math.rsqrt",
    "SIGN": "sign",
    "SIN": "sin",
    "SQRT": "sqrt",
    "SQUARE": "square",
    "TANH": "tanh",
    "ZEROS_LIKE": "zeros_like",
}
_TWO = {
    "EQUAL": "equal",
    "FLOOR_DIV": "math.floordiv",
    "FLOOR_MOD": "math.floormod",
    "GREATER": "greater",
    "GREATER_EQUAL": "greater_equal",
    "LESS": "less",
    "LESS_EQUAL": "less_equal",
    "LOGICAL_AND": "logical_and",
    "LOGICAL_OR": "logical_or",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "NOT_EQUAL": "not_equal",
    "POW": "pow",
    "SQUARED_DIFFERENCE": "math.squared_difference",
}
_ACTIVATED = {"ADD": "add", "MUL": "multiply", "SUB": "subtract"}


def _plain(path: str, count: int) -> Builder:
    def build(call: Call) -> Any:
        import tensorflow as tf

        return operator.attrgetter(path)(tf)(*map(call.input, range(count)))

    return build


def _activated(path: str) -> Builder:
    def build(call: Call) -> Any:
        return call.activated(_plain(path, 2)(call))

    return build


def _div(call: Call) -> Any:
    import tensorflow as tf

    a, b = call.input(0), call.input(1)
    return call.activated(a / b if a.dtype.is_floating else tf.truncatediv(a, b))


def _add_n(call: Call) -> Any:
    import tensorflow as tf

    return tf.add_n(call.given)


def _hard_swish(call: Call) -> Any:
    import tensorflow as tf

    x = call.input(0)
    return x * tf.nn.relu6(x + 3.0) * (1 / 6)


def _clipped(low: float, high: float) -> Builder:
    def build(call: Call) -> Any:
        import tensorflow as tf

        return tf.clip_by_value(call.input(0), low, high)

    return build


def _leaky_relu(call: Call) -> Any:
    import tensorflow as tf

    return tf.nn.leaky_relu(call.input(0), call["alpha"])


def _prelu(call: Call) -> Any:
    import tensorflow as tf

    x = call.input(0)
    return tf.nn.relu(x) - call.input(1) * tf.nn.relu(-x)


def _gelu(call: Call) -> Any:
    import tensorflow as tf

    return tf.nn.gelu(call.input(0), call["approximate"])


def _softmax(call: Call) -> Any:
    import tensorflow as tf

    x = call.input(0)
    return tf.nn.softmax(x if call["beta"] == 1 else x * call["beta"])


def _cast(call: Call) -> Any:
    import tensorflow as tf

    x, given = call.input(0), call.tensor(0)
    if given.scales is not None:
        # It is the stored numbers that are cast.
        x = tf.round(x / float(given.scales[0])) + float(given.zeros[0])
    wanted = numbers.dtype(call.result)
    kind = schema.kind(call["to"]) if wanted != "float32" else ""
    return tf.cast(x, "bool" if kind == "BOOL" else wanted)


def _same(call: Call) -> Any:
    """Quantized or not, a tensor is written as the numbers that it stands for."""
    import tensorflow as tf

    return tf.identity(call.input(0))


def _select(call: Call) -> Any:
    import tensorflow as tf

    which, yes, no = (call.input(at) for at in range(3))
    if which.shape.rank == 1 and (yes.shape.rank or 0) > 1 and call.operation.name == "SELECT":
        which = tf.reshape(which, [-1] + [1] * (yes.shape.rank - 1))
    return tf.where(which, yes, no)


BUILDERS: dict[str, Builder] = {
    **{name: _plain(path, 1) for name, path in _ONE.items()},
    **{name: _plain(path, 2) for name, path in _TWO.items()},
    **{name: _activated(path) for name, path in _ACTIVATED.items()},
    "ADD_N": _add_n,
    "CAST": _cast,
    "DEQUANTIZE": _same,
    "DIV": _div,
    "FAKE_QUANT": _same,
    "GELU": _gelu,
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "PRELU": _prelu,
    "QUANTIZE": _same,
    "RELU_0_TO_1": _clipped(0, 1),
    "RELU_N1_TO_1": _clipped(-1, 1),
    "SELECT": _select,
    "SELECT_V2": _select,
    "SOFTMAX": _softmax,
}
