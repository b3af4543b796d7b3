"""A stored model -> what is shipped of it: its topology and its weights file (container.py), in chunks.

It is read from the build cache and goes back there as chunk files; nothing here knows pages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sitegen import chunks
from sitegen.disk import Cache
from sitegen.errors import Unmeasurable, first_line
from sitegen.models import store
from sitegen.records import GraphModel
from sitegen.weights import container
from sitegen.weights.container import Tensor
from sitegen.weights.quantize import SCHEMES

if TYPE_CHECKING:
    from sitegen.weights.auto import Encoded


INSTEAD = "float16"  # of auto, where it cannot measure
# Tensors that are listed by name; no picture shows more.
_LISTED = 32
Layer = tuple[str, int, int]  # a tensor's name, its bytes as it was and as it is shipped


@dataclass(frozen=True)
class Shipped:
    """A weights file; `bytes` of it are weights, and `loss` is what was measured of it, if anything was."""

    file: bytes
    bytes: int
    layers: Sequence[Layer]
    loss: Mapping[str, Any] | None = None


def pack(
    stored: dict[str, Any], scheme: str, fixed: Mapping[str, str], use: Mapping[str, Any], cache: Cache
) -> dict[str, Any]:
    """Quantizes a stored model (models/store.py) and cuts it into chunks. Raises SitegenError.

    `fixed` has the schemes of tensors that are stored by another; `use` is what the page does with the model (auto.py
    measures with that): see steps.py. Gives JSON, which steps.py reads: `unmeasured` says (what, where, hint) why auto
    could not measure the model, and `scheme` is then INSTEAD.
    """
    model = store.load(stored, cache)
    unmeasured = None
    try:
        made = _auto(model, fixed, use) if scheme == "auto" else _each(model, scheme, fixed)
    except Unmeasurable as error:
        scheme, unmeasured = INSTEAD, [error.what, None, error.hint]
        made = _each(model, scheme, fixed)
    payloads = {"weights": made.file}
    for name in ("topology", "anchors"):
        if name in stored:
            payloads[name] = store.read(cache, stored[name])
    return {
        **{name: chunks.keep(data, cache) for name, data in payloads.items()},
        "scheme": scheme,
        "unmeasured": unmeasured,
        "weight_bytes": made.bytes,
        "float32_bytes": sum(value.nbytes for value in model.weights.values()),
        "layers": sorted(made.layers, key=lambda layer: (-layer[1], layer[0]))[:_LISTED],
        "loss": made.loss,
    }


def _each(model: GraphModel, scheme: str, fixed: Mapping[str, str]) -> Shipped:
    """Every tensor of floats by itself; integers and booleans as they are."""
    tensors = [_tensor(name, value, fixed.get(name, scheme)) for name, value in model.weights.items()]
    sizes = {t.name: t.data.nbytes for t in tensors if t.data is not None}
    return Shipped(container.write(tensors), sum(sizes.values()), _layers(model, sizes))


def _tensor(name: str, value: NDArray[np.generic], scheme: str) -> Tensor:
    kind = store.dtype(value)
    if kind != "float32":
        return Tensor(name, value.shape, kind, value)
    stored = SCHEMES[scheme](value.astype(np.float32, copy=False))
    return Tensor(name, value.shape, stored.scheme, stored.data, stored.more)


def _layers(model: GraphModel, sizes: Mapping[str, int]) -> list[Layer]:
    return [(name, value.nbytes, sizes[name]) for name, value in model.weights.items()]


def _auto(model: GraphModel, fixed: Mapping[str, str], use: Mapping[str, Any]) -> Shipped:
    from sitegen.weights import auto
    from sitegen.weights import use as page

    kinds = page.kinds(model, use["activation"])
    pictures = page.Pictures(model, use)
    data = pictures.files(use["calibration"])
    labelled = page.labelled(kinds, pictures, use["labelled"])
    budget = page.budget(kinds, use["budget"], use["shared"])
    from tensorflow.errors import OpError

    try:
        made = auto.encode(model, kinds, pictures.synthetic, budget, data, fixed=fixed, labelled=labelled)
    except (LookupError, OpError) as error:
        # TensorFlow's words for an operation without a gradient, and for one that it cannot compute.
        # It goes on with the name of the machine.
        why = first_line(error).partition(" in binary running on ")[0]
        what = f"quantize: auto cannot measure this model: {why}"
        raise Unmeasurable(what, hint="quantize: float16 works for any model") from error
    before, after = made.accuracy or (None, None)
    loss = {
        "measure": made.measure,
        "distortion": made.loss.distortion,
        "agreement": made.loss.agreement,
        "snr_db": -10 * math.log10(made.loss.distortion) if made.measure == "NMSE" else None,
        "uint8_distortion": made.uint8.distortion,
        "uint8_agreement": made.uint8.agreement,
        "inputs": made.inputs,
        "on": made.on,
        "float_accuracy": before,
        "accuracy": after,
        "labelled": len(use["labelled"]),
    }
    coded = _coded(made)
    plain = {name: value for name, value in model.weights.items() if name not in coded}
    stored = (_tensor(name, value, fixed.get(name, "float16")) for name, value in plain.items())
    sizes = {**{t.name: t.data.nbytes for t in stored if t.data is not None}, **coded}
    return Shipped(made.file, made.bytes, _layers(model, sizes), loss)


def _coded(made: Encoded) -> Mapping[str, int]:
    """The bytes of each coded tensor."""
    sizes: Mapping[str, int] | None = getattr(made, "sizes", None)
    return sizes if sizes is not None else _spread(made.file)


def _spread(file: bytes) -> dict[str, int]:
    """The bytes of the coded tensors, if every number of them took as much of the stream."""
    length = int.from_bytes(file[8:12], "little")
    entries = json.loads(file[12 : 12 + length])["tensors"]
    counts = {entry["name"]: math.prod(entry["shape"]) for entry in entries if entry["scheme"] == "coded"}
    plain = sum(
        math.prod(entry["shape"]) * np.dtype(container.PLAIN[entry["scheme"]]).itemsize
        for entry in entries
        if entry["scheme"] != "coded"
    )
    stream = len(file) - 12 - length - plain
    return {name: round(stream * count / sum(counts.values())) for name, count in counts.items()}
