"""The fewest bytes that lose no more than is allowed: error feedback, one global step, an entropy coder.

Steps of rows and columns follow from the statistics; one number, the global step, is left to be searched. The gate
holds the worst of several kinds of inputs, none of which the statistics were taken from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sitegen import text
from sitegen.errors import SitegenError, Unmeasurable
from sitegen.graph import flops
from sitegen.records import GraphModel
from sitegen.weights import container, entropy, fidelity, kernels, quantize, search, sizes, statistics
from sitegen.weights.container import Tensor
from sitegen.weights.entropy import Matrix
from sitegen.weights.gate import BESIDES, LIKEST, OTHER, REAL, Bound, Budget, Family, Gate, Loss
from sitegen.weights.gradients import Gradients, Projection
from sitegen.weights.measure import Measure
from sitegen.weights.rounding import Rounding, Task

Floats = NDArray[np.float32]


class Inputs(Protocol):
    """Makes inputs as the model takes them, of three families, of which the first is most like real ones."""

    families: tuple[str, ...]

    def synthetic(self, family: str, count: int, seed: int) -> Floats:
        """[count, ...], the same for the same seed."""


_Told = tuple[str, Floats, Bound, fidelity.Classes | None]  # a family's name, inputs, bound and classes
# Random projections of the outputs for each input: fewer for models that take long.
_PROBES, _FEW_PROBES, _LONG = 4, 2, 1e9
# Of the inputs that the statistics are taken from, the share of each family.
_SHARES = (0.8, 0.15, 0.05)
# How many these are, and how many of each family the gate has: fewer for models that take long (operations in all).
_FEWEST, _MOST, _OPERATIONS = 32, 384, 4e10
_GATE_FEWEST, _GATE_MOST, _GATE_OPERATIONS = 8, 48, 2e10
_ENOUGH = 16  # pictures held out that speak for themselves
_QUICK = 1e8  # operations of a model with which more may be tried


@dataclass(frozen=True)
class Encoded:
    """A weights file; `loss` is the worst family's, and accuracies are those on labelled inputs."""

    file: bytes
    sizes: Mapping[str, int]  # bytes of each tensor, without its part of the header
    loss: Loss
    uint8: fidelity.Loss
    measure: str  # what the distortion is: KL, NMSE
    accuracy: float | None
    float_accuracy: float | None


