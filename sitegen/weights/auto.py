"""The fewest bytes that lose no more than is allowed: error feedback, one global step, an entropy coder.

Steps of rows and columns follow from the statistics; one number, the global step, is left to be searched. The gate
holds the worst of several kinds of inputs, none of which the statistics were taken from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.models import store
from sitegen.records import GraphModel
from sitegen.weights import container, entropy, fidelity, quantize, rounding, statistics, synthetic
from sitegen.weights.container import Tensor, write
from sitegen.weights.entropy import Matrix
from sitegen.weights.network import Floats, Kernel, Network
from sitegen.weights.rounding import Task
from sitegen.weights.statistics import Statistics

Inputs = Callable[[str, int, int], Floats]  # family, count, seed -> inputs as the model takes them
# How many inputs the statistics are taken from, by family; how many of each family the gate has.
_CALIBRATION: Mapping[str, int] = {"dead leaves": 76, "pink noise": 38, "white noise": 14}
_GATE = 32
_ENOUGH = 16  # pictures held out that can speak for themselves
# Next to TF.js's uint8: less than it would lose, as what is real may be worse than what is synthetic; and never more
# than this, where uint8 breaks a model.
_MARGIN = 0.5
_MOST = 1e-2
_NOTHING = 1e-9  # less than this is nobody's loss
_SHARE = 0.25  # steps follow the statistics to this power; the theoretical 1/2 overfits
_MOST_HALF_OCTAVES = 40
_LARGEST = 24000
# Global steps that are tried, next to the one at which the statistics promise what is allowed: they promise too little.
_GRID = [2.0 ** (quarter / 4) for quarter in range(-8, 17)]
_FINE = [2.0 ** (part / 16) for part in range(4)]


@dataclass(frozen=True)
class Budget:
    """What may be lost: the most distortion (KL in nats, NMSE), the least share of inputs whose best class stays, and
    the most share of labelled inputs by which accuracy falls.

    Where neither is said, it is as near as _MARGIN says; with `agreement` alone, that bound holds besides.
    """

    distortion: float | None = None
    agreement: float | None = None
    drop: float | None = None


_NONE = Budget()


@dataclass(frozen=True)
class Encoded:
    """A weights file; its loss is the worst family's."""

    file: bytes
    weights: Mapping[str, Floats]
    bytes: int  # of weights, without the header
    loss: fidelity.Loss
    uint8: fidelity.Loss
    measure: str  # what the distortion is: KL, NMSE
    inputs: int  # how many it was measured on
    on: str  # and which these were
    accuracy: tuple[float, float] | None = None  # on labelled inputs, of the float model and of this


@dataclass(frozen=True)
class _Family:
    name: str
    inputs: Floats
    reference: list[NDArray[np.float64]]
    uint8: fidelity.Loss
    budget: Budget
    classes: fidelity.Classes | None = None  # the right ones, where they are known

    @property
    def allowed(self) -> float:
        """The most distortion."""
        if self.budget.distortion is not None:
            return self.budget.distortion
        return max(min(_MARGIN * self.uint8.distortion, _MOST), _NOTHING)

    @property
    def accuracy(self) -> float:
        """Of the float model; 0 where the right classes are not known."""
        return 0.0 if self.classes is None else fidelity.accuracy(self.reference, self.classes)

    def holds(self, found: fidelity.Loss) -> bool:
        """Whether a loss is within the budget."""
        agreement = self.budget.agreement
        agrees = agreement is None or found.agreement is None or found.agreement >= agreement
        # 0.9 - 0.1 need not be 0.8.
        least = 0.0 if self.budget.drop is None else self.accuracy - self.budget.drop - 1e-9
        right = found.accuracy is None or found.accuracy >= least
        return agrees and right and found.distortion <= self.allowed


