"""What quantization needs to know of a kernel: how errors in it add up, and how much they matter (Gauss-Newton).

For G, the gradient of a random projection of the outputs by the kernel [in, out], one input at a time: A = E[G G^T]
says how errors in different rows add up, B = E[G^T G] in different columns (K-FAC's factors: Martens and Grosse, 2015,
taken here from whole gradients). Half of A comes from the second moment of what the kernel sees, which needs fewer
samples.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.weights import fidelity
from sitegen.weights.network import Kernel, Network

Floats = NDArray[np.float64]
_PROBES = 4
_PLACES = 64  # places of a picture that are looked at for each input
# Added to the diagonals, in means of the diagonal.
_DAMPING_IN, _DAMPING_DEPTHWISE, _DAMPING_OUT = 0.1, 0.3, 0.3
_SECONDS = 120.0


@dataclass(frozen=True)
class Statistics:
    """A = M_in diag(d_in) M_in^T and likewise for out, with M unit upper triangular.

    Depthwise kernels have M_in [columns, taps, taps] and no M_out. `d_in` has the mean 1 (d_out carries the scale), and
    d_in[i] * d_out[o] is what a squared error in one weight costs.
    """

    m_in: NDArray[np.float32]
    d_in: Floats
    m_out: NDArray[np.float32] | None
    d_out: Floats


def gather(network: Network, inputs: NDArray[np.float32], seed: int) -> dict[str, Statistics]:
    """The statistics of each kernel that the outputs depend on, from some inputs."""
    random = np.random.default_rng(seed)
    references = network.run(inputs)
    temperatures = [_temperature(r, kind) for r, kind in zip(references, network.kinds, strict=True)]
    sizes = len(references)
    spreads = [float(np.sqrt(max(fidelity.variance(r), 1e-12) * r.shape[1] * sizes)) for r in references]
    gradient = network.gradients(temperatures, spreads)
    sums: dict[str, list[Any]] = {}
    count, began = 0, time.monotonic()
    for index in random.permutation(len(inputs)):
        for _ in range(_PROBES):
            for name, value in gradient(inputs[index : index + 1], random).items():
                _add(sums, _kernel(network, name), value)
            count += 1
        if time.monotonic() - began > _SECONDS and count >= 4 * _PROBES:
            break
    return {
        kernel.name: _factored(
            kernel, [part / count for part in sums[kernel.name]], _seen(network, kernel, inputs, random)
        )
        for kernel in network.kernels
        if kernel.name in sums
    }


def _kernel(network: Network, name: str) -> Kernel:
    return next(kernel for kernel in network.kernels if kernel.name == name)


def _temperature(probabilities: Floats, kind: str) -> float:
    """Half the median distance of the two best logits: a classifier that is always sure has no gradient otherwise."""
    if kind not in ("probabilities", "logits") or probabilities.shape[1] < 2:
        return 1.0
    logits = np.sort(np.log(probabilities + 1e-12), axis=1)
    return max(1.0, float(np.median(logits[:, -1] - logits[:, -2])) / 2)


def _add(sums: dict[str, list[Any]], kernel: Kernel, value: NDArray[np.float32]) -> None:
    gradient = kernel.matrix(value)
    if kernel.depthwise:
        taps, channels = gradient.shape[0], kernel.shape[2]
        own = gradient.reshape(taps, channels, -1)
        parts = [np.einsum("tcm,ucm->ctu", own, own, optimize=True)]
    else:
        parts = [gradient @ gradient.T, gradient.T @ gradient]
    known = sums.setdefault(kernel.name, [np.zeros(part.shape) for part in parts])
    for total, part in zip(known, parts, strict=True):
        total += part


def _seen(network: Network, kernel: Kernel, inputs: NDArray[np.float32], random: np.random.Generator) -> Floats:
    """The second moment of what a kernel sees: [in, in], or [channels, taps, taps]."""
    total: Any = 0.0
    for batch in network.batches(inputs):
        seen = network.seen(kernel, batch).astype(np.float64)
        if kernel.op == "MatMul":
            rows = seen.reshape(-1, seen.shape[-1])
            total = total + rows.T @ rows
            continue
        patches = _patches(network, kernel, seen, random)
        if kernel.depthwise:
            total = total + np.einsum("ktc,kuc->ctu", patches, patches, optimize=True)
        else:
            rows = patches.reshape(len(patches), -1)
            total = total + rows.T @ rows
    moment: Floats = total
    return moment


def _patches(network: Network, kernel: Kernel, seen: Floats, random: np.random.Generator) -> Floats:
    """Windows [places, taps, channels] at random places, with zeros where they reach beyond the edge."""
    high, wide = kernel.shape[:2]
    strides, dilations = (network.attribute(kernel, name)[1:3] for name in ("strides", "dilations"))
    reach = [(size - 1) * dilation + 1 for size, dilation in zip((high, wide), dilations, strict=True)]
    sizes = seen.shape[1:3]
    if network.attribute(kernel, "padding") == b"SAME":
        counts = [-(-size // stride) for size, stride in zip(sizes, strides, strict=True)]
        missing = [max((n - 1) * s + r - size, 0) for n, s, r, size in zip(counts, strides, reach, sizes, strict=True)]
        seen = np.pad(seen, ((0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)))
    else:
        counts = [(size - r) // s + 1 for size, s, r in zip(sizes, strides, reach, strict=True)]
    places = min(_PLACES, counts[0] * counts[1])
    which = np.repeat(np.arange(len(seen)), places)
    at = np.concatenate([random.choice(counts[0] * counts[1], places, replace=False) for _ in range(len(seen))])
    y, x = (at // counts[1]) * strides[0], (at % counts[1]) * strides[1]
    taps = [seen[which, y + a * dilations[0], x + b * dilations[1]] for a in range(high) for b in range(wide)]
    return np.stack(taps, axis=1)


def _factored(kernel: Kernel, parts: Sequence[Floats], seen: Floats) -> Statistics:
    if kernel.depthwise:
        return _factored_depthwise(kernel, parts[0], seen)
    a, b = parts
    energy = np.trace(a) + 1e-30
    a = a / 2 + energy / 2 * seen / (np.trace(seen) + 1e-30)
    m_in, d_in = triangular(a / energy * len(a), _DAMPING_IN)
    m_out, d_out = triangular(b / len(a), _DAMPING_OUT)
    return Statistics(m_in.astype(np.float32), d_in, m_out.astype(np.float32), d_out)


def _factored_depthwise(kernel: Kernel, a: Floats, seen: Floats) -> Statistics:
    channels, taps = a.shape[:2]
    multiplier = kernel.shape[3]
    energies = np.trace(a, axis1=1, axis2=2) / multiplier
    least = 1e-3 * energies.mean() + 1e-30
    matrices, sizes = [], []
    for channel in range(channels):
        shape = seen[channel] / (np.trace(seen[channel]) + 1e-30)
        own = a[channel] / (np.trace(a[channel]) + 1e-30)
        mixed = (own / 2 + shape / 2) * max(energies[channel], least)
        m, d = triangular(mixed, _DAMPING_DEPTHWISE)
        matrices += [m.astype(np.float32)] * multiplier
        sizes += [np.exp(np.log(d).mean())] * multiplier
    return Statistics(np.stack(matrices), np.ones(taps), None, np.array(sizes))


def triangular(matrix: Floats, damping: float) -> tuple[Floats, Floats]:
    """M and d with M diag(d) M^T = the matrix, damped; M is unit upper triangular."""
    size = len(matrix)
    damped = matrix + (damping * np.trace(matrix) / size + 1e-30) * np.eye(size)
    lower = np.linalg.cholesky(damped[::-1, ::-1])
    diagonal: Floats = np.diag(lower)
    squares: Floats = np.square(diagonal)[::-1]
    return (lower / diagonal)[::-1, ::-1], squares
