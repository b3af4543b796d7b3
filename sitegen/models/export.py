"""A Keras model in memory, of Keras 3 or Keras 2 -> GraphModel, by way of a SavedModel."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sitegen.records import GraphModel

# Longer sequences would make graphs of tens of thousands of nodes.
_MOST_STEPS = 256


def export(model: Any, outputs: Sequence[str]) -> GraphModel:
    """Raises SitegenError for what a page cannot run.

    Recurrent layers over sequences of a fixed, moderate length are unrolled: without loops the page runs them faster.
    """
    from sitegen.models import convert

    recurrent = [layer for layer in model._flatten_layers() if hasattr(layer, "unroll") and not layer.unroll]
    steps = [tensor.shape[1] for tensor in model.inputs if len(tensor.shape) > 1]
    if recurrent and steps and all(count is not None and count <= _MOST_STEPS for count in steps):
        for layer in recurrent:
            layer.unroll = True
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved_model"
        # Keras 2 has one format, and no way to be quiet.
        options = (
            {} if type(model).__module__.startswith("tf_keras") else {"format": "tf_saved_model", "verbose": False}
        )
        model.export(str(path), **options)
        return convert.saved_model(path, None, outputs)
