"""Keras models in HDF5 files (.h5), of Keras 3 and of Keras 2.

Keras 3 reads most of what Keras 2 wrote; what it does not (a DepthwiseConv2D with `groups`, for one), tf_keras does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sitegen.errors import SitegenError, first_line
from sitegen.models import hostile
from sitegen.models.export import export
from sitegen.models.options import Options
from sitegen.records import GraphModel

NAME = "keras-h5"
TITLE = "Keras HDF5 (.h5)"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# HDF5 file format specification 3.0, II.A: where the superblock's end-of-file address lies, by its version.
_END_OF_FILE = {0: 40, 1: 44, 2: 28, 3: 28}


def sniff(path: Path) -> bool:
    """Whether it begins as HDF5 files do."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(_SIGNATURE)) == _SIGNATURE


def files(path: Path) -> list[Path]:
    """The file itself."""
    return [path]


def check(path: Path) -> str | None:
    """Compares the file's length with the end that its first block states."""
    with path.open("rb") as stream:
        head = stream.read(64)
    at = _END_OF_FILE.get(head[8] if len(head) > 8 else -1)
    if at is None or len(head) < 64:
        return "is damaged: its first block makes no sense"
    end = int.from_bytes(head[at : at + 8], "little")
    return f"is truncated: {path.stat().st_size} of {end} bytes are there" if end > path.stat().st_size else None


def load(path: Path, options: Options) -> GraphModel:
    """Raises SitegenError when the file holds no whole model, or code, or links to other files."""
    _check_content(path)
    try:
        model = _keras3(path)
        note: tuple[str, ...] = ()
    except Exception as error:
        first = first_line(error)
        model = _keras2(path, first)
        note = (f"{path.name} was read by tf_keras, as Keras 3 cannot: {first[:160]}",)
    return replace(export(model, options.outputs), notes=note)


def _check_content(path: Path) -> None:
    import h5py

    def visit(group: Any, depth: int) -> None:
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise SitegenError(f"{path.name} links to another file ({link.filename}), which is never read")
            if isinstance(link, h5py.HardLink) and depth < 32:
                inner = group.get(name)
                if isinstance(inner, h5py.Dataset) and inner.external:
                    raise SitegenError(f"{path.name} keeps its numbers in another file, which is never read")
                if isinstance(inner, h5py.Group):
                    visit(inner, depth + 1)

    try:
        with h5py.File(path, "r") as file:
            config = file.attrs.get("model_config")
            visit(file, 0)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise SitegenError(f"{path.name} is damaged: {error}") from error
    if config is None:
        raise SitegenError(
            f"{path.name} holds weights only, not what the network looks like",
            hint='save the whole model: model.save("name.keras")',
        )
    hostile.check_keras_config(path.name, config)


def _keras3(path: Path) -> Any:
    import keras

    return keras.saving.load_model(path, compile=False)


def _keras2(path: Path, reason: str) -> Any:
    import tf_keras

    try:
        return tf_keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise SitegenError(
            f"neither Keras 3 nor Keras 2 can load {path.name}: {reason}",
            hint="layers of your own must be replaced by Keras's before saving: a page runs no Python",
        ) from error
