"""Where models are measured: at their outputs, unless these are picked from others by rank."""

from __future__ import annotations

from dataclasses import replace

from sitegen.records import GraphModel, Signature, TensorSpec
from sitegen.weights import heads, use

NODES = [
    ("x", "Placeholder"),
    ("maps", "_FusedConv2D", "x"),
    ("sizes", "_FusedConv2D", "maps"),
    ("heat", "Sigmoid", "maps"),
    ("peaks", "TopKV2", "heat"),
    ("places", "Cast", "peaks:1"),
    ("boxes", "GatherV2", "sizes", "places"),
    ("found", "ConcatV2", "boxes", "peaks"),
    ("shown", "Identity", "heat"),
    ("class", "Softmax", "heat"),
]


def model(*outputs: str) -> GraphModel:
    nodes = [{"name": name, "op": op, "input": list(inputs)} for name, op, *inputs in NODES]
    specs = [TensorSpec(name, "float32", (-1, 4)) for name in ("x", *outputs)]
    return GraphModel({"node": nodes}, {}, Signature((specs[0],), tuple(specs[1:])))


def test_what_is_picked_is_measured_where_it_is_picked_from() -> None:
    assert heads.of(model("found")).ends == ("sizes", "heat")
    assert heads.of(model("peaks:1")).ends == ("heat",)


def test_each_head_once() -> None:
    assert heads.of(model("found", "shown", "sizes")).ends == ("sizes", "heat")


def test_what_is_computed_is_measured_as_it_is() -> None:
    assert heads.of(model("class", "maps")).ends == ("class", "maps")
    # Nothing that could be measured stands before it.
    bare = model("peaks")
    few = [node for node in bare.topology["node"] if node["name"] not in ("maps", "heat")]
    assert heads.of(replace(bare, topology={"node": few})).ends == ("peaks",)


def test_a_map_of_probabilities_next_to_sizes_is_numbers() -> None:
    assert use.kinds(heads.of(model("found")), "none") == ["numbers", "numbers"]
    assert use.kinds(heads.of(model("heat")), "none") == ["probability"]
    assert use.kinds(heads.of(model("class", "sizes")), "none") == ["probabilities", "numbers"]