def encode(
    model: GraphModel,
    kinds: Sequence[str],
    inputs: Inputs,
    budget: Budget = _NONE,
    data: Floats | None = None,
    *,
    fixed: Mapping[str, str] = MappingProxyType({}),
    labelled: tuple[Floats, fidelity.Classes] | None = None,
) -> Encoded:
    """`fixed` has the schemes of tensors that are not coded; `labelled` are inputs with the indices of their classes.

    Raises LookupError when TensorFlow has no gradient for an operation of the model, or the model has no kernels.

    Raises SitegenError when the budget cannot be met.
    """
    network = Network(model, kinds)
    known = statistics.gather(network, _calibration(inputs, data), 2)
    families = [_family(network, name, values, budget) for name, values in _gates(inputs, data)]
    if labelled is not None:
        families.append(_family(network, "labelled pictures", labelled[0], budget, labelled[1]))
    kernels = [kernel for kernel in network.kernels if kernel.name in known and kernel.name not in fixed]
    if not kernels:
        raise LookupError("no kernel with a gradient is left to it")
    count = sum(model.weights[kernel.name].size for kernel in kernels)
    start = float(np.sqrt(12 * min(family.allowed for family in families) / count))
    tasks = [_task(kernel, model.weights[kernel.name], known[kernel.name], start * _GRID[0]) for kernel in kernels]
    search = _Search(network, families, kernels, tasks, _rest(model, {kernel.name for kernel in kernels}, fixed))
    best = search.largest([start * factor for factor in _GRID])
    if best is not None:
        best = search.largest([best * factor for factor in _FINE])
    if best is None:
        nearest = search.encoded(start * _GRID[0])
        raise SitegenError(
            f"quantize: auto comes no nearer than {_said(nearest)}", hint="take quantize: float16, or allow more loss"
        )
    return search.encoded(best)


def _calibration(inputs: Inputs, data: Floats | None) -> Floats:
    """What the statistics are taken from: with data, every other picture of it, and synthetic ones besides."""
    real = [] if data is None else [data[::2]]
    # A few pictures alone would be learned by heart.
    share = max(0.25, 1 - sum(map(len, real)) / 96)
    made = [inputs(family, max(1, round(share * count)), 1) for family, count in _CALIBRATION.items()]
    return np.concatenate([*real, *made])


def _gates(inputs: Inputs, data: Floats | None) -> Iterator[tuple[str, Floats]]:
    """Names and inputs of what the loss is measured on: the data that is left; synthetic ones where that is little."""
    held_out = 0 if data is None else len(data) // 2
    if data is not None and held_out:
        yield "calibration pictures", data[1::2]
    if held_out < _ENOUGH:
        for family in synthetic.FAMILIES:
            yield f"synthetic pictures ({family})", inputs(family, _GATE, 3)


def _said(found: Encoded) -> str:
    agreement = "" if found.loss.agreement is None else f", the best class kept for {found.loss.agreement:.1%}"
    accuracy = "" if found.accuracy is None else ", accuracy {1:.1%} of {0:.1%}".format(*found.accuracy)
    return f"{found.measure} {found.loss.distortion:.1e}{agreement}{accuracy}"


def _task(kernel: Kernel, weights: NDArray[np.generic], known: Statistics, least: float) -> Task:
    """`least` is the smallest global step: no integer may be too large with it."""
    matrix = kernel.matrix(weights).astype(np.float64)
    (row_base, rows), (column_base, columns) = (_snapped(_steps(d)) for d in (known.d_in, known.d_out))
    base = row_base * column_base
    step = least * base * container.factors(rows)[:, None] * container.factors(columns)[None, :]
    over = np.log2(np.abs(matrix / step).max(axis=0) / _LARGEST + 1e-30)
    return Task(matrix, known, base, rows, (columns + np.ceil(2 * np.maximum(over, 0))).astype(np.int16))


