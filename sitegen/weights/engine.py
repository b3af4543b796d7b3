"""A model with any weights files in the engine that pages ship, which Node runs: what a page will compute."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sitegen import runtime
from sitegen.errors import SitegenError
from sitegen.models import store
from sitegen.records import GraphModel
from sitegen.runtime.node import executable

Inputs = Sequence[Mapping[str, NDArray[Any]]]


@dataclass(frozen=True)
class Run:
    """One run: the outputs in the signature's order, and how many tensors are alive in the engine after it."""

    outputs: list[NDArray[Any]]
    milliseconds: float  # in the engine alone
    tensors: int


def run(model: GraphModel, files: Sequence[bytes], inputs: Inputs) -> list[list[Run]]:
    """What each weights file (container.py) makes of each of the inputs, one by one as in a page: [file][input].

    Each of the inputs has an array of the whole shape, batch included, by the name of the graph's tensor. The model's
    own weights are not looked at. Raises SitegenError, with the engine's own words, for what it cannot load or run.
    """
    with tempfile.TemporaryDirectory(prefix="sitegen-") as name:
        folder = Path(name)
        lay(model, files, inputs, folder)
        done = subprocess.run(
            [executable(), str(runtime.load().tool("run")), name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        report = _report(folder / "report.json", done)
        with (folder / "outputs.bin").open("rb") as outputs:
            return [
                [
                    Run([_array(outputs, **told) for told in each["outputs"]], each["milliseconds"], each["tensors"])
                    for each in runs
                ]
                for runs in report
            ]


def lay(model: GraphModel, files: Sequence[bytes], inputs: Inputs, folder: Path) -> None:
    """Writes what an engine needs into a folder.

    job.json has the model (contract.ts: ModelConfig), the names of the weights files and, for each run, the name, type
    and shape of its inputs; their numbers follow each other without gaps in inputs.bin.
    """
    (folder / "topology.json").write_bytes(store.topology(model))
    detection = model.detection
    if detection is not None:
        (folder / "anchors.bin").write_bytes(store.anchors(detection))
    names = [f"weights-{index}.bin" for index in range(len(files))]
    for name, file in zip(names, files, strict=True):
        (folder / name).write_bytes(file)
    dtypes = {spec.name: spec.dtype for spec in model.signature.inputs}
    runs = []
    with (folder / "inputs.bin").open("wb") as stream:
        for given in inputs:
            runs.append([{"name": n, "dtype": dtypes[n], "shape": list(value.shape)} for n, value in given.items()])
            for name, value in given.items():
                stream.write(np.ascontiguousarray(value, store.DTYPES[dtypes[name]]).data)
    told = {"signature": asdict(model.signature), "detection": store.detection_json(detection) if detection else None}
    (folder / "job.json").write_text(json.dumps({"model": told, "weights": names, "runs": runs}))


def _report(path: Path, done: subprocess.CompletedProcess[str]) -> list[list[dict[str, Any]]]:
    """Raises SitegenError where there is none, or none of runs."""
    if path.exists():
        report: Any = json.loads(path.read_bytes())
        if isinstance(report, list):
            return report
        words = report["error"]
    else:
        fatal = [line.strip() for line in done.stderr.splitlines() if "rror" in line]
        words = ": ".join([f"Node ended with exit code {done.returncode}", *fatal[:1]])
    raise SitegenError(f"the engine of pages cannot run this model: {words}")


def _array(stream: BinaryIO, dtype: str, shape: Sequence[int]) -> NDArray[Any]:
    return np.fromfile(stream, store.DTYPES[dtype], math.prod(shape)).reshape(shape)
