"""Plans: what is recorded of a graph, when there is none, and that the plan engine plays it to the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen import plan
from sitegen.graph import fold
from sitegen.graph.ssd import RESULTS
from sitegen.models import convert
from sitegen.records import GraphModel, Signature, TensorSpec
from sitegen.weights import container, engine, quantize
from tests import detectors
from tests.conftest import REPOSITORY
from tests.parity import engine as parity
from tests.plans import FLOAT, INT, ROW, graph, integers, kind, node, numbers, product
from tests.test_engine import endless, small

DIGITS = REPOSITORY / "content/digits/digits.keras"


def recorded(model: GraphModel, weights: bytes | None = None, **shapes: list[int]) -> plan.Recorded:
    of = shapes or plan.shapes(model.signature)
    return plan.record(model, weights or parity.exact(model), of)


def planned(model: GraphModel, **shapes: list[int]) -> dict[str, Any]:
    """The plan as JSON; there must be one."""
    made = recorded(model, **shapes)
    assert made.file is not None, made.why
    found: dict[str, Any] = json.loads(made.file)
    return found


def kernels(found: dict[str, Any]) -> list[str]:
    return [found["kernels"][step[0]] for step in found["steps"]]


def why(model: GraphModel, **shapes: list[int]) -> str:
    made = recorded(model, **shapes)
    assert made.file is None
    return made.why


def both(model: GraphModel, inputs: list[dict[str, Any]], weights: bytes | None = None) -> list[engine.Run]:
    """Runs in the plan engine, which are those of the graph engine."""
    file = weights or parity.exact(model)
    made = parity.recorded(model, inputs[0], file)
    assert made.file is not None, made.why
    (by_plan,), (by_graph,) = engine.run(model, [file], inputs, made.file), engine.run(model, [file], inputs)
    for one, other in zip(by_plan, by_graph, strict=True):
        for ours, theirs in zip(one.outputs, other.outputs, strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
    return by_plan


def test_what_changes_nothing_is_no_step() -> None:
    found = planned(product())
    assert kernels(found) == ["BatchMatMul"]
    # Shapes were read while the plan was made.
    assert found["weights"] == ["w"]
    (run,) = both(product(), [{"x": numbers(1, 4)}])
    np.testing.assert_allclose(run.outputs[0], numbers(1, 4) @ product().weights["w"], rtol=1e-5)


def test_what_needs_no_input_is_done_once() -> None:
    nodes = [
        node("a", "Mul", "w", "w", T=FLOAT),
        node("b", "Exp", "a", T=FLOAT),
        node("y", "AddV2", "x", "b", T=FLOAT),
    ]
    model = graph(nodes, ROW, ["y"], {"w": numbers(4)})
    found = planned(model)
    assert (kernels(found), found["prepared"]) == (["Multiply", "Exp", "Add"], 2)
    weight, given, squared, powers, result = range(5)
    # The weights are not needed after that, what was made of them stays.
    assert [step[4] for step in found["steps"]] == [[weight], [squared], [given]]
    assert found["outputs"] == [["y", result]]
    assert powers not in [tensor for step in found["steps"] for tensor in step[4]]
    runs = both(model, [{"x": numbers(1, 4, seed=seed)} for seed in range(5)])
    assert {run.tensors for run in runs} == {1}


def test_what_nobody_reads_is_left_out() -> None:
    nodes = [
        node("k", "TopKV2", "x", "two", T=FLOAT, sorted={"b": True}),
        node("unread", "Exp", "x", T=FLOAT),
        node("y", "Neg", "k", T=FLOAT),
    ]
    model = graph(nodes, ROW, ["y"], {"two": np.array(2, np.int32)})
    found = planned(model)
    assert kernels(found) == ["TopK", "Neg"]
    # The places of the best are made all the same, and go at once.
    values, places = found["steps"][0][3]
    assert places in found["steps"][0][4]
    assert values in found["steps"][1][4]


def test_numbers_that_no_kernel_made() -> None:
    """The shape of the input as a tensor: known when the plan is made, and in it."""
    nodes = [
        node("shape", "Shape", "x", T=FLOAT, out_type=INT),
        node("sizes", "Cast", "shape", SrcT=INT, DstT=FLOAT),
        node("y", "AddV2", "sizes", "x", T=FLOAT),
    ]
    found = planned(graph(nodes, {"x": ("float32", (-1, 2))}, ["y"]))
    assert found["constants"] == [[1, 2]]
    assert found["prepared"] == 1


def test_numbers_that_json_has_not() -> None:
    nodes = [node("y", "Maximum", "x", "filled", T=FLOAT), node("filled", "Fill", "dims", "value", T=FLOAT)]
    weights = {"dims": integers(4), "value": np.array(-np.inf, np.float32)}
    model = graph(nodes, ROW, ["y"], weights)
    found = planned(model)
    assert found["steps"][0][2]["value"] == {"number": "-Infinity"}
    both(model, [{"x": numbers(1, 4)}])


def test_ends_that_are_inputs_weights_and_one_another() -> None:
    nodes = [node("y", "Identity", "x", T=FLOAT), node("v", "Identity", "w", T=FLOAT), node("n", "Neg", "x", T=FLOAT)]
    nodes += [node("m", "Identity", "n", T=FLOAT)]
    model = graph(nodes, ROW, ["y", "v", "n", "m"], {"w": numbers(2, 2)})
    runs = both(model, [{"x": numbers(1, 4, seed=seed)} for seed in range(3)])
    assert len({run.tensors for run in runs}) == 1


def test_integers_and_flags() -> None:
    inputs = [{"flag": np.array([True]), "i": np.int32(i), "x": numbers(1, 3, seed=i)} for i in range(3)]
    both(small(), inputs)


def test_a_cast_to_bool_is_mended_here_too() -> None:
    nodes = [node("y", "Cast", "x", SrcT=FLOAT, DstT=kind("bool"))]
    (run,) = both(graph(nodes, ROW, ["y"]), [{"x": np.array([[0.3, 256, 0, -1]], np.float32)}])
    assert run.outputs[0].tolist() == [[True, True, False, True]]


def test_slices_of_any_rank() -> None:
    """The engine's own for five dimensions and more."""
    nodes = [node("y", "Slice", "x", "begin", "size", T=FLOAT, Index=INT)]
    weights = {"begin": integers(0, 1, 0, 1, 1, 0), "size": integers(1, 2, 2, 1, 3, 2)}
    model = graph(nodes, {"x": ("float32", (1, 3, 2, 3, 4, 2))}, ["y"], weights)
    both(model, [{"x": numbers(1, 3, 2, 3, 4, 2)}])


