"""Models in: whatever file a person has -> one GraphModel.

One module per format, listed in FORMATS. A format is a plain module with

    NAME: str                          what pages write in `model.format`
    TITLE: str                         what people call it
    sniff(path) -> bool                whether the content is this format; cheap, and imports nothing heavy
    files(path) -> list of paths       every file that it is made of; raises SitegenError when they cannot be told
    check(path) -> str | None          what is wrong with it as far as can be told cheaply, or None
    load(path, options) -> GraphModel  reads it; imports TensorFlow, so it runs in the worker process only

A new format is a new module and one more entry in the table. What a file may not do is in hostile.py; what formats
share in convert.py.
"""

from __future__ import annotations

import functools
from importlib import metadata
from pathlib import Path
from typing import Protocol

from sitegen.errors import Place, SitegenError, did_you_mean
from sitegen.models import frozen_graph, hdf5, keras, pytorch, saved_model, tfjs, tflite
from sitegen.models.options import Options
from sitegen.records import GraphModel, ModelFile


class Format(Protocol):
    """What a format's module offers."""

    NAME: str
    TITLE: str

    def sniff(self, path: Path) -> bool:
        """Whether the content is this format."""

    def files(self, path: Path) -> list[Path]:
        """Every file that the model is made of."""

    def check(self, path: Path) -> str | None:
        """What is wrong with it, as far as can be told without loading it."""

    def load(self, path: Path, options: Options) -> GraphModel:
        """Reads it; raises SitegenError, or whatever TensorFlow raises, when it cannot."""


# The first that recognises a file reads it: those that are surest of themselves come first.
FORMATS: tuple[Format, ...] = (saved_model, keras, pytorch, hdf5, tflite, tfjs, frozen_graph)

# Part of cache keys: whoever changes what a conversion gives changes this.
CONVERTER = "9"


def identify(
    file: ModelFile, override: str | None, place: Place | None = None, format_place: Place | None = None
) -> Format:
    """The format of a model file: by its content, or by `override`; places are those of errors.

    Raises SitegenError when it is none that can be read, or when the file is visibly broken.
    """
    if override is not None:
        named = next((f for f in FORMATS if override == f.NAME), None)
        if named is None:
            hint = did_you_mean(override, [f.NAME for f in FORMATS])
            raise SitegenError(f'unknown model format "{override}"', format_place, hint)
        found = named
    else:
        sniffed = next((f for f in FORMATS if f.sniff(file.path)), None)
        if sniffed is None:
            raise SitegenError(
                f"{file.name} is no model that can be read{_guess(file)}",
                place,
                hint="known: " + ", ".join(f.TITLE for f in FORMATS),
            )
        found = sniffed
    problem = found.check(file.path)
    if problem:
        raise SitegenError(f"{file.name} {problem}", place, hint="save the model again")
    return found


def _guess(file: ModelFile) -> str:
    if file.path.is_dir():
        return ": the folder has no saved_model.pb"
    with file.path.open("rb") as stream:
        head = stream.read(64)
    if not head:
        return ": it is empty"
    if head.startswith(b"version https://git-lfs"):
        return ": it is a Git LFS pointer (git lfs pull brings the file)"
    if file.name.endswith(".keras"):
        return ": it is truncated or was not saved by Keras 3"
    return ""


@functools.cache
def versions() -> dict[str, str]:
    """The versions that a conversion depends on; looked up without importing anything."""
    return {
        "converter": CONVERTER,
        **{name: metadata.version(name) for name in ("tensorflow", "keras", "tensorflowjs")},
    }
