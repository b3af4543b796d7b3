"""The layout of shipped weights: TF.js's own, all tensors one after the other, described by a weight manifest.

What is shipped is read from the build cache and goes back there as chunk files; nothing here knows pages or models.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sitegen import chunks
from sitegen.disk import Cache
from sitegen.models.store import DTYPES
from sitegen.weights.quantize import SCHEMES


def pack(stored: dict[str, Any], scheme: str, cache: Cache) -> dict[str, Any]:
    """Quantizes a stored model (models/store.py) and cuts it into chunks.

    Integer and boolean tensors are stored as they are. Gives JSON: see sitegen/build.py, which reads it.
    """
    quantize = SCHEMES[scheme]
    data = _blob(cache, stored["data"])
    specs: list[dict[str, Any]] = []
    pieces: list[bytes] = []
    offset = float_bytes = 0
    for name, dtype, shape in stored["weights"]:
        count = math.prod(shape)
        values = np.frombuffer(data, DTYPES[dtype], count, offset).reshape(shape)
        offset += values.nbytes
        float_bytes += values.nbytes
        spec: dict[str, Any] = {"name": name, "shape": shape, "dtype": dtype}
        if dtype == "float32":
            quantized = quantize(values)
            pieces.append(quantized.data.tobytes())
            if quantized.spec is not None:
                spec["quantization"] = dict(quantized.spec)
        else:
            pieces.append(values.tobytes())
        specs.append(spec)
    payload = b"".join(pieces)
    shipped = {"topology": _blob(cache, stored["topology"]), "weights": payload}
    if "anchors" in stored:
        shipped["anchors"] = _blob(cache, stored["anchors"])
    return {
        **{name: chunks.keep(data, cache) for name, data in shipped.items()},
        "specs": specs,
        "weight_bytes": len(payload),
        "float32_bytes": float_bytes,
    }


def _blob(cache: Cache, named: list[Any]) -> bytes:
    blob = cache.get(named[0], named[1])
    if blob is None:
        raise FileNotFoundError(f"blob {named[0]} is gone from the build cache")
    return blob.read()