def _steps(diagonal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Steps that follow the costs only partly, at the same sum of costs times squared steps as the full ones."""
    partly = np.maximum(diagonal, 1e-12 * diagonal.max() + 1e-300) ** (2 * _SHARE)
    steps: NDArray[np.float64] = (partly * (diagonal / partly).mean()) ** -0.5
    return steps


def _snapped(steps: NDArray[np.float64]) -> tuple[float, NDArray[np.int16]]:
    """A base, and how many half octaves each step is from it."""
    base = float(np.exp2(np.median(np.log2(steps))))
    exponents = np.round(2 * np.log2(steps / base)).clip(-_MOST_HALF_OCTAVES, _MOST_HALF_OCTAVES)
    return base, exponents.astype(np.int16)


def _family(
    network: Network, name: str, inputs: Floats, budget: Budget, classes: fidelity.Classes | None = None
) -> _Family:
    reference = network.run(inputs)
    weights = {name: _uint8(value) for name, value in network.model.weights.items() if value.dtype.kind == "f"}
    uint8 = fidelity.loss(reference, network.run(inputs, weights), network.kinds)
    return _Family(name, inputs, reference, uint8, budget, classes)


def _uint8(values: NDArray[np.generic]) -> Floats:
    return quantize.dequantized(quantize.uint8(values.astype(np.float32)))


def _rest(model: GraphModel, coded: set[str], fixed: Mapping[str, str]) -> dict[str, quantize.Quantized]:
    """What is not coded: biases, slopes, tables, and what is `fixed`."""
    floats = {name: value for name, value in model.weights.items() if value.dtype.kind == "f" and name not in coded}
    schemes = {name: quantize.SCHEMES[fixed.get(name, "float16")] for name in floats}
    return {name: schemes[name](value.astype(np.float32)) for name, value in floats.items()}


def _values(kernel: Kernel, task: Task, integers: NDArray[np.int16], step: float) -> Floats:
    rows, columns = container.factors(task.row_exponents), container.factors(task.column_exponents)
    if kernel.transposed:
        integers, rows, columns = integers.T, columns, rows
    return container.coded_values(integers, step * task.base, rows, columns).reshape(kernel.shape)


class _Search:
    """Everything but the global step."""

    def __init__(
        self,
        network: Network,
        families: Sequence[_Family],
        kernels: Sequence[Kernel],
        tasks: Sequence[Task],
        rest: Mapping[str, quantize.Quantized],
    ) -> None:
        self._network, self._families, self._kernels, self._tasks, self._rest = network, families, kernels, tasks, rest

    def largest(self, steps: Sequence[float]) -> float | None:
        """The largest of some ascending steps that passes, if all below it do; None when the first does not."""
        low, high = -1, len(steps)
        while high - low > 1:
            middle = (low + high) // 2
            if self._passes(self._weights(self._rounded(steps[middle]), steps[middle])):
                low = middle
            else:
                high = middle
        return steps[low] if low >= 0 else None

    def _rounded(self, step: float) -> list[NDArray[np.int16]]:
        return [found[0] for found in rounding.rounded(self._tasks, [step])]

    def _weights(self, integers: Sequence[NDArray[np.int16]], step: float) -> dict[str, Floats]:
        made = zip(self._kernels, self._tasks, integers, strict=True)
        return {
            **{name: quantize.dequantized(stored) for name, stored in self._rest.items()},
            **{kernel.name: _values(kernel, task, found, step) for kernel, task, found in made},
        }

    def _losses(self, weights: Mapping[str, Floats]) -> Iterator[fidelity.Loss]:
        for family in self._families:
            found = self._network.run(family.inputs, weights)
            yield fidelity.loss(family.reference, found, self._network.kinds, family.classes)

    def _passes(self, weights: Mapping[str, Floats]) -> bool:
        pairs = zip(self._losses(weights), self._families, strict=True)
        return all(family.holds(loss) for loss, family in pairs)

    def encoded(self, step: float) -> Encoded:
        """The weights file for a global step."""
        integers = self._rounded(step)
        weights = self._weights(integers, step)
        coded = {k.name: (k, t, q) for k, t, q in zip(self._kernels, self._tasks, integers, strict=True)}
        tensors, matrices = [], []
        for name, value in self._network.model.weights.items():
            if name in coded:
                tensor, matrix = _coded(*coded[name], step)
                tensors.append(tensor)
                matrices.append(matrix)
            elif name in self._rest:
                stored = self._rest[name]
                tensors.append(Tensor(name, value.shape, stored.scheme, stored.data, stored.more))
            else:
                tensors.append(Tensor(name, value.shape, store.dtype(value), value))
        stream = entropy.encode(matrices)
        losses = list(self._losses(weights))
        worst = max(range(len(losses)), key=lambda i: losses[i].distortion / self._families[i].allowed)
        pairs = zip(self._families, losses, strict=True)
        right = [(family.accuracy, found.accuracy) for family, found in pairs if found.accuracy is not None]
        plain = sum(t.data.nbytes for t in tensors if t.data is not None)
        return Encoded(
            file=write(tensors, stream),
            weights=weights,
            bytes=plain + len(stream),
            loss=losses[worst],
            uint8=self._families[worst].uint8,
            measure="NMSE" if self._network.kinds[0] == "numbers" else "KL",
            inputs=len(self._families[worst].inputs),
            on=self._families[worst].name,
            accuracy=right[0] if right else None,
        )


def _coded(kernel: Kernel, task: Task, integers: NDArray[np.int16], step: float) -> tuple[Tensor, Matrix]:
    rows, columns = task.row_exponents, task.column_exponents
    if kernel.transposed:
        integers, rows, columns = integers.T, columns, rows
    more = {"rows": len(rows), "step": step * task.base}
    given = [e if e.any() else None for e in (rows, columns)]
    return Tensor(kernel.name, kernel.shape, "coded", None, more), Matrix(integers, *given)
