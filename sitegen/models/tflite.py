"""TensorFlow Lite files (.tflite): recognised, and refused with the way out. Their engine is not there yet."""

from __future__ import annotations

from pathlib import Path

from sitegen.errors import SitegenError
from sitegen.models.options import Options
from sitegen.records import GraphModel

NAME = "tflite"
TITLE = "TensorFlow Lite (.tflite)"


def sniff(path: Path) -> bool:
    """Whether it bears the FlatBuffers identifier TFL3."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(8)[4:] == b"TFL3"


def files(path: Path) -> list[Path]:
    """The file itself."""
    return [path]


def check(path: Path) -> str | None:
    """Nothing can run it, so nothing is checked."""
    return None


def load(path: Path, options: Options) -> GraphModel:
    """Always raises SitegenError."""
    raise SitegenError(
        f"{path.name} is a TensorFlow Lite file, which pages cannot run yet",
        hint="use the Keras file or the SavedModel that it was made from: sitegen makes the weights small itself",
    )
