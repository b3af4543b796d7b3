"""Plans and weights that were damaged or forged: the plan engine refuses them before it runs, and lives on."""

from __future__ import annotations

import copy
import json
import random
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen import plan
from sitegen.records import GraphModel
from sitegen.runtime.node import executable
from sitegen.weights import container
from tests.conftest import REPOSITORY
from tests.parity.engine import exact
from tests.plans import FLOAT, graph, node, numbers

DIST = REPOSITORY / "sitegen/runtime/dist"
Plan = dict[str, Any]

# Loads each case and runs it; says "loaded" and the sum of the first output, or what the engine said. Memory does not
# grow in cases that ask for that. A trap of WebAssembly's is told apart from what the engine says itself.
HARNESS = """
  import { readFileSync } from 'node:fs';
  import { runInThisContext } from 'node:vm';
  const [dist, folder] = process.argv.slice(2);
  const bytes = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
  const { model, cases } = JSON.parse(readFileSync(`${folder}/cases.json`, 'utf8'));
  globalThis.self = globalThis;
  let answered;
  globalThis.postMessage = (reply) => answered(reply);
  runInThisContext(readFileSync(`${dist}/plan.js`, 'utf8'));
  const ask = (request) => new Promise((resolve) => {
    answered = resolve;
    globalThis.onmessage({ data: { ...request, id: 0 } });
  });
  const { grow } = WebAssembly.Memory.prototype;
  const wasm = new Uint8Array(readFileSync(`${dist}/backend-simd.wasm`));
  const found = [];
  for (const { plan, weights, binary, full } of cases) {
    const files = { graph: bytes(plan), weights: bytes(weights), anchors: null, simd: true };
    files.wasm = binary ? bytes(binary) : wasm;
    if (full === 'load') WebAssembly.Memory.prototype.grow = () => { throw new RangeError('full'); };
    let reply = await ask({ verb: 'load', model, files });
    const said = [reply.ok ? 'loaded' : reply.error];
    for (let run = 0; reply.ok && run < 3; run++) {
      if (full === 'run' && run === 1) WebAssembly.Memory.prototype.grow = () => { throw new RangeError('full'); };
      const size = model.signature.inputs[0].shape.reduce((a, b) => a * b, 1);
      const x = { dtype: 'float32', shape: model.signature.inputs[0].shape, data: new Float32Array(size).fill(0.5) };
      const ran = await ask({ verb: 'run', inputs: { x } });
      said.push(ran.ok ? Object.values(ran.value.outputs)[0].data.reduce((a, b) => a + b, 0) : ran.error);
      said.push(ran.ok ? ran.value.tensors : -1);
      WebAssembly.Memory.prototype.grow = grow;
    }
    WebAssembly.Memory.prototype.grow = grow;
    found.push(said);
  }
  console.log(JSON.stringify(found));
"""
# What the engine says itself of a plan, of weights or of both.
SAYS = re.compile(
    r"the plan is damaged: |the plan is of version |the plan needs the |the plan expects |the weights |"
    r"the model takes |there is no tensor of |this device has not enough memory"
)


def tiny() -> GraphModel:
    """A convolution, a pooling, a shift and a product."""
    strides = {"list": {"i": ["1", "1", "1", "1"]}}
    two = {"list": {"i": ["1", "2", "2", "1"]}}
    same, nhwc = {"s": "U0FNRQ=="}, {"s": "TkhXQw=="}
    nodes = [
        node("c", "Conv2D", "x", "f", T=FLOAT, strides=strides, padding=same, dilations=strides, data_format=nhwc),
        node("p", "MaxPool", "c", T=FLOAT, strides=two, ksize=two, padding=same, data_format=nhwc),
        node("s", "AddV2", "p", "b", T=FLOAT),
        node("flat", "Reshape", "s", "shape", T=FLOAT),
        node("y", "MatMul", "flat", "w", T=FLOAT, transpose_a={"b": False}, transpose_b={"b": False}),
    ]
    weights = {
        "f": numbers(3, 3, 2, 4),
        "b": numbers(4, seed=2),
        "shape": np.array([1, 64], np.int32),
        "w": numbers(64, 5, seed=3),
    }
    return graph(nodes, {"x": ("float32", (1, 8, 8, 2))}, ["y"], weights)


