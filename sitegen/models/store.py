"""GraphModel -> the build cache and back: how a converted model waits for the steps after it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.disk import Cache
from sitegen.records import Detection, GraphModel, Signature, TensorSpec

# How each type is stored: little-endian, as NumPy names it.
DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "|b1"}


def save(model: GraphModel, cache: Cache) -> dict[str, Any]:
    """Keeps the model's bytes in the cache; gives the JSON that weights/codec.py and build.py read.

    Weights are stored in their order, little-endian, without gaps; wider types narrow to what TF.js has.
    """
    weights, pieces = [], []
    for name, value in model.weights.items():
        kind = dtype(value)
        pieces.append(np.ascontiguousarray(value, dtype=DTYPES[kind]).tobytes())
        weights.append([name, kind, list(value.shape)])
    stored = {"topology": cache.put(topology(model)), "data": cache.put(b"".join(pieces))}
    broken = [name for name, value in model.weights.items() if value.dtype.kind == "f" and not np.isfinite(value).all()]
    detection = model.detection
    if detection is not None:
        stored["anchors"] = cache.put(anchors(detection))
    steps = {name: value for name, value in model.steps.items() if name in model.weights}
    if steps:
        stored["steps"] = cache.put(np.concatenate(list(steps.values())).astype("<f4").tobytes())
    notes = [*model.notes, *(f"the weights {name} hold NaN or infinite numbers" for name in broken[:3])]
    return {
        **{key: [blob.sha256, blob.size] for key, blob in stored.items()},
        "weights": weights,
        "stepped": [[name, len(value)] for name, value in steps.items()],
        "signature": {
            "inputs": [_spec_json(s) for s in model.signature.inputs],
            "outputs": [_spec_json(s) for s in model.signature.outputs],
        },
        "text": model.signature.text,
        "detection": detection_json(detection) if detection else None,
        "notes": notes,
        "parameters": sum(int(np.size(v)) for v in model.weights.values() if v.dtype.kind == "f"),
    }


def load(stored: Mapping[str, Any], cache: Cache) -> GraphModel:
    """The model that save() kept, as far as the page's engine has it."""
    graph, data = (read(cache, stored[key]) for key in ("topology", "data"))
    values, offset = {}, 0
    for name, kind, shape in stored["weights"]:
        count = math.prod(shape)
        values[name] = np.frombuffer(data, DTYPES[kind], count, offset).reshape(shape)
        offset += values[name].nbytes
    inputs, outputs = (
        tuple(TensorSpec(n, d, tuple(s)) for n, d, s in stored["signature"][side]) for side in ("inputs", "outputs")
    )
    ends = Signature(inputs, outputs)
    detection, steps = _detection(stored, cache), _steps(stored, cache)
    return GraphModel(json.loads(graph), values, ends, detection=detection, steps=steps)


def _steps(stored: Mapping[str, Any], cache: Cache) -> dict[str, NDArray[np.float32]]:
    if "steps" not in stored:
        return {}
    whole = np.frombuffer(read(cache, stored["steps"]), "<f4")
    ends = np.cumsum([count for _, count in stored["stepped"]])[:-1]
    return {name: part for (name, _), part in zip(stored["stepped"], np.split(whole, ends), strict=True)}


def _detection(stored: Mapping[str, Any], cache: Cache) -> Detection | None:
    told = stored["detection"]
    if told is None:
        return None
    return Detection(
        told["boxes"],
        told["scores"],
        np.frombuffer(read(cache, stored["anchors"]), "<f4").reshape(-1, 4),
        tuple(told["scales"]),
        told["background"],
        told["firstClass"],
        told["iou"],
        told["score"],
        told["perClass"],
        told["total"],
    )


def read(cache: Cache, named: Sequence[Any]) -> bytes:
    """A blob by its hash and size, as save() names it."""
    blob = cache.get(named[0], named[1])
    if blob is None:
        raise FileNotFoundError(f"blob {named[0]} is gone from the build cache")
    return blob.read()


def dtype(value: NDArray[np.generic]) -> str:
    """The type that TF.js has a tensor in."""
    if value.dtype.kind == "b":
        return "bool"
    return "int32" if value.dtype.kind in "iu" else "float32"


def topology(model: GraphModel) -> bytes:
    """The graph as the page's engine reads it."""
    return json.dumps(model.topology, sort_keys=True, separators=(",", ":")).encode()


def anchors(detection: Detection) -> bytes:
    """As the page's engine reads them: [anchors, 4]."""
    return detection.anchors.astype("<f4").tobytes()


def detection_json(detection: Detection) -> dict[str, Any]:
    """contract.ts: DetectionConfig, without the anchors."""
    return {
        "boxes": detection.boxes,
        "scores": detection.scores,
        "scales": list(detection.scales),
        "background": detection.background,
        "firstClass": detection.first_class,
        "iou": detection.iou,
        "score": detection.score,
        "perClass": detection.per_class,
        "total": detection.total,
    }


def _spec_json(spec: TensorSpec) -> list[Any]:
    return [spec.name, spec.dtype, list(spec.shape)]
