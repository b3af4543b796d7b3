"""A model with any weights files in the engines that pages ship, which Node runs: what a page will compute."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sitegen import runtime
from sitegen.errors import SitegenError
from sitegen.models import store
from sitegen.records import GraphModel
from sitegen.runtime.node import Fallen, Tool

Inputs = Sequence[Mapping[str, NDArray[Any]]]


@dataclass(frozen=True)
class Run:
    """One run: the outputs in the signature's order, and how many tensors are alive in the engine after it."""

    outputs: list[NDArray[Any]]
    milliseconds: float  # in the engine alone
    tensors: int


class Bench:
    """A context manager: a model and inputs in the engine, which takes one weights file after the other."""

    def __init__(self, model: GraphModel, inputs: Inputs, plan: bytes | None = None) -> None:
        """Each of the inputs has an array of the whole shape, batch included, by the name of the graph's tensor.

        The model's own weights are not looked at. With a plan (plan.py) it runs in the plan engine, else in the graph
        engine.
        """
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sitegen-")))
            lay(model, [], inputs, self._folder, plan)
            self._tool = stack.enter_context(Tool(runtime.load().tool("run"), self._folder))
            self._stack = stack.pop_all()

    def run(self, file: bytes) -> list[Run]:
        """What a weights file (container.py) makes of each of the inputs, one by one as in a page.

        Raises SitegenError, with the engine's own words, for what it cannot load or run.
        """
        (self._folder / "weights.bin").write_bytes(file)
        try:
            report = self._tool.ask("weights.bin")
        except Fallen as error:
            raise _cannot(str(error)) from error
        if not isinstance(report, list):
            raise _cannot(report["error"])
        with (self._folder / "outputs.bin").open("rb") as outputs:
            return [
                Run([_array(outputs, **told) for told in each["outputs"]], each["milliseconds"], each["tensors"])
                for each in report
            ]

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)


def run(model: GraphModel, files: Sequence[bytes], inputs: Inputs, plan: bytes | None = None) -> list[list[Run]]:
    """What each weights file makes of each of the inputs, as Bench has them: [file][input]."""
    with Bench(model, inputs, plan) as bench:
        return [bench.run(file) for file in files]


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


def _cannot(words: str) -> SitegenError:
    return SitegenError(f"the engine of pages cannot run this model: {words}")


def _array(stream: BinaryIO, dtype: str, shape: Sequence[int]) -> NDArray[Any]:
    return np.fromfile(stream, store.DTYPES[dtype], math.prod(shape)).reshape(shape)
