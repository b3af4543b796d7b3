"""How large the steps of a tensor's numbers are next to one another; one global step is left to be searched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitegen.weights import container
from sitegen.weights.kernels import Kernel
from sitegen.weights.rounding import Task
from sitegen.weights.statistics import Statistics

_Floats = NDArray[np.float64]
_SHARE = 0.35  # steps follow the statistics to this power; the theoretical 1/2 overfits
_MOST_HALF_OCTAVES = 40
LARGEST = 24000


def task(kernel: Kernel, weights: NDArray[np.generic], known: Statistics, least: float) -> Task:
    """A kernel's steps; `least` is the smallest global step that will be tried: no integer may be too large with it."""
    matrix = kernel.matrix(weights).astype(np.float64)
    d_in, d_out = np.empty_like(known.d_in), np.empty_like(known.d_out)
    d_in[known.order_in], d_out[known.order_out] = known.d_in, known.d_out
    (row_base, rows), (column_base, columns) = (_snapped(_steps(d)) for d in (d_in, d_out))
    base = row_base * column_base
    step = least * base * container.factors(rows)[:, None] * container.factors(columns)[None, :]
    over = np.log2(np.abs(matrix / step).max(axis=0) / LARGEST + 1e-30)
    return Task(matrix, known, base, rows, (columns + np.ceil(2 * np.maximum(over, 0))).astype(np.int16))


def _steps(diagonal: _Floats) -> _Floats:
    """Steps that follow the costs only partly, at the same sum of costs times squared steps as the full ones."""
    partly = np.maximum(diagonal, 1e-12 * diagonal.max() + 1e-300) ** (2 * _SHARE)
    steps: _Floats = (partly * (diagonal / partly).mean()) ** -0.5
    return steps


def _snapped(steps: _Floats) -> tuple[float, NDArray[np.int16]]:
    """A base, and how many half octaves each step is from it."""
    base = float(np.exp2(np.median(np.log2(steps))))
    exponents = np.round(2 * np.log2(steps / base)).clip(-_MOST_HALF_OCTAVES, _MOST_HALF_OCTAVES)
    return base, exponents.astype(np.int16)


def short(step: float) -> float:
    """A step with four digits: it is written out in the file's header."""
    return float(f"{step:.4g}")
