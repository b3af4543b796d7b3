"""Runs converted models in Chromium, each in a worker: an engine that pages ship, or whatever another script is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.host import Host
from sitegen.records import GraphModel
from sitegen.weights import engine
from sitegen.weights.engine import Inputs
from tests.browsers.chromium import Chromium
from tests.conftest import REPOSITORY
from tests.parity.engine import exact

HERE = Path(__file__).parent
WORKER = HERE / "worker.js"


@dataclass(frozen=True)
class Run:
    """One run: the outputs in the signature's order, as flat lists, how long it took, and the tensors left behind."""

    outputs: list[list[float]]
    milliseconds: float
    tensors: int = 0


class Arena:
    """A context manager: a browser, and the folder that it is shown, in which models are laid out.

    `flags` are the browser's, and `headers` go along with whatever it is sent.
    """

    def __init__(self, root: Path, flags: Sequence[str] = (), headers: Mapping[str, str] | None = None) -> None:
        self._root, self._flags, self._headers = root, flags, headers
        for name in ("page.html", "job.js"):
            shutil.copy(HERE / name, root)
        shutil.copytree(REPOSITORY / "sitegen/runtime/dist", root / "dist")
        self._models = 0

    def __enter__(self) -> Arena:
        self._host, self._browser = Host(self._root, headers=self._headers), Chromium(self._flags)
        self._tab = self._browser.new_tab()
        self._tab.goto(f"{self._host.url}page.html")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._browser.close()
        self._host.stop()

    def enter(
        self,
        name: str,
        model: GraphModel,
        inputs: Inputs,
        script: Path = WORKER,
        weights: bytes | None = None,
        plan: bytes | None = None,
        variant: str = "",
    ) -> None:
        """Loads a model in a worker of its own; `inputs` are by tensor name, and are run in turn.

        With a plan it is the plan engine, or its `variant`, else the graph engine.
        """
        folder = self._root / f"model{self._models}"
        self._models += 1
        folder.mkdir()
        engine.lay(model, [weights or exact(model)], inputs, folder, plan)
        shutil.copy(script, self._root)
        address = f"{script.name}?{variant}"
        self._tab.evaluate(f"enter({json.dumps(name)}, {json.dumps(address)}, {json.dumps(folder.name)})")

    def run(self, name: str, turn: int = 0) -> Run:
        """Runs a model on input `turn`."""
        answer = self._tab.evaluate(f"ask({json.dumps(name)}, {{ turn: {turn} }})")
        return Run(answer["outputs"], answer["milliseconds"], answer.get("tensors", 0))


def shaped(run: Run, expected: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """The outputs of a run, in the shapes of what is expected."""
    pairs = zip(run.outputs, expected, strict=True)
    return [np.array(flat, np.float64).reshape(other.shape) for flat, other in pairs]
