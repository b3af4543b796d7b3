"""What a model's outputs are with any weights file, as the engine in the page computes them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from sitegen.records import GraphModel
from sitegen.weights.engine import Bench

_AT_ONCE = 2
Outputs = list[NDArray[np.float64]]


class Measure:
    """A context manager: a model and groups of inputs in the engine, half of them in each of two processes."""

    def __init__(self, model: GraphModel, kinds: Sequence[str], groups: Sequence[NDArray[np.float32]]) -> None:
        """`kinds` says what each of the model's outputs is (fidelity.py); they are float32."""
        self.kinds = kinds
        (name,) = (spec.name for spec in model.signature.inputs)
        runs = [{name: each[None]} for group in groups for each in group]
        self._ends = np.cumsum([len(group) for group in groups])[:-1]
        with ExitStack() as stack:
            parts = [runs[at::_AT_ONCE] for at in range(min(_AT_ONCE, len(runs)))]
            self._benches = [stack.enter_context(Bench(model, part)) for part in parts]
            self._threads = stack.enter_context(ThreadPoolExecutor(_AT_ONCE))
            self._stack = stack.pop_all()

    def outputs(self, file: bytes) -> list[Outputs]:
        """What a weights file makes of each group: each end as [inputs, numbers].

        They are probabilities where the end's kind says logits. Raises SitegenError where the engine cannot run the
        model.
        """
        parts = list(self._threads.map(lambda bench: bench.run(file), self._benches))
        made = [parts[at % len(parts)][at // len(parts)].outputs for at in range(sum(map(len, parts)))]
        whole = [
            _result(np.stack([run[index].ravel() for run in made]).astype(np.float64), kind)
            for index, kind in enumerate(self.kinds)
        ]
        return [list(group) for group in zip(*(np.split(values, self._ends) for values in whole), strict=True)]

    def __enter__(self) -> Measure:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)


def _result(values: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    if kind == "logits":
        powers: NDArray[np.float64] = np.exp(values - values.max(axis=1, keepdims=True))
        sums: NDArray[np.float64] = powers.sum(axis=1, keepdims=True)
        return powers / sums
    if kind == "logit":
        one: NDArray[np.float64] = 1 / (1 + np.exp(-values))
        return one
    return values