@pytest.fixture(scope="module")
def good() -> tuple[bytes, bytes]:
    """A plan and its weights."""
    model = tiny()
    weights = exact(model)
    made = plan.record(model, weights, plan.shapes(model.signature))
    assert made.file is not None, made.why
    return made.file, weights


Said = list[Any]


def played(cases: Sequence[Mapping[str, Any]], folder: Path) -> list[Said]:
    """What the engine says to each case: plan, weights, and perhaps another binary, or memory that is full."""
    listed = []
    for index, case in enumerate(cases):
        told = {name: value for name, value in case.items() if not isinstance(value, bytes)}
        for name, value in case.items():
            if isinstance(value, bytes):
                (folder / f"{index}.{name}").write_bytes(value)
                told[name] = f"{index}.{name}"
        listed.append(told)
    signature = asdict(tiny().signature)
    text = json.dumps({"model": {"signature": signature, "detection": None}, "cases": listed})
    (folder / "cases.json").write_text(text)
    command = [executable(), "--input-type=module", "-e", HARNESS, "-", str(DIST), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[Said] = json.loads(done.stdout)
    return found


def step(found: Plan, kernel: str) -> list[Any]:
    """The first step of a kernel."""
    return next(step for step in found["steps"] if found["kernels"][step[0]] == kernel)


def remove(name: str) -> Callable[[Plan], Any]:
    return lambda found: found.pop(name)


def put(*path: Any) -> Callable[[Plan], Any]:
    """Sets what lies at the end of a path; the last of it is the value."""

    def change(found: Any) -> None:
        *way, key, value = path
        for part in way:
            found = step(found, part) if str(part)[0].isupper() else found[part]
        found[key] = value

    return change


def swap_weights(found: Plan) -> None:
    """A filter of another shape, which the weights have, too."""
    found["weights"].reverse()
    first = found["tensors"][: len(found["weights"])]
    found["tensors"][: len(first)] = first[::-1]


# Each change of a good plan, and what the engine says to it.
FORGED: Mapping[str, tuple[Callable[[Plan], Any], str]] = {
    "no steps": (remove("steps"), "a table is missing"),
    "no tensors": (remove("tensors"), "a table is missing"),
    "no version": (remove("version"), "version undefined, and this engine plays version 1"),
    "another version": (put("version", 2), "version 2, and this engine plays version 1"),
    "unknown kernel": (put("kernels", 0, "Toolbox"), "needs the kernel Toolbox"),
    "inherited kernel": (put("kernels", 0, "constructor"), "needs the kernel constructor"),
    "a kernel of texts": (put("kernels", 0, "StringSplit"), "needs the kernel StringSplit"),
    "a name that is a number": (put("kernels", 0, 7), "a name is no text"),
    "weights that are not there": (put("weights", 0, "v"), "needs the weights v"),
    "weights of another shape": (put("tensors", 0, 1, [3, 3, 2, 5]), "are not those that the plan was made for"),
    "weights of another type": (put("tensors", 0, 0, "int32"), "are not those that the plan was made for"),
    "unknown type": (put("tensors", 0, 0, "string"), "a tensor is of no known kind"),
    "inherited type": (put("tensors", 0, 0, "toString"), "a tensor is of no known kind"),
    "negative size": (put("tensors", -1, 1, [1, -5]), "a tensor is of no known kind"),
    "broken size": (put("tensors", -1, 1, [1, 0.5]), "a tensor is of no known kind"),
    "terabytes": (put("tensors", -1, 1, [1 << 40]), "a tensor is too large"),
    "a tensor too many": (lambda found: found["tensors"].append(["float32", []]), "tensors that nobody makes"),
    "a tensor too few": (lambda found: found["tensors"].pop(), "reads no tensor"),
    "null tensor": (put("tensors", 0, None), "a tensor is no pair"),
    "prepared beyond the end": (put("prepared", 9), "its prepared steps"),
    "prepared without its input": (put("prepared", 1), "reads a tensor that is not there"),
    "a constant of another size": (lambda found: found["constants"].append([1, 2]), "a constant"),
    "null step": (put("steps", 0, None), "a step is no list of five"),
    "short step": (lambda found: found["steps"][0].pop(), "a step is no list of five"),
    "a kernel beyond the table": (put("steps", 0, 0, 99), "a step has no kernel"),
    "a kernel by name": (put("steps", 0, 0, "length"), "a step has no kernel"),
    "no inputs": (put("steps", 0, 1, None), "a step has no inputs"),
    "no attributes": (put("steps", 0, 2, None), "a step has no attributes"),
    "no outputs": (put("steps", 0, 3, []), "a step has no outputs"),
    "reads beyond the table": (put("steps", 0, 1, "x", 99), "reads no tensor"),
    "reads -1": (put("steps", 0, 1, "x", -1), "reads no tensor"),
    "reads a name": (put("steps", 0, 1, "x", "length"), "reads no tensor"),
    "reads what comes later": (lambda found: put("steps", 0, 1, "x", len(found["tensors"]) - 1)(found), "not there"),
    "reads in another size": (put("steps", 0, 1, "x", [3, [1, 8, 8, 3]]), "in a shape that it has not"),
    "makes out of turn": (put("steps", 0, 3, [0]), "out of turn"),
    "frees weights": (put("steps", 0, 4, [0]), "frees what it must not"),
    "frees twice": (lambda found: found["steps"][0][4].append(found["steps"][0][4][0]), "frees what it must not"),
    "frees the result": (lambda found: found["steps"][-1][4].extend(found["steps"][-1][3]), "frees what it must not"),
    "frees too early": (lambda found: found["steps"][0][4].extend(found["steps"][0][3]), "not there"),
    "frees nothing": (lambda found: found["steps"][1].__setitem__(4, []), "never freed"),
    "no such output": (put("outputs", 0, 1, 99), "reads no tensor"),
    "an output without a name": (put("outputs", 0, 0, None), "an output is no pair"),
    "a filter of other channels": (put("Conv2D", 1, "filter", [0, [3, 3, 4, 2]]), "the shapes of a Conv2D"),
    "a filter of three dimensions": (put("Conv2D", 1, "filter", [0, [9, 2, 4]]), "the shapes of a Conv2D"),
    "a convolution without a filter": (lambda found: step(found, "Conv2D")[1].pop("filter"), "an input is missing"),
    "swapped weights": (swap_weights, "the shapes of a Conv2D"),
    "a flat picture": (put("MaxPool", 1, "x", [4, [16, 16]]), "the shapes of a MaxPool"),
}


def mutable(good: tuple[bytes, bytes]) -> Plan:
    found: Plan = json.loads(good[0])
    return found


def test_a_good_plan_runs(good: tuple[bytes, bytes], tmp_path: Path) -> None:
    ((said, *runs),) = played([{"plan": good[0], "weights": good[1]}], tmp_path)
    assert said == "loaded"
    assert len(set(runs[::2])) == 1
    assert set(runs[1::2]) == {3}


def test_forged_plans_are_refused(good: tuple[bytes, bytes], tmp_path: Path) -> None:
    cases = []
    for change, _ in FORGED.values():
        found = copy.deepcopy(mutable(good))
        change(found)
        cases.append({"plan": json.dumps(found).encode(), "weights": good[1]})
    for (name, (_, expected)), said in zip(FORGED.items(), played(cases, tmp_path), strict=True):
        assert len(said) == 1, f"{name}: {said}"
        assert expected in said[0], name
        assert SAYS.match(said[0]), name


# What no table shows, and what kernels then do is not what the plan says.
LIES: Mapping[str, Callable[[Plan], Any]] = {
    "another size of a result": put("tensors", 4, 1, [1, 8, 8, 5]),
    "other strides": put("Conv2D", 2, "strides", [2, 2]),
    "strides of zero": put("Conv2D", 2, "strides", 0),
    "endless strides": put("Conv2D", 2, "strides", {"number": "Infinity"}),
    "negative padding": put("Conv2D", 2, "pad", -9),
    "huge padding": put("MaxPool", 2, "pad", 1 << 29),
    "no padding": lambda found: step(found, "MaxPool")[2].pop("pad"),
    "another type": put("tensors", 4, 0, "int32"),
}


def test_plans_that_lie_are_found_out(good: tuple[bytes, bytes], tmp_path: Path) -> None:
    cases = []
    for change in LIES.values():
        found = mutable(good)
        change(found)
        cases.append({"plan": json.dumps(found).encode(), "weights": good[1]})
    for name, (first, *runs) in zip(LIES, played(cases, tmp_path), strict=True):
        assert first == "loaded" or SAYS.match(first), name
        assert all(isinstance(said, str) for said in runs[::2]), name


def test_what_is_no_plan(good: tuple[bytes, bytes], tmp_path: Path) -> None:
    texts = [b"", b"{", b"[]", b"null", b"7", b'"plan"', b"\xff", b"[" * 100_000, b'{"version":1}']
    for said in played([{"plan": text, "weights": good[1]} for text in texts], tmp_path):
        assert len(said) == 1
        assert said[0].startswith("the plan is ")


def mutated(original: bytes, seed: int) -> bytes:
    """A plan in which chance changed numbers or cut something off."""
    chance = random.Random(seed)
    if chance.random() < 0.2:
        return original[: chance.randrange(len(original))]
    text = original.decode()
    for _ in range(chance.choice([1, 1, 2, 4])):
        places = list(re.finditer(r"\d+", text))
        place = chance.choice(places)
        number = chance.choice(["0", "1", "2", "3", "5", "8", "-1", "64", "1e9", "0.5", "null", '"x"', "[]"])
        text = text[: place.start()] + number + text[place.end() :]
    return text.encode()


def test_damaged_plans_never_take_the_engine_down(good: tuple[bytes, bytes], tmp_path: Path) -> None:
    """Whatever the damage: the engine says what is wrong, a kernel does, or the plan can be played."""
    cases = [{"plan": mutated(good[0], seed), "weights": good[1]} for seed in range(400)]
    found = played([*cases, {"plan": good[0], "weights": good[1]}], tmp_path)
    assert found[-1][0] == "loaded"
    assert isinstance(found[-1][1], float)
    refused = [said for said in found if len(said) == 1]
    assert len(refused) > 300
    for said in found:
        assert not any("memory access out of bounds" in str(part) for part in said), said


def test_damaged_weights_are_refused(good: tuple[bytes, bytes], tmp_path: Path) -> None:
    model = tiny()
    other = container.write(
        [container.Tensor(n, v.shape, "float32", v.astype("<f4")) for n, v in model.weights.items() if n != "w"]
    )
    files = [b"", good[1][:-1], good[1] + b"\0", good[1][:20], other]
    for said in played([{"plan": good[0], "weights": file} for file in files], tmp_path):
        assert len(said) == 1
        assert re.match("the weights are damaged|the plan needs the weights w", said[0])


def test_a_binary_that_does_not_compile(good: tuple[bytes, bytes], tmp_path: Path) -> None:
    """As in a browser that is too old for it."""
    binaries = [b"MZ", b"\0asm\2\0\0\0", b"\0asm\1\0\0\0\1"]
    for said in played([{"plan": good[0], "weights": good[1], "binary": binary} for binary in binaries], tmp_path):
        assert said == ["this browser is too old for the demo: update it (its WebAssembly lacks what the demo needs)"]


def test_memory_that_is_full(tmp_path: Path) -> None:
    """It is said, and the model runs again when there is memory."""
    nodes = [node("t", "Tile", "x", "times", T=FLOAT), node("y", "Sum", "t", "axes", T=FLOAT)]
    weights = {"times": np.array([512, 4, 4, 8], np.int32), "axes": np.array([0, 1, 2, 3], np.int32)}
    model = graph(nodes, {"x": ("float32", (1, 8, 8, 2))}, ["y"], weights)
    made = plan.record(model, exact(model), plan.shapes(model.signature))
    assert made.file is not None, made.why
    case = {"plan": made.file, "weights": exact(model)}
    ((loaded, first, tensors, failed, _, again, after),) = played([{**case, "full": "run"}], tmp_path)
    assert loaded == "loaded"
    assert (first, tensors) == (again, after)
    assert failed == first or failed == "this device has not enough memory for the model"
    ((_, failed, *_),) = played([{**case, "full": "load"}], tmp_path)
    assert failed == "this device has not enough memory for the model"
