"""What a model's outputs are with any weights file, as the engine in the page computes them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sitegen.records import GraphModel, Signature, TensorSpec
from sitegen.weights import engine

_AT_ONCE = 2
Outputs = list[NDArray[np.float64]]


class Measure:
    """A model, and what each of its ends is (fidelity.py)."""

    def __init__(self, model: GraphModel, kinds: Sequence[str]) -> None:
        self.kinds = kinds
        (self._input,) = (spec.name for spec in model.signature.inputs)
        # Of detectors, the heads: boxes that are left of them come and go.
        ends = tuple(TensorSpec(end, "float32", ()) for end in model.ends)
        self._model = replace(model, detection=None, signature=Signature(model.signature.inputs, ends))

    def outputs(self, file: bytes, inputs: NDArray[np.float32]) -> Outputs:
        """Each end as [inputs, numbers], probabilities where its kind says logits.

        Raises SitegenError where the engine cannot run the model.
        """
        runs = [{self._input: each[None]} for each in inputs]
        halves = [runs[: len(runs) // 2], runs[len(runs) // 2 :]] if len(runs) > 1 else [runs]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = threads.map(lambda half: engine.run(self._model, [file], half)[0], halves)
            made = [run.outputs for half in found for run in half]
        return [
            _result(np.stack([run[index].ravel() for run in made]).astype(np.float64), kind)
            for index, kind in enumerate(self.kinds)
        ]

    def outputs_of(self, file: bytes, groups: Sequence[NDArray[np.float32]]) -> list[Outputs]:
        """The outputs of each group of inputs; all go through the engine at once."""
        whole = self.outputs(file, np.concatenate(groups))
        ends = np.cumsum([len(group) for group in groups])[:-1]
        return [list(part) for part in zip(*(np.split(values, ends) for values in whole), strict=True)]


def _result(values: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    if kind == "logits":
        powers: NDArray[np.float64] = np.exp(values - values.max(axis=1, keepdims=True))
        sums: NDArray[np.float64] = powers.sum(axis=1, keepdims=True)
        return powers / sums
    if kind == "logit":
        one: NDArray[np.float64] = 1 / (1 + np.exp(-values))
        return one
    return values
