"""What a page does with a model, as far as measuring it needs to know: what goes in, and what its outputs are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from sitegen.errors import SitegenError, Unmeasurable
from sitegen.graph.nodes import source
from sitegen.records import GraphModel
from sitegen.weights import synthetic
from sitegen.weights.auto import Floats
from sitegen.weights.fidelity import Classes
from sitegen.weights.gate import Budget

_LABELLED = "quantize.labelled"
_PASSING = ("Identity", "Reshape", "Squeeze")


def kinds(model: GraphModel, activation: str) -> list[str]:
    """What each output is (fidelity.py); `activation` is what the page does to the first.

    A probability next to other outputs is a number like any other: a map of them has no one best class.
    """
    nodes = {node["name"]: node for node in model.topology["node"]}
    found = []
    for index, name in enumerate(model.ends):
        node = nodes.get(source(name))
        while node is not None and node["op"] in _PASSING:
            node = nodes.get(source(node["input"][0]))
        own = {"Softmax": "probabilities", "Sigmoid": "probability"}.get(node["op"] if node else "")
        page = {"softmax": "logits", "sigmoid": "logit"}.get(activation if index == 0 else "")
        found.append(own or page or "numbers")
    return ["numbers" if kind == "probability" and len(found) > 1 else kind for kind in found]


def budget(
    kinds: Sequence[str], said: Mapping[str, float], shared: Mapping[str, float] = MappingProxyType({})
) -> Budget:
    """What may be lost: the page's budget, and of the site's, `shared`, what is of the kind of the model's outputs.

    Raises SitegenError where the page's is of another kind.
    """
    numbers = kinds[0] == "numbers"
    unfit = {"max_kl", "min_agreement", "max_drop"} if numbers else {"min_snr"}
    if wrong := sorted(unfit & set(said)):
        right = "min_snr" if numbers else "max_kl or min_agreement"
        what = "the model gives numbers" if numbers else "the model gives probabilities"
        what += f", which quantize.{wrong[0]} says nothing of"
        raise SitegenError(what, hint=f"say {right}", key=f"quantize.{wrong[0]}")
    holds = {key: value for key, value in shared.items() if key not in unfit} | dict(said)
    distortion = 10 ** (-holds["min_snr"] / 10) if "min_snr" in holds else holds.get("max_kl")
    return Budget(distortion, holds.get("min_agreement"), holds.get("max_drop"))


def labelled(
    kinds: Sequence[str], pictures: Pictures, files: Sequence[tuple[str, str, int]]
) -> tuple[Floats, Classes] | None:
    """Inputs and the indices of their classes, of files (name, path, class); None when there are none.

    Raises SitegenError for a model that gives no classes, and for what is no picture.
    """
    if not files:
        return None
    if kinds[0] not in ("probabilities", "logits"):
        hint = "leave it out, or say output: {activation: softmax} if the model ends in logits"
        raise SitegenError("the model gives no classes, which quantize.labelled is for", hint=hint, key=_LABELLED)
    inputs = pictures.files([(name, path) for name, path, _ in files], _LABELLED)
    assert inputs is not None
    return inputs, np.array([index for *_, index in files], np.int64)


class Pictures:
    """The inputs that a page's pictures become, through its own arithmetic.

    `use["input"]` has height, width and channels (None: the model's), resize, crop, invert, scale, mean, std, and what
    synthetic.drawings is given, or None, as `draw`; it is None for tasks that show the model none.
    Raises Unmeasurable for a model that takes no pictures.
    """

    def __init__(self, model: GraphModel, use: Mapping[str, Any]) -> None:
        specs = model.signature.inputs
        one = len(specs) == 1 and len(specs[0].shape) == 4 and specs[0].dtype == "float32"
        if not one or specs[0].shape[0] not in (-1, 1) or use["input"] is None:
            raise Unmeasurable("quantize: auto is for models that take one picture", hint="quantize: float16")
        self._told = use["input"]
        keys = ("height", "width", "channels")
        sizes = [int(self._told[key] or size) for key, size in zip(keys, specs[0].shape[1:], strict=True)]
        if min(sizes) < 1:
            raise Unmeasurable("quantize: auto has to know the size of pictures", hint="input: {size: [height, width]}")
        self._height, self._width, self._channels = sizes
        if self._channels not in (1, 3):
            raise Unmeasurable("quantize: auto makes pictures of 1 or 3 channels", hint="quantize: float16")
        draw = self._told["draw"]
        self._made = synthetic.drawings(**draw) if draw else synthetic.PHOTOGRAPHS
        self.families = tuple(self._made)

    def synthetic(self, family: str, count: int, seed: int) -> Floats:
        """Inputs of one of the families."""
        size = (self._height, self._width, self._channels)
        return self._scaled(synthetic.pictures(self._made[family], count, *size, [seed, *family.encode()]))

    def files(self, files: Sequence[tuple[str, str]], key: str = "quantize.calibration") -> Floats | None:
        """Pictures from files (name, path); None when there are none.

        Raises SitegenError for what is no picture; `key` is what names them in the front matter.
        """
        return self._scaled(np.stack([self._pixels(*file, key) for file in files])) if files else None

    def _scaled(self, pixels: Floats) -> Floats:
        shown = 255 - pixels if self._told["invert"] else pixels
        mean, std = np.array(self._told["mean"]), np.array(self._told["std"])
        scaled: Floats = ((shown * self._told["scale"] - mean) / std).astype(np.float32)
        return scaled

    def _pixels(self, name: str, path: str, key: str) -> Floats:
        from PIL import Image, ImageOps, UnidentifiedImageError

        size = (round(self._width / self._told["crop"]), round(self._height / self._told["crop"]))
        try:
            with Image.open(path) as image:
                opaque = Image.new("RGB", image.size, "white")
                colours = image.convert("RGBA")
                opaque.paste(colours, mask=colours.getchannel("A"))
        except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
            what = f"{name} is no picture that can be read"
            raise SitegenError(what, hint="PNG, JPEG, WebP, GIF or BMP", key=key) from error
        bilinear = Image.Resampling.BILINEAR
        if self._told["resize"] == "stretch":
            made = opaque.resize(size, bilinear)
        elif self._told["resize"] == "center-crop":
            made = ImageOps.fit(opaque, size, bilinear)
        else:
            made = ImageOps.pad(opaque, size, bilinear, (self._told["pad"],) * 3)
        left, top = (size[0] - self._width) // 2, (size[1] - self._height) // 2
        cut = made.crop((left, top, left + self._width, top + self._height))
        grey = cut if self._channels == 3 else cut.convert("L")
        pixels: Floats = np.asarray(grey, np.float32).reshape(self._height, self._width, self._channels)
        return pixels
