"""Keras 3 files (.keras): a zip with config.json, metadata.json and model.weights.h5.

Loaded with Keras in safe mode (no code of the file's is run), exported as a SavedModel and converted from there. TF.js
has a way of its own for Keras files, the layers model: it mis-reads or rejects what Keras 3 writes.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

from sitegen.errors import SitegenError, first_line
from sitegen.models import hostile, vectorization
from sitegen.models.export import export
from sitegen.models.options import Options
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


def files(path: Path) -> list[Path]:
    """The file itself."""
    return [path]


def check(path: Path) -> str | None:
    """Reads every member against its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        return f"is damaged: {error}"
    return f"is damaged: the checksum of {broken} in it is wrong" if broken else None


def load(path: Path, options: Options) -> GraphModel:
    """Raises SitegenError when Keras cannot build the model (custom layers, Lambda layers with code)."""
    import keras

    with zipfile.ZipFile(path) as archive:
        hostile.check_keras_config(path.name, archive.read("config.json"))
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise SitegenError(
            f"Keras cannot load {path.name}: {first_line(error)}",
            hint="layers of your own must be replaced by Keras's before saving: a page runs no Python",
        ) from error
    rest, text = vectorization.cut(model)
    made = export(rest, options.outputs)
    return replace(made, signature=replace(made.signature, text=text))
