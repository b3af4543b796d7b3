"""Operations of TensorFlow Lite: one function each, from a Call to what it gives, a tensor or a list of them.

They compute what tensorflow/lite/kernels does, with real numbers in place of quantized ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sitegen.models.tflite.network import Call
from sitegen.models.tflite.ops import arithmetic, pictures, products, reductions, shapes

BUILDERS: Mapping[str, Callable[[Call], Any]] = {
    **arithmetic.BUILDERS,
    **pictures.BUILDERS,
    **products.BUILDERS,
    **reductions.BUILDERS,
    **shapes.BUILDERS,
}
