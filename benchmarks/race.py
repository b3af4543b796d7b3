"""Models side by side in one Chromium, in turn: TF.js as it comes, and the engines that pages ship."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from sitegen.records import GraphModel  # noqa: E402
from tests.parity.chromium import WORKER, Arena, Run  # noqa: E402

_TFJS = HERE.parent / "sitegen/runtime/node_modules/@tensorflow"


@dataclass(frozen=True)
class Entrant:
    """Who runs, on inputs by tensor name.

    `stock` names a backend of TF.js as it comes; None is an engine of pages: the plan engine where there is a plan.
    """

    model: GraphModel
    inputs: Mapping[str, NDArray[Any]]
    stock: str | None = None
    plan: bytes | None = None


@dataclass(frozen=True)
class Result:
    """Milliseconds of the first run and of those after it, and the outputs of the last."""

    first: float
    times: list[float]
    last: Run

    @property
    def text(self) -> str:
        """For a line of a table."""
        least, median = min(self.times), statistics.median(self.times)
        return f"first {self.first:9.1f} ms, then min {least:9.1f}, median {median:9.1f}"


def race(entrants: Mapping[str, Entrant], turns: int) -> dict[str, Result]:
    """Runs all in turn, once cold and `turns` times more."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shown"
        root.mkdir()
        _copy_tfjs(root / "tfjs")
        with Arena(root) as arena:
            for name, entrant in entrants.items():
                script = _stock(Path(folder), entrant.stock) if entrant.stock else WORKER
                arena.enter(name, entrant.model, [entrant.inputs], script, plan=entrant.plan)
            runs: dict[str, list[Run]] = {name: [] for name in entrants}
            order = list(entrants)
            for _ in range(turns + 1):
                for name in order:
                    runs[name].append(arena.run(name))
                # Nobody is always first, or always after the same.
                order = [*order[1:], order[0]]
    return {
        name: Result(first.milliseconds, [run.milliseconds for run in rest], rest[-1])
        for name, (first, *rest) in runs.items()
    }


def _stock(folder: Path, backend: str) -> Path:
    script = folder / f"stock-{backend}.js"
    script.write_text(f"const BACKEND = '{backend}';\n" + (HERE / "stock.js").read_text("utf-8"))
    return script


def _copy_tfjs(folder: Path) -> None:
    folder.mkdir()
    for package, name in (
        ("core", "core"),
        ("converter", "converter"),
        ("backend-cpu", "cpu"),
        ("backend-webgl", "webgl"),
        ("backend-wasm", "wasm"),
    ):
        shutil.copy(_TFJS / f"tfjs-{package}/dist/tf-{package}.min.js", folder / f"{name}.js")
    for file in (_TFJS / "tfjs-backend-wasm/wasm-out").glob("*.wasm"):
        shutil.copy(file, folder)


def ratio(slow: Result, fast: Result) -> str:
    """How many times as long the first takes: by minima, and by medians."""
    by_least = min(slow.times) / min(fast.times)
    by_median = statistics.median(slow.times) / statistics.median(fast.times)
    return f"{by_least:.1f} times by minima, {by_median:.1f} by medians"


def close(a: Result, b: Result) -> float:
    """The largest difference between two results."""
    pairs = zip(a.last.outputs, b.last.outputs, strict=True)
    return max(float(np.max(np.abs(np.subtract(x, y)))) for x, y in pairs)