def test_ranges() -> None:
    nodes = [node("y", "AddV2", "range", "x", T=FLOAT), node("range", "Range", "from", "to", "by", Tidx=FLOAT)]
    bounds = {"from": np.array(1, np.float32), "to": np.array(2.9, np.float32), "by": np.array(0.5, np.float32)}
    both(graph(nodes, ROW, ["y"], bounds), [{"x": numbers(1, 4)}])


def test_control_flow_has_no_plan() -> None:
    assert why(endless(), i=[]) == "it has loops or branches, or sizes that depend on what goes in"


def test_sizes_that_depend_on_data_have_no_plan() -> None:
    nodes = [node("y", "Fill", "i", "one", T=FLOAT)]
    model = graph(nodes, {"i": ("int32", (1,))}, ["y"], {"one": np.array(1, np.float32)})
    assert why(model) == "sizes or values in it depend on what goes in"


def test_chance_has_no_plan() -> None:
    nodes = [
        node("random", "RandomUniform", "dims", T=INT, dtype=FLOAT, seed={"i": "0"}),
        node("y", "AddV2", "random", "x", T=FLOAT),
    ]
    assert why(graph(nodes, ROW, ["y"], {"dims": integers(1, 4)})) == "what it computes depends on what goes in"


def test_inputs_of_any_size_have_no_plan() -> None:
    model = graph([node("y", "Neg", "x", T=FLOAT)], {"x": ("float32", (-1, -1))}, ["y"])
    assert plan.shapes(model.signature) is None
    assert why(model) == "it takes inputs of any size"
    # One size may be the batch's, or how long a signal is.
    assert plan.shapes(Signature((TensorSpec("x", "float32", (-1,)),), ())) is None
    # The page may know the size.
    assert planned(model, x=[1, 7])["tensors"][0] == ["float32", [1, 7]]


