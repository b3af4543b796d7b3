"""What there is to know of a model before it has a page: what `sitegen inspect` prints."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from sitegen import chunks, plan
from sitegen.disk import Cache
from sitegen.graph import flops, fold, lacking
from sitegen.models import FORMATS, saved_model, store, tflite
from sitegen.models.options import Options
from sitegen.records import GraphModel, TensorSpec
from sitegen.weights import codec, container, quantize, use
from sitegen.weights.quantize import SCHEMES

BACKENDS = ("wasm",)
# Formats whose files can have several.
_SIGNATURES = {saved_model.NAME: saved_model.signatures, tflite.NAME: tflite.signatures}
_ACTIVATIONS = {"probabilities": "softmax", "probability": "sigmoid", "numbers": "none"}


def inspect(path: Path, format_name: str, options: Options) -> dict[str, Any]:
    """Reads a model as a build does; gives JSON. Raises SitegenError for what cannot be read.

    Keys: format, title; signature and signatures (names, where the format has them); inputs and outputs, each with
    name, dtype, shape (null is any size) and range (the least and the largest number it takes, where the file says so;
    else null); parameters; flops (see graph/flops.py; null: depends on the input); detection (boxes
    are made in the page); text (how a text becomes the input: schema.py, Text, with the size of the vocabulary; null:
    it does not begin with one); tensors: the weights, each with name, dtype and shape; nodes; ops, by name: count and
    backends that have it; lacking: nodes that no page can run, and where to cut instead; bytes, by scheme: weights as
    they are held and as they travel; plan (docs/plan-format.md), of one input at a time: its steps, its bytes as they
    travel, and peak, the most bytes that tensors take at once; or null, and no_plan says why; activation (the last of
    the first output: softmax, sigmoid or none); scales (the graph begins by scaling its input); notes.
    """
    module = next(f for f in FORMATS if format_name == f.NAME)
    model = fold.fold(module.load(path, options))
    text = model.signature.text
    ops = Counter(node["op"] for node in _nodes(model))
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        stored = store.save(model, cache)
        sizes = {scheme: _sizes(codec.pack(stored, scheme, {}, {}, cache)) for scheme in SCHEMES}
    return {
        "format": module.NAME,
        "title": module.TITLE,
        "signature": options.signature,
        "signatures": _SIGNATURES[format_name](path) if format_name in _SIGNATURES else None,
        "inputs": [_spec(spec) for spec in model.signature.inputs],
        "outputs": [_spec(spec) for spec in model.signature.outputs],
        "parameters": stored["parameters"],
        "flops": flops.count(model),
        "detection": model.detection is not None,
        "text": text and {**text, "vocabulary": len(text["vocabulary"])},
        "tensors": [{"name": name, "dtype": kind, "shape": shape} for name, kind, shape in stored["weights"]],
        "nodes": sum(ops.values()),
        "ops": {
            op: {"count": count, "backends": [name for name in BACKENDS if lacking.runs(op)]}
            for op, count in sorted(ops.items(), key=lambda item: (-item[1], item[0]))
        },
        "lacking": [{"node": one.node, "op": one.op, "instead": list(one.instead)} for one in model.lacking],
        "bytes": sizes,
        **_plan(model),
        "activation": _ACTIVATIONS[use.kinds(model, "none")[0]],
        "scales": _scales(model),
        "notes": stored["notes"],
    }


def _nodes(model: GraphModel) -> list[Any]:
    functions = model.topology.get("library", {}).get("function", [])
    return [*model.topology["node"], *(node for function in functions for node in function.get("nodeDef", []))]


def _sizes(packed: dict[str, Any]) -> dict[str, int]:
    return {"weights": packed["weight_bytes"], "travel": sum(size for _, size in packed["weights"]["chunks"])}


def _plan(model: GraphModel) -> dict[str, Any]:
    if model.lacking:
        return {"plan": None, "no_plan": f"pages cannot run a {model.lacking[0].op}"}
    weights = container.write(quantize.tensors(model, "none"))
    made = plan.record(model, weights, plan.shapes(model.signature))
    if made.file is None:
        return {"plan": None, "no_plan": made.why}
    travel = sum(size for _, size in chunks.cut(made.file).ref.chunks)
    found = {"steps": len(json.loads(made.file)["steps"]), "travel": travel, "peak": made.peak}
    return {"plan": found, "no_plan": None}


def _spec(spec: TensorSpec) -> dict[str, Any]:
    shape = [None if size == -1 else size for size in spec.shape]
    return {"name": spec.name, "dtype": spec.dtype, "shape": shape, "range": spec.range}


def _scales(model: GraphModel) -> bool:
    inputs = {spec.name.partition(":")[0] for spec in model.signature.inputs}
    passing = {"Cast", "Identity", "ResizeBilinear", "ExpandDims"}
    for node in model.topology["node"]:
        if inputs & {name.partition(":")[0] for name in node.get("input", [])}:
            if node["op"] in ("Mul", "Sub", "AddV2", "RealDiv"):
                return True
            if node["op"] in passing:
                inputs.add(node["name"])
    return False
