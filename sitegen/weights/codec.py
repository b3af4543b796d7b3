"""A stored model -> what is shipped of it: its topology and its weights file (container.py), in chunks.

It is read from the build cache and goes back there as chunk files; nothing here knows pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sitegen import chunks
from sitegen.disk import Cache
from sitegen.errors import SitegenError
from sitegen.models import store
from sitegen.records import GraphModel
from sitegen.weights import container, quantize


@dataclass(frozen=True)
class Shipped:
    """A weights file; `bytes` of it are weights, and `loss` is what was measured of it, if anything was."""

    file: bytes
    bytes: int
    loss: Mapping[str, Any] | None = None


def pack(stored: dict[str, Any], scheme: str, use: Mapping[str, Any], cache: Cache) -> dict[str, Any]:
    """Quantizes a stored model (models/store.py) and cuts it into chunks.

    `use` is what the page does with it (auto.py measures with that): see steps.py. Gives JSON, which steps.py reads.
    """
    model = store.load(stored, cache)
    made = _auto(model, use) if scheme == "auto" else _each(model, scheme)
    payloads = {"weights": made.file}
    for name in ("topology", "anchors"):
        if name in stored:
            payloads[name] = store.read(cache, stored[name])
    return {
        **{name: chunks.keep(data, cache) for name, data in payloads.items()},
        "weight_bytes": made.bytes,
        "float32_bytes": sum(value.nbytes for value in model.weights.values()),
        "loss": made.loss,
    }


def _each(model: GraphModel, scheme: str) -> Shipped:
    """Every tensor by itself."""
    tensors = quantize.tensors(model, scheme)
    return Shipped(container.write(tensors), sum(t.data.nbytes for t in tensors if t.data is not None))


def _auto(model: GraphModel, use: Mapping[str, Any]) -> Shipped:
    from sitegen.weights import auto
    from sitegen.weights import use as page

    try:
        kinds = page.kinds(model, use["activation"])
        pictures = page.Pictures(model, use)
        data = pictures.files(use["calibration"])
        made = auto.encode(model, kinds, pictures.synthetic, page.budget(kinds, use["budget"]), data)
    except LookupError as error:
        # TensorFlow's word for an operation without a gradient.
        what = f"quantize: auto cannot measure this model: {error}"
        raise SitegenError(what, hint="quantize: float16 works for any model") from error
    loss = {
        "measure": made.measure,
        "distortion": made.loss.distortion,
        "agreement": made.loss.agreement,
        "uint8_distortion": made.uint8.distortion,
        "inputs": made.inputs,
        "on": made.on,
    }
    return Shipped(made.file, made.bytes, loss)