def test_a_kernel_that_fails_has_no_plan() -> None:
    nodes = [node("y", "AddV2", "x", "w", T=FLOAT)]
    assert why(graph(nodes, ROW, ["y"], {"w": numbers(3)})).startswith("it fails: ")


def test_a_plan_is_the_same_each_time() -> None:
    model = parity.load(DIGITS)
    assert recorded(model).file == recorded(model).file


def test_what_is_free_in_time() -> None:
    """The most that lies in memory at once, counted by hand."""
    model = parity.load(DIGITS)
    made = recorded(model)
    assert made.file is not None
    found = json.loads(made.file)
    sizes = [4 * int(np.prod(shape)) for _, shape in found["tensors"]]
    fixed = len(found["weights"]) + len(found["constants"])
    alive = set(range(fixed + 1))
    most = 0
    for _, _, _, outputs, frees in found["steps"]:
        alive |= set(outputs)
        most = max(most, sum(sizes[tensor] for tensor in alive))
        alive -= set(frees)
    assert made.peak == most
    # Nothing stays but weights and the result.
    assert alive == {*range(fixed), found["outputs"][0][1]}
    assert most < sum(sizes)


def test_memory_stays_flat() -> None:
    model = parity.load(DIGITS)
    (spec,) = model.signature.inputs
    inputs = [{spec.name: numbers(1, *spec.shape[1:], seed=seed)} for seed in range(4)] * 2500
    made = recorded(model)
    (runs,) = engine.run(model, [parity.exact(model)], inputs, made.file)
    assert {run.tensors for run in runs} == {len(model.weights) - 1}
    np.testing.assert_array_equal(runs[0].outputs[0], runs[-4].outputs[0])


@pytest.mark.parametrize("scheme", ["float16", "uint8"])
def test_quantized_weights(scheme: str) -> None:
    model = parity.load(DIGITS)
    file = container.write(quantize.tensors(model, scheme))
    (spec,) = model.signature.inputs
    both(model, [{spec.name: numbers(1, *spec.shape[1:])}], file)


def test_a_detector_ends_in_boxes() -> None:
    model = fold.fold(convert.graph(detectors.detector(), RESULTS))
    assert model.detection is not None
    (spec,) = model.signature.inputs
    shape = [1, *(size if size != -1 else 32 for size in spec.shape[1:])]
    picture = np.random.default_rng(0).integers(0, 256, shape)
    (run,) = both(model, [{spec.name: picture}])
    assert run.outputs[0].shape == (1, model.detection.total, 4)


@pytest.mark.parametrize(
    ("name", "size"), [("centernet_tfjs/centernet.json", 512), ("ssd_mobilenet_v1_tf1_frozen.pb", 300)]
)
def test_published_detectors(name: str, size: int, shared: Path) -> None:
    """Whole, where test_parity.py compares the heads of one, and the other has none to be compared with."""
    model = parity.load(shared / "models" / name)
    (spec,) = model.signature.inputs
    random = np.random.default_rng(4)
    inputs = [{spec.name: random.uniform(0, 255, (1, size, size, 3)).astype(np.float32)} for _ in range(3)]
    assert len({run.tensors for run in both(model, inputs)}) == 1
