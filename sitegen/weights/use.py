"""What a page does with a model, as far as measuring it needs to know: what goes in, and what its outputs are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sitegen.errors import SitegenError
from sitegen.graph.nodes import source
from sitegen.records import GraphModel
from sitegen.weights import synthetic
from sitegen.weights.auto import Floats
from sitegen.weights.gate import Budget

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


class Pictures:
    """The inputs that a page's pictures become, through its own arithmetic.

    `use["input"]` has height, width and channels (None: the model's), resize, invert, scale, mean and std. Raises
    SitegenError for a model that takes no pictures.
    """

    def __init__(self, model: GraphModel, use: Mapping[str, Any]) -> None:
        spec = model.signature.inputs[0]
        if len(model.signature.inputs) != 1 or len(spec.shape) != 4 or spec.dtype != "float32":
            raise SitegenError("quantize: auto is for models that take one picture", hint="quantize: float16")
        self._told = use["input"]
        keys = ("height", "width", "channels")
        sizes = [int(self._told[key] or size) for key, size in zip(keys, spec.shape[1:], strict=True)]
        if min(sizes) < 1:
            raise SitegenError("quantize: auto has to know the size of pictures", hint="input: {size: [height, width]}")
        self._height, self._width, self._channels = sizes

    def synthetic(self, family: str, count: int, seed: int) -> Floats:
        """Inputs of one family of synthetic.py."""
        return self._scaled(synthetic.pictures(family, count, self._height, self._width, self._channels, seed))

    def files(self, paths: Sequence[str]) -> Floats | None:
        """Pictures from files; None when there are none. Raises SitegenError for what is no picture."""
        return self._scaled(np.stack([self._pixels(path) for path in paths])) if paths else None

    def _scaled(self, pixels: Floats) -> Floats:
        shown = 255 - pixels if self._told["invert"] else pixels
        mean, std = np.array(self._told["mean"]), np.array(self._told["std"])
        scaled: Floats = ((shown * self._told["scale"] - mean) / std).astype(np.float32)
        return scaled

    def _pixels(self, path: str) -> Floats:
        from PIL import Image, ImageOps, UnidentifiedImageError

        size = (self._width, self._height)
        try:
            with Image.open(path) as image:
                opaque = Image.new("RGB", image.size, "white")
                colours = image.convert("RGBA")
                opaque.paste(colours, mask=colours.getchannel("A"))
        except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
            raise SitegenError(f"{path} is no picture that can be read", hint="PNG, JPEG, WebP, GIF or BMP") from error
        bilinear = Image.Resampling.BILINEAR
        if self._told["resize"] == "stretch":
            made = opaque.resize(size, bilinear)
        elif self._told["resize"] == "center-crop":
            made = ImageOps.fit(opaque, size, bilinear)
        else:
            made = ImageOps.pad(opaque, size, bilinear, "white")
        grey = made if self._channels == 3 else made.convert("L")
        pixels: Floats = np.asarray(grey, np.float32).reshape(self._height, self._width, self._channels)
        return pixels
