"""Runs a converted model in the engine that pages ship, under Node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen import models
from sitegen.disk import Cache
from sitegen.graph import fold, plain
from sitegen.models import store
from sitegen.models.options import Options
from sitegen.records import GraphModel
from sitegen.runtime.node import executable
from sitegen.weights import container
from sitegen.weights.container import Tensor
from tests.conftest import REPOSITORY

HERE = Path(__file__).parent
DIST = REPOSITORY / "sitegen/runtime/dist"
Arrays = Sequence[NDArray[Any]]


def load(path: Path, options: Options | None = None) -> GraphModel:
    """Reads a model file as the build does, in this process."""
    found = next(format for format in models.FORMATS if format.sniff(path))
    assert found.check(path) is None
    return fold.fold(found.load(path, options or Options()))


def ship(model: GraphModel, folder: Path, weights: bytes | None = None) -> dict[str, Any]:
    """Writes the files that an engine loads; gives what it is told of them (contract.ts: ModelConfig).

    `weights` is a weights file; without it, one of the model's own numbers is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cache = Cache(folder / "cache")
    stored = store.save(model, cache)
    tensors = [
        Tensor(name, value.shape, kind, value) for name, value in model.weights.items() for kind in [store.dtype(value)]
    ]
    (folder / "weights.bin").write_bytes(weights or container.write(tensors))
    for key, name in (("topology", "topology.json"), ("anchors", "anchors.bin")):
        if key in stored:
            blob = cache.get(*stored[key])
            assert blob is not None
            (folder / name).write_bytes(blob.read())
    signature = {
        side: [{"name": name, "dtype": dtype, "shape": shape} for name, dtype, shape in stored["signature"][side]]
        for side in ("inputs", "outputs")
    }
    return {"signature": signature, "detection": stored["detection"]}


def write_inputs(
    told: Mapping[str, Any], inputs: Sequence[Mapping[str, NDArray[Any]]], folder: Path
) -> list[list[dict[str, Any]]]:
    """Writes one file an input; gives what an engine is told of them, run by run. `told` is what ship() gave."""
    dtypes = {end["name"]: end["dtype"] for end in told["signature"]["inputs"]}
    runs = []
    for turn, named in enumerate(inputs):
        entries = []
        for index, (name, value) in enumerate(named.items()):
            dtype = dtypes[name]
            data = np.ascontiguousarray(value, store.DTYPES[dtype])
            (folder / f"in-{turn}-{index}.bin").write_bytes(data.tobytes())
            entries.append({"name": name, "dtype": dtype, "shape": list(data.shape), "file": f"in-{turn}-{index}.bin"})
        runs.append(entries)
    return runs


def run(
    model: GraphModel, inputs: Sequence[Mapping[str, NDArray[Any]]], folder: Path, weights: bytes | None = None
) -> list[list[NDArray[Any]]]:
    """The outputs of every run, in the signature's order; `inputs` are by tensor name.

    No run may leave tensors behind.
    """
    told = ship(model, folder, weights)
    (folder / "job.json").write_text(json.dumps({"model": told, "inputs": write_inputs(told, inputs, folder)}))
    done = subprocess.run(
        [executable(), str(HERE / "engine.mjs"), str(DIST), str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    report = json.loads((folder / "report.json").read_text())
    # The first run may leave constants behind; after that the number of tensors must not grow.
    assert len({turn["tensors"] for turn in report[1:]}) <= 1
    return [[_array(folder, output) for output in turn["outputs"]] for turn in report]


def _array(folder: Path, output: Mapping[str, Any]) -> NDArray[Any]:
    dtype = {"float32": np.float32, "int32": np.int32, "bool": np.bool_}[output["dtype"]]
    return np.frombuffer((folder / output["file"]).read_bytes(), dtype).reshape(output["shape"])


def tensorflow(model: GraphModel, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """What TensorFlow computes from the same graph, its fused nodes taken apart: for models that only TF.js reads."""
    import tensorflow as tf

    graph_def = plain.graph_def(model)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph_def, name="")
        feeds = {name if ":" in name else f"{name}:0": value for name, value in inputs.items()}
        ends = [name if ":" in name else f"{name}:0" for name in model.ends]
        results: list[NDArray[Any]] = session.run(ends, feeds)
    return results
