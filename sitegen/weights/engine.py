"""A model with any weights files in the engines that pages ship, which Node runs: what a page will compute."""

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


def run(model: GraphModel, files: Sequence[bytes], inputs: Inputs, plan: bytes | None = None) -> list[list[Run]]:
    """What each weights file (container.py) makes of each of the inputs, one by one as in a page: [file][input].

    Each of the inputs has an array of the whole shape, batch included, by the name of the graph's tensor. The model's
    own weights are not looked at. With a plan (plan.py) it runs in the plan engine, else in the graph engine.
    Raises SitegenError, with the engine's own words, for what it cannot load or run.
    """
    with tempfile.TemporaryDirectory(prefix="sitegen-") as name:
        folder = Path(name)
        lay(model, files, inputs, folder, plan)
        report = node("run", folder)
        if isinstance(report, dict):
            raise SitegenError(f"the engine of pages cannot run this model: {report['error']}")
        with (folder / "outputs.bin").open("rb") as outputs:
            return [
                [
                    Run([_array(outputs, **told) for told in each["outputs"]], each["milliseconds"], each["tensors"])
                    for each in runs
                ]
                for runs in report
            ]


def lay(
    model: GraphModel, files: Sequence[bytes], inputs: Inputs, folder: Path, plan: bytes | None = None, **more: Any
) -> None:
    """Writes what an engine needs into a folder.

    graph.json is the plan, where there is one, or the graph. job.json has the model (contract.ts: ModelConfig), the
    engine's name, the names of the weights files and, for each run, the name, type and shape of its inputs; their
    numbers follow each other without gaps in inputs.bin. `more` is put into it too.
    """
    (folder / "graph.json").write_bytes(store.topology(model) if plan is None else plan)
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
    name = "graph" if plan is None else "plan"
    job = {"model": told, "engine": name, "weights": names, "runs": runs, **more}
    (folder / "job.json").write_text(json.dumps(job))


def node(tool: str, folder: Path) -> Any:
    """What one of the runtime's tools reports of a folder; {"error": why} where it ends without."""
    done = subprocess.run(
        [executable(), str(runtime.load().tool(tool)), str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    report = folder / "report.json"
    if report.exists():
        return json.loads(report.read_bytes())
    fatal = [line.strip() for line in done.stderr.splitlines() if "rror" in line]
    return {"error": ": ".join([f"Node ended with exit code {done.returncode}", *fatal[:1]])}


def _array(stream: BinaryIO, dtype: str, shape: Sequence[int]) -> NDArray[Any]:
    return np.fromfile(stream, store.DTYPES[dtype], math.prod(shape)).reshape(shape)
