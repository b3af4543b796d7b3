"""Models side by side in one Chromium, in turn: TF.js as it comes, and the engine that pages ship."""

from __future__ import annotations

import json
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
from tests.browsers.chromium import Chromium  # noqa: E402
from tests.host import Host  # noqa: E402
from tests.parity import engine  # noqa: E402

_TFJS = HERE.parent / "sitegen/runtime/node_modules/@tensorflow"


@dataclass(frozen=True)
class Entrant:
    """Who runs: `script` is stock.js or sitegen.js; `inputs` are by tensor name."""

    script: str
    model: GraphModel
    inputs: Mapping[str, NDArray[Any]]
    backend: str = "wasm"


@dataclass(frozen=True)
class Result:
    """Milliseconds of each run after the first, and the outputs of the last as flat lists."""

    first: float
    times: list[float]
    outputs: list[list[float]]

    @property
    def text(self) -> str:
        """For a line of a table."""
        least, median = min(self.times), statistics.median(self.times)
        return f"first {self.first:9.1f} ms, then min {least:9.1f}, median {median:9.1f}"


def race(entrants: Mapping[str, Entrant], turns: int) -> dict[str, Result]:
    """Runs all in turn, `turns` times."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _lay_out(root, entrants)
        host, browser = Host(root), Chromium()
        try:
            return _measure(browser, host, entrants, turns)
        finally:
            browser.close()
            host.stop()


def _lay_out(root: Path, entrants: Mapping[str, Entrant]) -> None:
    for name in ("race.html", "stock.js", "sitegen.js"):
        shutil.copy(HERE / name, root)
    shutil.copytree(engine.DIST, root / "dist")
    (root / "tfjs").mkdir()
    for package, name in (("core", "core"), ("converter", "converter"), ("backend-wasm", "wasm")):
        file = f"tf-{package}.min.js"
        shutil.copy(_TFJS / f"tfjs-{package}/dist/{file}", root / f"tfjs/{name}.js")
    for file in (_TFJS / "tfjs-backend-wasm/wasm-out").glob("*.wasm"):
        shutil.copy(file, root / "tfjs")
    cpu = _TFJS / "tfjs-backend-cpu/dist/tf-backend-cpu.min.js"
    shutil.copy(cpu, root / "tfjs/cpu.js")
    for index, entrant in enumerate(entrants.values()):
        path = root / f"model{index}"
        told = engine.ship(entrant.model, path)
        fed = engine.write_inputs(told, [entrant.inputs], path)
        (path / "job.json").write_text(json.dumps({"model": told, "inputs": fed, "backend": entrant.backend}))


def _measure(browser: Chromium, host: Host, entrants: Mapping[str, Entrant], turns: int) -> dict[str, Result]:
    tab = browser.new_tab()
    tab.goto(f"{host.url}race.html")
    times: dict[str, list[float]] = {name: [] for name in entrants}
    outputs: dict[str, list[list[float]]] = {}
    for index, (name, entrant) in enumerate(entrants.items()):
        tab.evaluate(f"enter({json.dumps(name)}, {json.dumps(entrant.script)}, 'model{index}')")
    for _ in range(turns + 1):
        for name in entrants:
            answer = tab.evaluate(f"ask({json.dumps(name)}, {{}})")
            times[name].append(answer["milliseconds"])
            outputs[name] = answer["outputs"]
    return {name: Result(first, rest, outputs[name]) for name, (first, *rest) in times.items()}


def ratio(slow: Result, fast: Result) -> str:
    """How many times as long the first takes: by minima, and by medians."""
    by_least = min(slow.times) / min(fast.times)
    by_median = statistics.median(slow.times) / statistics.median(fast.times)
    return f"{by_least:.1f} times by minima, {by_median:.1f} by medians"


def close(a: Result, b: Result) -> float:
    """The largest difference between two results."""
    return max(float(np.max(np.abs(np.subtract(x, y)))) for x, y in zip(a.outputs, b.outputs, strict=True))
