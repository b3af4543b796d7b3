"""The plan engine in Chromium on one thread and on several, in turn.

    python benchmarks/threads.py MODEL [TURNS]

Random inputs, of which any size that the model leaves open is 1. How many threads there are is the page's choice
(sitegen/runtime/src/worker/threads.ts): as many as cores, but no more than four.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
from race import Result, close, ratio

from sitegen import plan as plans
from sitegen.offline import ISOLATION
from sitegen.records import GraphModel, TensorSpec
from tests.parity import engine
from tests.parity.chromium import Arena, Run


def fed(spec: TensorSpec, numbers: np.random.Generator) -> np.ndarray:
    """An input of random numbers."""
    shape = [abs(size) for size in spec.shape]
    return numbers.integers(0, 2, shape) if spec.dtype != "float32" else numbers.random(shape, np.float32)


def raced(model: GraphModel, turns: int) -> dict[str, Result]:
    """Both ways, once cold and `turns` times more."""
    numbers = np.random.default_rng(0)
    inputs = {spec.name: fed(spec, numbers) for spec in model.signature.inputs}
    weights = engine.exact(model)
    recorded = plans.record(model, weights, {name: value.shape for name, value in inputs.items()})
    if recorded.file is None:
        raise SystemExit(f"it has no plan: {recorded.why}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shown"
        root.mkdir()
        runs: dict[str, list[Run]] = {"1 thread": [], "threads": []}
        with Arena(root, headers=ISOLATION) as arena:
            arena.enter("1 thread", model, [inputs], weights=weights, plan=recorded.file)
            arena.enter("threads", model, [inputs], weights=weights, plan=recorded.file, variant="wasm-threads")
            for _ in range(turns + 1):
                for name, done in runs.items():
                    done.append(arena.run(name))
    return {
        name: Result(first.milliseconds, [run.milliseconds for run in rest], rest[-1])
        for name, (first, *rest) in runs.items()
    }


def main() -> None:
    """Prints latencies and their ratio."""
    model = engine.load(Path(sys.argv[1]))
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    results = raced(model, turns)
    one, several = results.values()
    for name, result in results.items():
        print(f"{name:10} {result.text}")
    print(f"one takes {ratio(one, several)}; largest difference {close(one, several):.2g}; {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
