"""Class activation maps: which places of a picture speak for a class, as another output of a classifier's graph.

Of a network that ends in the mean of features f over all places and one product with weights w, a class's logit is the
mean of M(y, x) = sum over k of w[k, class] f[y, x, k], and its bias. Zhou et al., "Learning Deep Features for
Discriminative Localization" (2016), equation 2. The maps are a convolution of size 1 with the product's own weights.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from sitegen.errors import SitegenError
from sitegen.graph.bias import fused_ops
from sitegen.graph.nodes import source
from sitegen.records import GraphModel, Signature, TensorSpec

NAME = "class_activations"

_Node = dict[str, Any]
# What stands between the mean, the product and the end, and changes no number's place.
_PASSING = ("Identity", "Reshape", "Squeeze", "ExpandDims", "Flatten")
_PRODUCTS = ("MatMul", "_FusedMatMul", "Conv2D", "_FusedConv2D")


def add(model: GraphModel) -> GraphModel:
    """The model with the maps [N, height, width, classes], without biases, as its last output.

    Raises SitegenError for a model that does not end in a mean over all places and one product.
    """
    nodes: dict[str, _Node] = {node["name"]: node for node in model.topology["node"]}
    product = _up(nodes, model.ends[0], (*_PASSING, "Softmax", "Sigmoid", "BiasAdd", "Add", "AddV2"))
    features, shape = None, None
    if product is not None and _is_linear(product):
        features = _averaged(model, nodes, product["input"][0])
        shape = _kernel(model, product)
    if product is None or features is None or shape is None:
        raise SitegenError(
            "output.heatmap is for networks that end in a mean over all places and one dense layer",
            hint="leave it out",
            key="output.heatmap",
        )
    size = f"{NAME}/shape"
    added: list[_Node] = [
        {"name": size, "op": "Const", "attr": {"dtype": {"type": "DT_INT32"}}},
        {
            "name": f"{NAME}/weights",
            "op": "Reshape",
            "input": [product["input"][1], size],
            "attr": {"T": {"type": "DT_FLOAT"}, "Tshape": {"type": "DT_INT32"}},
        },
        {
            "name": NAME,
            "op": "Conv2D",
            "input": [features, f"{NAME}/weights"],
            "attr": {
                "T": {"type": "DT_FLOAT"},
                "strides": {"list": {"i": ["1", "1", "1", "1"]}},
                "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
                "padding": {"s": _text("VALID")},
                "data_format": {"s": _text("NHWC")},
            },
        },
    ]
    given, ends = model.signature.inputs, model.signature.outputs
    maps = TensorSpec(f"{NAME}:0", "float32", (ends[0].shape[0], -1, -1, shape[-1]))
    return replace(
        model,
        topology={**model.topology, "node": [*model.topology["node"], *added]},
        weights={**model.weights, size: np.array(shape, np.int32)},
        signature=Signature(given, (*ends, maps), model.signature.text),
    )


def apart(model: GraphModel) -> GraphModel:
    """The same graph, run for the outputs of the model alone: what `add` gave is another view of the same numbers."""
    *outputs, last = model.signature.outputs
    if last.name != f"{NAME}:0":
        return model
    return replace(model, signature=replace(model.signature, outputs=tuple(outputs)))


def _text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _up(nodes: dict[str, _Node], name: str, through: Collection[str]) -> _Node | None:
    """The node behind an end, past those whose operation is in `through`."""
    node = nodes.get(source(name))
    while node is not None and node["op"] in through:
        node = nodes.get(source(node["input"][0]))
    return node


def _is_linear(product: _Node) -> bool:
    """Whether it is a product without an activation, its weights [in, out] or [1, 1, in, out]."""
    turned = any(product.get("attr", {}).get(key, {}).get("b") for key in ("transpose_a", "transpose_b"))
    return product["op"] in _PRODUCTS and set(fused_ops(product)) <= {"NoOp", "BiasAdd"} and not turned


def _kernel(model: GraphModel, product: _Node) -> tuple[int, ...] | None:
    """The shape of a product's weights as those of a convolution of size 1; None where they are no such weights."""
    weights = model.weights.get(product["input"][1])
    shape = weights.shape if weights is not None else ()
    whole = (1, 1, *shape) if len(shape) == 2 else shape
    return whole if len(whole) == 4 and whole[:2] == (1, 1) else None


def _averaged(model: GraphModel, nodes: dict[str, _Node], name: str) -> str | None:
    """What the mean over height and width is of, if that is what the product is given."""
    mean = _up(nodes, name, _PASSING)
    if mean is None or mean["op"] != "Mean":
        return None
    axes = model.weights.get(source(mean["input"][1]))
    # From the end, NHWC has height and width at -3 and -2.
    over = {int(axis) % 4 for axis in np.ravel(axes)} if axes is not None else set()
    return str(mean["input"][0]) if over == {1, 2} else None