def encode(
    model: GraphModel,
    kinds: Sequence[str],
    inputs: Inputs,
    budget: Budget | None = None,
    *,
    data: Floats | None = None,
    labelled: tuple[Floats, fidelity.Classes] | None = None,
    fixed: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Encoded:
    """`kinds` says what each of the outputs is (fidelity.py); these are measured, and are float32 (heads.py).

    `data` are real inputs, half of which the loss is measured on; `labelled` ones have classes.

    Tensors in `fixed` are stored by the scheme it names; `say` is told how far it is. Raises LookupError when
    TensorFlow has no gradient for an operation of the model, or no kernel has one; SitegenError when the budget cannot
    be met, Unmeasurable when there is none and nothing is as near as uint8 or as what is said in its stead.
    """
    work = flops.count(model) or 1e9
    told = list(_gates(inputs, data, labelled, work))
    with ExitStack() as stack:
        say("what 8-bit integers lose")
        measure = stack.enter_context(Measure(model, kinds, [given for _, given, *_ in told]))
        gate = Gate(measure, _families(model, measure, told), budget or Budget())
        say("how its errors add up")
        calibration = _calibration(inputs, data, work)
        most = max(gate.families, key=lambda family: family.inputs)
        projections = statistics.projections(most.reference, kinds)
        probes = _FEW_PROBES if work > _LONG else _PROBES
        plan = _Plan(model, projections, probes, calibration, fixed or {}, min(gate.allowed))
        rounding = stack.enter_context(Rounding(list(plan.tasks.values())))
        tried: dict[int, tuple[bytes, dict[str, int], list[Loss]]] = {}

        def excess(at: int) -> float:
            file, shares = plan.file(rounding, at)
            tried[at] = file, shares, gate.losses(file)
            found = _worst(tried[at][2]).excess
            say(f"{text.size(len(file))} lose {'too much' if found > 0 else 'little enough'}")
            return found

        best = search.largest(excess, search.MANY if work < _QUICK else search.FEW)
    measured = "NMSE" if kinds[0] == "numbers" else "KL"
    if best is None:
        nearest = min((losses for _, _, losses in tried.values()), key=lambda losses: _worst(losses).excess)
        what = f"quantize: auto comes no nearer than {_said(measured, gate, nearest)}"
        if gate.budget == Budget():
            raise Unmeasurable(what, hint="take quantize: float16, or say what may be lost")
        raise SitegenError(what, hint="take quantize: float16, or allow more loss")
    file, shares, losses = tried[best]
    loss = _worst(losses)
    uint8 = next(family.uint8 for family in gate.families if family.name == loss.on)
    return Encoded(file, shares, loss, uint8, measured, *_accuracies(gate, losses))


def _worst(losses: Sequence[Loss]) -> Loss:
    return max(losses, key=lambda loss: loss.excess)


def _accuracies(gate: Gate, losses: Sequence[Loss]) -> tuple[float | None, float | None]:
    """On labelled inputs, with a file and without any loss."""
    pairs = zip(gate.families, losses, strict=True)
    return next(((loss.accuracy, f.accuracy) for f, loss in pairs if loss.accuracy is not None), (None, None))


def _calibration(inputs: Inputs, data: Floats | None, work: float) -> Floats:
    """What the statistics are taken from: with data, every other picture of it, and synthetic ones besides."""
    count = int(min(max(_OPERATIONS / work, _FEWEST), _MOST))
    real = [] if data is None else [data[::2][:count]]
    # A few pictures alone would be learned by heart.
    synthetic = max(0.25 * count, count - sum(map(len, real)) / 0.75)
    made = [
        inputs.synthetic(family, max(1, round(share * synthetic)), 1)
        for family, share in zip(inputs.families, _SHARES, strict=True)
    ]
    return np.concatenate([*real, *made])


def _gates(
    inputs: Inputs,
    data: Floats | None,
    labelled: tuple[Floats, fidelity.Classes] | None,
    work: float,
) -> Iterator[_Told]:
    """What the loss is measured on: the data that is left, where there is some, and synthetic inputs."""
    count = int(min(max(_GATE_OPERATIONS / work, _GATE_FEWEST), _GATE_MOST))
    bounds = [LIKEST, OTHER, OTHER]
    if data is not None and len(data) > 1:
        held_out = data[1::2]
        yield "calibration pictures", held_out[:: math.ceil(len(held_out) / (3 * count))], REAL, None
        if len(held_out) >= _ENOUGH:
            # They speak for themselves, but not for all others.
            bounds = [BESIDES, OTHER]
    for family, bound in zip(inputs.families, bounds, strict=False):
        yield f"synthetic pictures ({family})", inputs.synthetic(family, count, 3), bound, None
    if labelled is not None:
        yield "labelled pictures", labelled[0], REAL, labelled[1]


def _families(model: GraphModel, measure: Measure, told: Sequence[_Told]) -> list[Family]:
    files = (container.write(quantize.tensors(model, scheme)) for scheme in ("none", "uint8"))
    references, others = (measure.outputs(file) for file in files)
    return [
        Family(name, len(inputs), reference, fidelity.loss(reference, other, measure.kinds), bound, classes)
        for (name, inputs, bound, classes), reference, other in zip(told, references, others, strict=True)
    ]


def _said(measure: str, gate: Gate, losses: Sequence[Loss]) -> str:
    worst = _worst(losses)
    said = [f"{measure} {worst.distortion:.1e}"]
    if worst.agreement is not None:
        said.append(f"the best class kept for {worst.agreement:.1%}")
    accuracy, before = _accuracies(gate, losses)
    if accuracy is not None:
        said.append(f"accuracy {accuracy:.1%} of {before:.1%}")
    return ", ".join(said)


class _Plan:
    """Everything but the global step: how each tensor is stored."""

    def __init__(
        self,
        model: GraphModel,
        projections: Sequence[Projection],
        probes: int,
        calibration: Floats,
        fixed: Mapping[str, str],
        allowed: float,
    ) -> None:
        self._model = model
        found = {kernel.name: kernel for kernel in kernels.find(model) if kernel.name not in fixed}
        floats = [name for name, value in model.weights.items() if value.dtype.kind == "f"]
        others = [name for name in floats if name not in found and name not in fixed and model.weights[name].size > 1]
        gradients = Gradients(model, list(found.values()), others, projections, probes)
        sums = gradients.sums(calibration, 5)
        count = len(calibration) * probes
        self._kernels = {name: kernel for name, kernel in found.items() if name in sums}
        if not self._kernels:
            raise LookupError("no kernel with a gradient is left to it")
        size = sum(model.weights[name].size for name in self._kernels)
        # At this step, the statistics say, as much is lost as may be.
        self._start = float(np.sqrt(12 * allowed / size))
        least = self._start * 2.0 ** (search.LOWEST / search.PARTS)
        self.tasks: dict[str, Task] = {
            name: sizes.task(kernel, model.weights[name], statistics.of(kernel, sums[name], count), least)
            for name, kernel in self._kernels.items()
        }
        self._others = {
            name: _base(model.weights[name], float(sums[name][0]) / count, least)
            for name in others
            if name in sums and sums[name][0] > 0
        }
        # What nothing depends on, and single numbers.
        schemes = {name: "none" for name in floats if model.weights[name].size == 1} | dict(fixed)
        self._plain = {
            tensor.name: tensor
            for tensor in quantize.tensors(model, "float16", schemes)
            if tensor.name not in self.tasks and tensor.name not in self._others
        }

    def file(self, rounding: Rounding, at: int) -> tuple[bytes, dict[str, int]]:
        """The weights file of a global step, in sixteenths of an octave, and how many bytes each tensor takes."""
        step = self._start * 2.0 ** (at / search.PARTS)
        steps = [sizes.short(step * task.base) for task in self.tasks.values()]
        rounded = zip(self.tasks, steps, rounding.integers(steps), strict=True)
        coded = {name: self._kernel(name, size, integers) for name, size, integers in rounded}
        coded |= {name: self._other(name, sizes.short(step * base)) for name, base in self._others.items()}
        ordered = [name for name in self._model.weights if name in coded]
        stream = entropy.encode([coded[name][1] for name in ordered])
        tensors = [coded[name][0] if name in coded else self._plain[name] for name in self._model.weights]
        shares = dict(zip(ordered, stream.sizes, strict=True))
        shares |= {name: tensor.data.nbytes for name, tensor in self._plain.items() if tensor.data is not None}
        return container.write(tensors, stream.data), shares

    def _kernel(self, name: str, step: float, integers: NDArray[np.int16]) -> tuple[Tensor, Matrix]:
        task, kernel = self.tasks[name], self._kernels[name]
        rows, columns = task.row_exponents, task.column_exponents
        if kernel.transposed:
            integers, rows, columns = integers.T, columns, rows
        given = [exponents if exponents.any() else None for exponents in (rows, columns)]
        return _tensor(name, kernel.shape, step, len(rows)), Matrix(integers, *given)

    def _other(self, name: str, step: float) -> tuple[Tensor, Matrix]:
        """Biases, slopes, tables: rounded one by one."""
        value = self._model.weights[name].astype(np.float64)
        integers = np.round(value / step).astype(np.int16).reshape(-1, value.shape[-1])
        return _tensor(name, value.shape, step, len(integers)), Matrix(integers)


def _tensor(name: str, shape: tuple[int, ...], step: float, rows: int) -> Tensor:
    return Tensor(name, shape, "coded", None, {"rows": rows, "step": step})


def _base(values: NDArray[np.generic], square: float, least: float) -> float:
    """The step of a tensor next to the global one; `square` is the sum of its mean squared gradients."""
    largest = float(np.abs(values.astype(np.float64)).max())
    wanted: float = (square / values.size) ** -0.5
    return max(wanted, largest / (least * sizes.LARGEST))
