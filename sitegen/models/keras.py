"""Keras 3 files (.keras): a zip with config.json, metadata.json and model.weights.h5.

Loaded with Keras in safe mode (no code of the file's is run), exported as a SavedModel and converted from there. TF.js
has a way of its own for Keras files, the layers model: it mis-reads or rejects what Keras 3 writes.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from sitegen.errors import SitegenError
from sitegen.models import saved_model
from sitegen.records import GraphModel

NAME = "keras"
TITLE = "Keras 3 (.keras)"

_MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}


def sniff(path: Path) -> bool:
    """Whether it is a zip with the members that Keras 3 writes."""
    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist()) >= _MEMBERS
    except (OSError, zipfile.BadZipFile):
        return False


def check(path: Path) -> str | None:
    """Reads every member against its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        return f"is damaged: {error}"
    return f"is damaged: the checksum of {broken} in it is wrong" if broken else None


def load(path: Path, outputs: Sequence[str]) -> GraphModel:
    """Raises SitegenError when Keras cannot build the model (custom layers, Lambda layers with code)."""
    import keras

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        if "safe_mode" in str(error):
            raise SitegenError(
                f"{path.name} holds Python code (a Lambda layer), which is never run",
                hint="write the layer with Keras's own (keras.layers, keras.ops) and save the model again",
            ) from error
        raise SitegenError(
            f"Keras cannot load {path.name}: {_first_line(error)}",
            hint="layers of your own must be replaced by Keras's before saving: a page runs no Python",
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "saved_model"
        model.export(str(exported), format="tf_saved_model", verbose=False)
        return saved_model.load(exported, outputs)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
