"""What a page does with a model, as far as measuring it needs to know: what goes in, and what its outputs are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sitegen.errors import SitegenError
from sitegen.graph.nodes import source
from sitegen.records import GraphModel
from sitegen.weights import synthetic
from sitegen.weights.auto import Budget
from sitegen.weights.network import Floats

_PASSING = ("Identity", "Reshape", "Squeeze")


def kinds(model: GraphModel, activation: str) -> list[str]:
    """What each output is (fidelity.py); `activation` is what the page does to the first."""
    nodes = {node["name"]: node for node in model.topology["node"]}
    found = []
    for index, name in enumerate(model.ends):
        node = nodes.get(source(name))
        while node is not None and node["op"] in _PASSING:
            node = nodes.get(source(node["input"][0]))
        own = {"Softmax": "probabilities", "Sigmoid": "probability"}.get(node["op"] if node else "")
        page = {"softmax": "logits", "sigmoid": "logit"}.get(activation if index == 0 else "")
        found.append(own or page or "numbers")
    return found


def budget(kinds: Sequence[str], said: Mapping[str, float]) -> Budget:
    """The page's budget. Raises SitegenError where it is of another kind than the model's outputs."""
    numbers = kinds[0] == "numbers"
    wrong = {"max_kl", "min_agreement"} & set(said) if numbers else {"min_snr"} & set(said)
    if wrong:
        right = "min_snr" if numbers else "max_kl or min_agreement"
        what = "the model gives numbers" if numbers else "the model gives probabilities"
        raise SitegenError(f"{what}, which quantize.{sorted(wrong)[0]} says nothing of", hint=f"say {right}")
    distortion = 10 ** (-said["min_snr"] / 10) if "min_snr" in said else said.get("max_kl")
    return Budget(distortion, said.get("min_agreement"))


def inputs(model: GraphModel, use: Mapping[str, Any]) -> Callable[[str, int, int], Floats]:
    """A function (family, count, seed) -> inputs: synthetic pictures through the page's own arithmetic.

    `use["input"]` has height, width and channels (None: the model's), invert, scale, mean and std. Raises SitegenError
    for a model that takes no pictures.
    """
    spec = model.signature.inputs[0]
    if len(model.signature.inputs) != 1 or len(spec.shape) != 4 or spec.dtype != "float32":
        raise SitegenError("quantize: auto is for models that take one picture", hint="quantize: float16")
    told = use["input"]
    keys = ("height", "width", "channels")
    height, width, channels = (int(told[key] or size) for key, size in zip(keys, spec.shape[1:], strict=True))
    if min(height, width, channels) < 1:
        raise SitegenError("quantize: auto has to know the size of pictures", hint="input: {size: [height, width]}")

    def make(family: str, count: int, seed: int) -> Floats:
        pixels = synthetic.pictures(family, count, height, width, channels, seed)
        shown = 255 - pixels if told["invert"] else pixels
        scaled: Floats = ((shown * told["scale"] - np.array(told["mean"])) / np.array(told["std"])).astype(np.float32)
        return scaled

    return make
