"""What quantization needs to know of a kernel: how errors in it add up, and how much they matter (Gauss-Newton).

For G, the gradient of a random projection of the outputs by the kernel [in, out], one input at a time: A = E[G G^T]
says how errors in different rows add up, B = E[G^T G] in different columns (K-FAC's factors: Martens and Grosse, 2015,
taken here from whole gradients). Half of A comes from the second moment of what the kernel sees, which needs fewer
samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.weights import fidelity
from sitegen.weights.gradients import Projection
from sitegen.weights.kernels import Kernel

Floats = NDArray[np.float64]
Order = NDArray[np.int64]
# Added to the diagonals, in means of the diagonal.
_DAMPING_IN, _DAMPING_DEPTHWISE, _DAMPING_OUT = 0.01, 0.2, 0.1
# What a channel counts at least, in means of all channels: one that no input has stirred may not be dead.
_LEAST_ALIVE = 0.1


@dataclass(frozen=True)
class Statistics:
    """A = M_in diag(d_in) M_in^T and likewise for out, with M unit upper triangular; both in an order of their own.

    The rows that matter most stand first (`order_in`, places in the kernel's matrix): what is rounded last has nothing
    left that could make up for it. Depthwise kernels have M_in [columns, taps, taps] and no M_out. `d_in` has about the
    mean 1 (d_out carries the scale), and d_in[i] * d_out[o] is what a squared error in one weight costs.
    """

    m_in: NDArray[np.float32]
    d_in: Floats
    order_in: Order
    m_out: NDArray[np.float32] | None
    d_out: Floats
    order_out: Order


def projections(references: Sequence[Floats], kinds: Sequence[str]) -> list[Projection]:
    """How outputs [inputs, numbers] are scaled."""
    spreads = (np.sqrt(max(fidelity.variance(r), 1e-12) * r.shape[1] * len(references)) for r in references)
    return [
        Projection(kind, _temperature(reference, kind), float(spread))
        for reference, kind, spread in zip(references, kinds, spreads, strict=True)
    ]


def _temperature(probabilities: Floats, kind: str) -> float:
    """Half the median distance of the two best logits: a classifier that is always sure has no gradient otherwise."""
    if kind not in ("probabilities", "logits") or probabilities.shape[1] < 2:
        return 1.0
    logits = np.sort(np.log(probabilities + 1e-12), axis=1)
    return max(1.0, float(np.median(logits[:, -1] - logits[:, -2])) / 2)


def of(kernel: Kernel, sums: Sequence[Floats], count: int) -> Statistics:
    """The statistics of a kernel from Gradients.sums; `count` is how many gradients were added up."""
    if kernel.depthwise:
        return _depthwise(kernel, sums[0] / count, sums[1])
    a, b, seen = sums[0] / count, sums[1] / count, sums[2]
    mixed = (_of_trace_1(a) + _of_trace_1(seen)) / 2 * len(a)
    order_in, m_in, d_in = _ordered(mixed, _DAMPING_IN)
    order_out, m_out, d_out = _ordered(b / len(a), _DAMPING_OUT)
    return Statistics(m_in, d_in, order_in, m_out, d_out, order_out)


def _ordered(matrix: Floats, damping: float) -> tuple[Order, NDArray[np.float32], Floats]:
    order = np.argsort(-np.diag(matrix), kind="stable")
    m, d = triangular(matrix[np.ix_(order, order)], damping)
    return order, m.astype(np.float32), d


def _depthwise(kernel: Kernel, a: Floats, seen: Floats) -> Statistics:
    channels, taps = a.shape[:2]
    multiplier = kernel.shape[3]
    energies = np.trace(a, axis1=1, axis2=2) / multiplier
    least = _LEAST_ALIVE * energies.mean() + 1e-30
    matrices, sizes = [], []
    for channel in range(channels):
        shape = (_of_trace_1(a[channel]) + _of_trace_1(seen[channel])) / 2
        m, d = triangular(shape * energies[channel] + least * np.eye(taps) / taps, _DAMPING_DEPTHWISE)
        matrices += [m.astype(np.float32)] * multiplier
        sizes += [np.exp(np.log(d).mean())] * multiplier
    orders = np.arange(taps), np.arange(len(sizes))
    return Statistics(np.stack(matrices), np.ones(taps), orders[0], None, np.array(sizes), orders[1])


def _of_trace_1(matrix: Floats) -> Floats:
    made: Floats = matrix / (np.trace(matrix) + 1e-30)
    return made


def triangular(matrix: Floats, damping: float) -> tuple[Floats, Floats]:
    """M and d with M diag(d) M^T = the matrix, damped; M is unit upper triangular."""
    size = len(matrix)
    damped = matrix + (damping * np.trace(matrix) / size + 1e-30) * np.eye(size)
    lower = np.linalg.cholesky(damped[::-1, ::-1])
    diagonal: Floats = np.diag(lower)
    squares: Floats = np.square(diagonal)[::-1]
    return (lower / diagonal)[::-1, ::-1], squares
