"""Rounds kernels with error feedback, under Node: runtime/src/weights/feedback.ts is the loop."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen import runtime
from sitegen.runtime.node import Tool
from sitegen.weights.container import factors
from sitegen.weights.statistics import Statistics

_AT_ONCE = 2


@dataclass(frozen=True)
class Task:
    """A kernel's matrix [in, out], what is known of it, and its steps.

    The step of weight (i, o) is a global one times `base` times 2^((row exponent + column exponent) / 2).
    """

    weights: NDArray[np.float64]
    statistics: Statistics
    base: float
    row_exponents: NDArray[np.int16]
    column_exponents: NDArray[np.int16]

    @property
    def cost(self) -> float:
        """About how many multiplications one rounding takes."""
        rows, columns = self.weights.shape
        return float(rows * columns * (rows + columns) / 2)


class Rounding:
    """A context manager: tasks, in processes that round them for one step after the other."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        # The largest first, each to whoever has least to do.
        piles: list[list[int]] = [[] for _ in range(min(_AT_ONCE, len(tasks)))]
        for index in sorted(range(len(tasks)), key=lambda i: -tasks[i].cost):
            min(piles, key=lambda pile: sum(tasks[i].cost for i in pile)).append(index)
        with ExitStack() as stack:
            whole = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sitegen-")))
            self._piles = []
            for number, pile in enumerate(piles):
                folder = whole / str(number)
                folder.mkdir()
                told = [_written(folder, str(index), tasks[index]) for index in pile]
                (folder / "tasks.json").write_text(json.dumps(told))
                tool = stack.enter_context(Tool(runtime.load().tool("round"), folder))
                self._piles.append((folder, pile, tool))
            self._threads = stack.enter_context(ThreadPoolExecutor(_AT_ONCE))
            self._stack = stack.pop_all()

    def integers(self, steps: Sequence[float]) -> list[NDArray[np.int16]]:
        """The integers [in, out] of each task, for the size of its steps: a global one times its base."""
        list(self._threads.map(lambda each: each[2].ask([steps[index] for index in each[1]]), self._piles))
        found = {index: self._read(folder, index) for folder, pile, _ in self._piles for index in pile}
        return [found[index] for index in range(len(self._tasks))]

    def _read(self, folder: Path, index: int) -> NDArray[np.int16]:
        task = self._tasks[index]
        found = np.empty(task.weights.shape, np.int16)
        ordered = np.fromfile(folder / f"{index}.i16", "<i2").reshape(found.shape)
        found[np.ix_(task.statistics.order_in, task.statistics.order_out)] = ordered
        return found

    def __enter__(self) -> Rounding:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)


def _written(folder: Path, name: str, task: Task) -> dict[str, Any]:
    known = task.statistics
    files = {
        "weights": task.weights[np.ix_(known.order_in, known.order_out)].astype("<f8"),
        "rows": known.m_in.astype("<f4"),
        "columns": None if known.m_out is None else known.m_out.astype("<f4"),
        "rowsteps": factors(task.row_exponents[known.order_in]).astype("<f8"),
        "columnsteps": factors(task.column_exponents[known.order_out]).astype("<f8"),
    }
    for kind, array in files.items():
        if array is not None:
            np.ascontiguousarray(array).tofile(folder / f"{name}.{kind}")
    rows, columns = task.weights.shape
    across, per_column = known.m_out is not None, known.m_in.ndim == 3
    return {"name": name, "rows": rows, "columns": columns, "perColumn": per_column, "across": across}
