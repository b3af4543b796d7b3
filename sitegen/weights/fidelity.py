"""How far a model with other weights is from itself: how its numbers differ, and how often its best class stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
Classes = NDArray[np.int64]
_LEAST = 1e-15


@dataclass(frozen=True)
class Loss:
    """`distortion` is the mean over the outputs; `agreement` the share of inputs whose best class stays, if any.

    `accuracy` is the share of labelled inputs whose best class is the right one.
    """

    distortion: float
    agreement: float | None
    accuracy: float | None = None


def loss(
    reference: Sequence[_Floats], other: Sequence[_Floats], kinds: Sequence[str], classes: Classes | None = None
) -> Loss:
    """Compares outputs [inputs, numbers], as Measure.outputs gives them.

    Distributions by the Kullback-Leibler divergence in nats, other numbers by the mean squared error over the variance
    (NMSE). `kinds` are "probabilities", "logits" (given as probabilities), "probability", "logit" and "numbers".
    `classes` are the right ones of labelled inputs [inputs].
    """
    values = [_distortion(a, b, kind) for a, b, kind in zip(reference, other, kinds, strict=True)]
    agreement = None
    if kinds[0] in ("probabilities", "logits"):
        agreement = float(np.mean(reference[0].argmax(axis=1) == other[0].argmax(axis=1)))
    right = None if classes is None else accuracy(other, classes)
    return Loss(max(float(np.mean(values)), _LEAST), agreement, right)


def accuracy(outputs: Sequence[_Floats], classes: Classes) -> float:
    """The share of inputs for which the largest of the first output [inputs, numbers] is that of `classes` [inputs]."""
    return float(np.mean(outputs[0].argmax(axis=1) == classes))


def _distortion(reference: _Floats, other: _Floats, kind: str) -> float:
    if not np.isfinite(other).all():
        return np.inf
    if kind in ("probabilities", "logits"):
        p, q = np.clip(reference, 1e-20, 1), np.clip(other, 1e-20, 1)
        return float(np.mean(np.sum(p * np.log(p / q), axis=1)))
    if kind in ("probability", "logit"):
        p, q = np.clip(reference, 1e-9, 1 - 1e-9), np.clip(other, 1e-9, 1 - 1e-9)
        return float(np.mean(np.sum(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)), axis=1)))
    return float(np.mean((reference - other) ** 2) / max(variance(reference), 1e-12))


def variance(values: _Floats) -> float:
    """Of numbers [inputs, numbers], around the mean of each over the inputs."""
    centred: Any = values - values.mean(axis=0)
    return float(np.mean(centred**2))
