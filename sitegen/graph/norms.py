"""Batch normalization after a convolution -> the convolution's own weights, and a bias.

Works on a GraphDef, before anything is optimized. TensorFlow.js's converter does the same number by number in Python,
which takes minutes for large networks; what it finds done it leaves alone. Ioffe and Szegedy, "Batch Normalization"
(2015): y = (x - mean) * gamma / sqrt(variance + epsilon) + beta.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.graph import build
from sitegen.graph.nodes import Nodes, source

_NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
_SUMS = ("BiasAdd", "Add", "AddV2")


def fold(graph_def: Any) -> None:
    """Changes a GraphDef in place; a norm whose convolution somebody else reads too stays."""
    nodes = Nodes(graph_def.node)
    uses = Counter(source(reference) for node in nodes for reference in node.input)
    for norm in nodes.of(*_NORMS):
        before = nodes.by_name.get(source(norm.input[0]))
        added = None
        if before is not None and before.op in _SUMS and uses[before.name] == 1:
            added = nodes.constant(before.input[1])
            before = nodes.by_name.get(source(before.input[0]))
        if before is None or before.op not in _CONVOLUTIONS or uses[before.name] != 1:
            continue
        weights = nodes.constant(before.input[1])
        parts = [part for part in map(nodes.constant, norm.input[1:5]) if part is not None and part.size]
        # Its other results are for training.
        others = any(f"{norm.name}:{index}" in node.input for node in nodes for index in range(1, 6))
        if weights is None or others or len(parts) < 4:
            continue
        passed = source(norm.input[0]) == before.name or (added is not None and added.size in (1, parts[0].size))
        if passed and not _trains(norm) and _channels_last(norm):
            _write(graph_def, norm, before, weights, [*parts, 0.0 if added is None else added.reshape(-1)])


def _trains(norm: Any) -> bool:
    """The attribute is true where it is not there."""
    return "is_training" not in norm.attr or norm.attr["is_training"].b


def _channels_last(norm: Any) -> bool:
    return norm.attr["data_format"].s in (b"", b"NHWC")


def _write(graph_def: Any, norm: Any, convolution: Any, weights: NDArray[Any], parts: list[Any]) -> None:
    gamma, beta, mean, variance, added = (np.asarray(part, np.float64) for part in parts)
    epsilon = norm.attr["epsilon"].f if "epsilon" in norm.attr else 1e-4
    factor = gamma / np.sqrt(variance + epsilon)
    # A depthwise convolution's weights end in [channels, multiplier].
    wide = factor.reshape(weights.shape[-2:]) if convolution.op == "DepthwiseConv2dNative" else factor
    scaled = (weights * wide).astype(weights.dtype)
    convolution.input[1] = build.constant(graph_def.node, f"{norm.name}/folded_weights", scaled)
    bias = (beta + (added - mean) * factor).astype(weights.dtype)
    bias_name = build.constant(graph_def.node, f"{norm.name}/folded_bias", bias)
    build.rewrite(norm, "BiasAdd", [convolution.name, bias_name], T=convolution.attr["T"].type)
