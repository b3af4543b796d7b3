"""Weights that were quantized in their file: whole numbers times a step a column, which are kept as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.records import GraphModel
from sitegen.weights.container import Tensor

# Of 8 bits, less a zero point that is one of them.
_LARGEST = 255
_MOST = 0.9  # of the weights, that they are called those of a quantized model


@dataclass(frozen=True)
class Grid:
    """Integers [rows, columns]; `steps` is one number, or one for each column."""

    integers: NDArray[np.int16]
    steps: NDArray[np.float32]

    def tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """For container.py."""
        more = {"rows": len(self.integers), "steps": len(self.steps)}
        return Tensor(name, shape, "grid", self.steps, more)


def find(model: GraphModel) -> dict[str, Grid]:
    """The weights that are exactly such multiples: what scaled them since is seen by their numbers."""
    found = {name: _grid(model.weights[name], steps) for name, steps in model.steps.items() if name in model.weights}
    return {name: grid for name, grid in found.items() if grid is not None}


def cover(model: GraphModel, fixed: Mapping[str, str]) -> bool:
    """Whether next to all weights that have no scheme of their own are such."""
    sizes = {name: each.size for name, each in model.weights.items() if each.dtype.kind == "f" and name not in fixed}
    known = find(model) if model.steps else {}
    return sum(size for name, size in sizes.items() if name in known) > _MOST * sum(sizes.values())


def _grid(values: NDArray[np.generic], steps: NDArray[np.float32]) -> Grid | None:
    if values.size == 0 or values.size % len(steps) or not (steps > 0).all():
        return None
    matrix = values.reshape(-1, _columns(values.shape, len(steps))).astype(np.float32)
    wide = steps.astype(np.float64)
    integers = np.rint(matrix / wide)
    if not np.abs(integers).max() <= _LARGEST or not np.array_equal((integers * wide).astype(np.float32), matrix):
        return None
    return Grid(integers.astype(np.int16), steps)


def _columns(shape: tuple[int, ...], steps: int) -> int:
    """As many as there are steps; with one step, one for each channel. A depthwise kernel's are its last two axes."""
    if steps > 1 or not shape:
        return steps
    return shape[-1] * (shape[-2] if len(shape) == 4 and shape[-1] == 1 else 1)
