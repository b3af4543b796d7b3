"""A SavedModel folder -> GraphModel, by way of tensorflowjs (freeze, grappler, fuse)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sitegen.errors import SitegenError
from sitegen.records import GraphModel, Signature, TensorSpec

_DTYPES = {
    "DT_FLOAT": "float32",
    "DT_HALF": "float32",
    "DT_INT32": "int32",
    "DT_INT64": "int32",
    "DT_BOOL": "bool",
}


def load(path: Path, outputs: Sequence[str]) -> GraphModel:
    """Converts the default serving signature; raises SitegenError for what a page cannot run."""
    from tensorflowjs.converters import tf_saved_model_conversion_v2 as converter

    if outputs:
        raise SitegenError("cutting a graph at model.outputs is not done yet", hint="leave it out")
    with tempfile.TemporaryDirectory() as folder:
        converter.convert_tf_saved_model(
            str(path),
            folder,
            signature_def="serving_default",
            saved_model_tags="serve",
            strip_debug_ops=True,
            control_flow_v2=True,
            weight_shard_size_bytes=1 << 40,
        )
        return read_converted(Path(folder))


def read_converted(folder: Path) -> GraphModel:
    """Reads the graph model (model.json and its weight files, float32) that tensorflowjs wrote."""
    from tensorflowjs import read_weights

    model = json.loads((folder / "model.json").read_bytes())
    entries = read_weights.read_weights(model["weightsManifest"], str(folder), flatten=True)
    signature = model.get("signature") or model["userDefinedMetadata"]["signature"]
    return GraphModel(
        topology=model["modelTopology"],
        weights={entry["name"]: entry["data"] for entry in entries},
        signature=Signature(_specs(signature["inputs"]), _specs(signature["outputs"])),
    )


def _specs(ends: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(_spec(name, end) for name, end in sorted(ends.items()))


def _spec(name: str, end: Mapping[str, Any]) -> TensorSpec:
    dtype = _DTYPES.get(end["dtype"])
    if dtype is None:
        raise SitegenError(f"the model's {name} has the type {end['dtype']}, which pages cannot make")
    shape = tuple(int(d["size"]) for d in end.get("tensorShape", {}).get("dim", []))
    return TensorSpec(end["name"], dtype, shape)
