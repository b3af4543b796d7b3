"""A stored model -> what is shipped of it: its topology and its weights file (container.py), in chunks.

It is read from the build cache and goes back there as chunk files; nothing here knows pages or models.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sitegen import chunks
from sitegen.disk import Cache
from sitegen.models.store import DTYPES
from sitegen.weights import container
from sitegen.weights.container import Tensor
from sitegen.weights.quantize import SCHEMES


def pack(stored: dict[str, Any], scheme: str, cache: Cache) -> dict[str, Any]:
    """Quantizes a stored model (models/store.py) and cuts it into chunks.

    Integer and boolean tensors are stored as they are. Gives JSON: see sitegen/build.py, which reads it.
    """
    quantize = SCHEMES[scheme]
    data = _blob(cache, stored["data"])
    tensors: list[Tensor] = []
    offset = 0
    for name, dtype, shape in stored["weights"]:
        count = math.prod(shape)
        values = np.frombuffer(data, DTYPES[dtype], count, offset).reshape(shape)
        offset += values.nbytes
        if dtype == "float32":
            made = quantize(values)
            tensors.append(Tensor(name, tuple(shape), made.scheme, made.data, made.more))
        else:
            tensors.append(Tensor(name, tuple(shape), dtype, values))
    shipped = {"topology": _blob(cache, stored["topology"]), "weights": container.write(tensors)}
    if "anchors" in stored:
        shipped["anchors"] = _blob(cache, stored["anchors"])
    return {
        **{name: chunks.keep(data, cache) for name, data in shipped.items()},
        "weight_bytes": sum(t.data.nbytes for t in tensors if t.data is not None),
        "float32_bytes": offset,
    }


def _blob(cache: Cache, named: list[Any]) -> bytes:
    blob = cache.get(named[0], named[1])
    if blob is None:
        raise FileNotFoundError(f"blob {named[0]} is gone from the build cache")
    return blob.read()
