"""Rounds kernels with error feedback, under Node: runtime/src/weights/feedback.ts is the loop."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen import runtime
from sitegen.runtime.node import executable
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


def rounded(tasks: Sequence[Task], steps: Sequence[float]) -> list[NDArray[np.int16]]:
    """For each task the integers of every global step: [steps, in, out]."""
    # The largest first, each to whoever has least to do.
    piles: list[list[int]] = [[] for _ in range(min(_AT_ONCE, len(tasks)))]
    for index in sorted(range(len(tasks)), key=lambda i: -tasks[i].cost):
        min(piles, key=lambda pile: sum(tasks[i].cost for i in pile)).append(index)
    found: dict[int, NDArray[np.int16]] = {}
    with tempfile.TemporaryDirectory(prefix="sitegen-") as name, ThreadPoolExecutor(_AT_ONCE) as threads:
        jobs = [(Path(name) / str(number), pile) for number, pile in enumerate(piles)]
        for part in threads.map(lambda job: _run(job[0], [(i, tasks[i]) for i in job[1]], steps), jobs):
            found |= part
    return [found[index] for index in range(len(tasks))]


def _run(folder: Path, tasks: Sequence[tuple[int, Task]], steps: Sequence[float]) -> dict[int, NDArray[np.int16]]:
    folder.mkdir()
    told = [_written(folder, str(index), task, steps) for index, task in tasks]
    (folder / "tasks.json").write_text(json.dumps(told))
    subprocess.run([executable(), str(runtime.load().tool("round")), str(folder)], check=True, capture_output=True)
    return {
        index: np.fromfile(folder / f"{index}.i16", "<i2").reshape(len(steps), *task.weights.shape)
        for index, task in tasks
    }


def _written(folder: Path, name: str, task: Task, steps: Sequence[float]) -> dict[str, Any]:
    statistics = task.statistics
    files = {
        "weights": task.weights.astype("<f8"),
        "rows": statistics.m_in.astype("<f4"),
        "columns": None if statistics.m_out is None else statistics.m_out.astype("<f4"),
        "rowsteps": factors(task.row_exponents).astype("<f8"),
        "columnsteps": factors(task.column_exponents).astype("<f8"),
    }
    for kind, array in files.items():
        if array is not None:
            np.ascontiguousarray(array).tofile(folder / f"{name}.{kind}")
    rows, columns = task.weights.shape
    across = statistics.m_out is not None
    per_column = statistics.m_in.ndim == 3
    told = {"name": name, "rows": rows, "columns": columns, "perColumn": per_column, "across": across}
    return {**told, "steps": [step * task.base for step in steps]}
