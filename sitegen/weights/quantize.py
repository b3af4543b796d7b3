"""Schemes: one function each, from a float32 tensor to what is stored and how to get it back.

These are TF.js's own (tensorflowjs/quantization.py): float16, and per-tensor affine uint8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sitegen.models import store
from sitegen.records import GraphModel
from sitegen.weights.container import Tensor


@dataclass(frozen=True)
class Quantized:
    """How a tensor is stored: container.py's scheme, its numbers, and what they mean."""

    scheme: str
    data: NDArray[np.generic]
    more: Mapping[str, float] = field(default_factory=dict)


def none(values: NDArray[np.float32]) -> Quantized:
    """float32 as it is."""
    return Quantized("float32", values)


def float16(values: NDArray[np.float32]) -> Quantized:
    """IEEE 754 half precision; what is larger than its range (65504) becomes the largest half."""
    limit = np.finfo(np.float16).max
    return Quantized("float16", np.clip(values, -limit, limit).astype("<f2"))


def uint8(values: NDArray[np.float32]) -> Quantized:
    """Affine: w = q * scale + min, q in 0..255.

    A range that holds 0 is nudged so that 0 is one of the 256 values: zeros (padding, ReLU's) stay exact. A tensor of
    one value is stored as that value with scale 1.
    """
    if values.size == 0:
        return _affine(values.astype(np.uint8), 0.0, 1.0)
    lowest, highest = float(values.min()), float(values.max())
    if lowest == highest:
        return _affine(np.zeros(values.shape, np.uint8), lowest, 1.0)
    scale = (highest - lowest) / 255
    if lowest <= 0 <= highest:
        zero = round(-lowest / scale)
        lowest, highest = -zero * scale, (255 - zero) * scale
    codes = np.round((values.astype(np.float64).clip(lowest, highest) - lowest) / scale)
    return _affine(codes.astype(np.uint8), lowest, scale)


def _affine(codes: NDArray[np.uint8], minimum: float, scale: float) -> Quantized:
    return Quantized("uint8", codes, {"min": minimum, "scale": scale})


SCHEMES: Mapping[str, Callable[[NDArray[np.float32]], Quantized]] = {
    "none": none,
    "float16": float16,
    "uint8": uint8,
}


def tensors(model: GraphModel, scheme: str, fixed: Mapping[str, str] | None = None) -> list[Tensor]:
    """A model's weights for container.py: floats under one of the schemes, integers and booleans as they are.

    `fixed` names tensors that have a scheme of their own.
    """
    made = []
    for name, value in model.weights.items():
        kind = store.dtype(value)
        if kind == "float32":
            stored = SCHEMES[(fixed or {}).get(name, scheme)](value.astype(np.float32, copy=False))
            made.append(Tensor(name, value.shape, stored.scheme, stored.data, stored.more))
        else:
            made.append(Tensor(name, value.shape, kind, value))
    return made
