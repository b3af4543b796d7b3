"""The shipped engine under Node, as the build uses it: weights files on inputs, and what may go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.errors import SitegenError
from sitegen.records import GraphModel, Signature, TensorSpec
from sitegen.runtime.node import Fallen, Tool
from sitegen.weights import engine
from tests.conftest import REPOSITORY
from tests.parity.engine import exact


def node(name: str, op: str, *inputs: str, **attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes}


def small() -> GraphModel:
    """A product with weights [3, 3]; besides, whether a flag is not set, and an integer one more."""
    float32, int32, boolean = ({"type": f"DT_{name}"} for name in ("FLOAT", "INT32", "BOOL"))
    nodes = [
        node("x", "Placeholder", dtype=float32),
        node("flag", "Placeholder", dtype=boolean),
        node("i", "Placeholder", dtype=int32),
        node("w", "Const", dtype=float32, value={"tensor": {"dtype": "DT_FLOAT", "tensorShape": {}}}),
        node("one", "Const", dtype=int32, value={"tensor": {"dtype": "DT_INT32", "tensorShape": {}}}),
        node("y", "MatMul", "x", "w", T=float32, transpose_a={"b": False}, transpose_b={"b": False}),
        node("not", "LogicalNot", "flag"),
        node("next", "AddV2", "i", "one", T=int32),
    ]
    rows = TensorSpec("x", "float32", (-1, 3))
    inputs = (TensorSpec("flag", "bool", (-1,)), TensorSpec("i", "int32", ()), rows)
    outputs = (TensorSpec("not", "bool", (-1,)), TensorSpec("next", "int32", ()), replace(rows, name="y"))
    weights = {"w": np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32), "one": np.array(1, np.int32)}
    return GraphModel({"node": nodes, "library": {}, "versions": {}}, weights, Signature(inputs, outputs))


def endless() -> GraphModel:
    """A loop that never ends."""

    def function(name: str, kind: str, *nodes: Mapping[str, Any]) -> dict[str, Any]:
        given, made = {"name": "i", "type": "DT_INT32"}, {"name": "made", "type": kind}
        signature = {"name": name, "inputArg": [given], "outputArg": [made]}
        return {"signature": signature, "nodeDef": nodes, "ret": {"made": f"{nodes[-1]['name']}:z:0"}}

    integer = {"type": "DT_INT32"}
    condition = function("cond", "DT_BOOL", node("same", "Equal", "i", "i", T=integer))
    body = function("body", "DT_INT32", node("again", "Abs", "i", T=integer))
    called = {name: {"func": {"name": name}} for name in ("cond", "body")}
    nodes = [node("i", "Placeholder", dtype=integer), node("loop", "StatelessWhile", "i", **called)]
    ends = Signature((TensorSpec("i", "int32", ()),), (TensorSpec("loop", "int32", ()),))
    return GraphModel({"node": nodes, "library": {"function": [condition, body]}, "versions": {}}, {}, ends)


def fed(rows: int) -> dict[str, Any]:
    """Inputs in another order than the signature's; the flags' bytes leave the floats after them unaligned."""
    random = np.random.default_rng(rows)
    flags = random.integers(0, 2, rows).astype(np.bool_)
    return {"flag": flags, "x": random.normal(size=(rows, 3)).astype(np.float32), "i": np.int64(rows)}


def other(model: GraphModel) -> GraphModel:
    return replace(model, weights={**model.weights, "w": -2 * np.asarray(model.weights["w"])})


def test_each_file_on_each_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    models, inputs = [small(), other(small())], [fed(rows) for rows in (1, 4, 0, 3)]
    found = engine.run(models[0], [exact(model) for model in models], inputs)
    for model, runs in zip(models, found, strict=True):
        for given, run in zip(inputs, runs, strict=True):
            inverted, following, product = run.outputs
            np.testing.assert_array_equal(inverted, ~given["flag"])
            np.testing.assert_array_equal(following, given["i"] + 1)
            np.testing.assert_allclose(product, given["x"] @ model.weights["w"], rtol=1e-5, atol=1e-6)
            assert [array.dtype for array in run.outputs] == [np.bool_, np.int32, np.float32]
    # The weights of a file are gone when the next is loaded.
    assert len({run.tensors for runs in found for run in runs}) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_the_engine_cannot_run_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = small()
    nodes = [{**n, "op": "Erfc"} if n["name"] == "not" else n for n in model.topology["node"]]
    with pytest.raises(SitegenError, match=r"cannot run this model: .*Erfc"):
        engine.run(replace(model, topology={**model.topology, "node": nodes}), [exact(model)], [fed(1)])
    with pytest.raises(SitegenError, match="weights"):
        engine.run(model, [b"no weights"], [fed(1)])
    assert list(tmp_path.iterdir()) == []


def test_when_node_falls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "falls.cjs"
    script.write_text("process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 9000);")
    monkeypatch.setattr("sitegen.runtime.Runtime.tool", lambda self, name: script)
    with pytest.raises(SitegenError, match="Node ended with exit code -11"):
        engine.run(small(), [exact(small())], [fed(1)])
    script.write_text("throw new Error('out of luck');")
    with pytest.raises(SitegenError, match=r"exit code 1: .*out of luck"):
        engine.run(small(), [exact(small())], [fed(1)])


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_node_ends_when_who_started_it_is_killed(tmp_path: Path) -> None:
    code = """
import numpy as np
from tests.test_engine import endless, engine, exact
engine.run(endless(), [exact(endless())], [{"i": np.int32(1)}])
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    starter = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, env=environment)
    children = Path(f"/proc/{starter.pid}/task/{starter.pid}/children")
    until(lambda: bool(children.read_text()), 60)
    (child,) = children.read_text().split()
    # Time enough to be in the loop.
    time.sleep(1)
    assert alive(int(child))
    starter.kill()
    starter.wait()
    until(lambda: not alive(int(child)), 5)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # Z: ended, but whoever inherited it has not looked yet.
    return state != "Z"


def until(condition: Any, seconds: float) -> None:
    """Fails when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_tool_that_gives_no_answer_is_ended(tmp_path: Path) -> None:
    script = tmp_path / "silent.cjs"
    script.write_text("process.stdin.resume();\nfor (;;);\n")
    began = time.monotonic()
    with Tool(script, tmp_path) as tool, pytest.raises(Fallen, match="no answer within 0"):
        tool.ask("anything", 0.5)
    assert time.monotonic() - began < 20
