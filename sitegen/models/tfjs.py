"""TF.js models: model.json with its weight files; graph models, and layers models by way of Keras 2."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from sitegen.errors import SitegenError
from sitegen.graph.cut import cut
from sitegen.models import hostile
from sitegen.models.export import export
from sitegen.models.options import Options
from sitegen.records import GraphModel

NAME = "tfjs"
TITLE = "TF.js model (model.json)"
_MOST = 256 << 20


def sniff(path: Path) -> bool:
    """Whether it is a JSON object with a topology and a manifest of weights."""
    return path.is_file() and _read(path) is not None


def _read(path: Path) -> dict[str, Any] | None:
    with path.open("rb") as stream:
        if stream.read(64).lstrip()[:1] != b"{" or path.stat().st_size > _MOST:
            return None
    try:
        model = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return model if isinstance(model, dict) and {"modelTopology", "weightsManifest"} <= model.keys() else None


def _shards(path: Path) -> list[Path]:
    """The weight files; raises SitegenError for names that leave the folder."""
    found = []
    model = _read(path)
    try:
        names = [str(name) for group in (model or {})["weightsManifest"] for name in group["paths"]]
    except (TypeError, KeyError) as error:
        raise SitegenError(f"{path.name} is damaged: its weightsManifest makes no sense") from error
    for name in names:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\\" in name or "\0" in name:
            raise SitegenError(f"{path.name} names a weight file outside its folder: {name}")
        found.append(path.parent / pure)
    return found


def files(path: Path) -> list[Path]:
    """The file and its weight files."""
    return [path, *_shards(path)]


def check(path: Path) -> str | None:
    """Whether the weight files are there, as long as their tensors together."""
    missing = [shard.name for shard in _shards(path) if not shard.is_file()]
    return f"needs {', '.join(missing[:3])} beside it" if missing else None


def load(path: Path, options: Options) -> GraphModel:
    """Raises SitegenError when Keras 2 cannot build a layers model."""
    from sitegen.models import convert

    model = _read(path)
    assert model is not None
    if model.get("format") == "layers-model" or "node" not in model["modelTopology"]:
        return _layers(path, model, options)
    read = convert.read_graph_model(path)
    return cut(read, options.outputs) if options.outputs else read


def _layers(path: Path, model: dict[str, Any], options: Options) -> GraphModel:
    from tensorflowjs.converters import keras_tfjs_loader

    topology = model["modelTopology"]
    hostile.check_keras_config(path.name, json.dumps(topology))
    try:
        loaded = keras_tfjs_loader.load_keras_model(str(path), use_unique_name_scope=True)
    except Exception as error:
        raise SitegenError(f"Keras 2 cannot build the layers model {path.name}: {error}") from error
    return export(loaded, options.outputs)
