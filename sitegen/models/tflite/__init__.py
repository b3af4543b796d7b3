"""TensorFlow Lite files (.tflite), of floats or quantized: their graph is written again, in real numbers.

flatbuffer.py reads bytes, schema.py makes records of them, numbers.py constants, network.py and ops/ the graph, and
model.py a GraphModel of it.
"""

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
    """Nothing more can be told cheaply: a FlatBuffer has no checksum."""
    return None


def load(path: Path, options: Options) -> GraphModel:
    """Raises SitegenError for what is damaged, and for operations that have no builder in ops/."""
    from sitegen.models.tflite import flatbuffer, model

    try:
        return model.load(path.read_bytes(), options)
    except flatbuffer.Damaged as error:
        raise SitegenError(f"{path.name} is damaged: {error}", hint="save the model again") from error


def signatures(path: Path) -> list[str]:
    """The names that `model.signature` may say."""
    from sitegen.models.tflite import schema

    return sorted(signature.key for signature in schema.read(path.read_bytes()).signatures)
