"""What PyTorch's files hold: the tensors of a state_dict, of a checkpoint around one, or of a whole module.

A file is a pickle with the numbers of its tensors behind it, in a zip or, before torch 1.6, one after the other. It is
read without torch, and nothing in it is run (pickles.py): of a module, its parameters and buffers are looked for.

Source of the formats: torch/serialization.py, `_save` and `_legacy_save`.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.models import archive, pickles, pytorch
from sitegen.models.pickles import Elsewhere, Name, Record

_SAVE = "save the weights again: torch.save(model.state_dict(), path)"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
# Bytes and NumPy's name of a storage's numbers; bfloat16 is the upper half of a float32.
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}
_TENSORS = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")
# What holds a tensor as its first argument.
_AROUND = (
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.autograd.variable.Variable",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
)
# Under which checkpoints keep it.
_WITHIN = ("state_dict", "model_state_dict", "model")
_MOST_MODULES, _LONGEST_NAME, _MOST_AXES = 10_000, 1024, 8


@dataclass(frozen=True)
class Tensor:
    """A tensor that was found: its numbers are read when they are asked for, as float32."""

    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.float32]]


@dataclass(frozen=True)
class _Storage:
    """A row of numbers in a file, from byte `offset` on."""

    path: Path
    offset: int
    kind: str  # a key of _STORAGES
    count: int


@contextmanager
def tensors(path: Path) -> Iterator[Mapping[str, Tensor]]:
    """The parameters and buffers of a file by their names, in its order, to be read within.

    Raises SitegenError for a file that is not as torch writes it, or holds none.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with path.open("rb") as stream:
                legacy = pytorch.begins(stream.read(len(pytorch.HEAD)))
            root, storages = _legacy(path) if legacy else _zipped(path, Path(folder) / "unpacked")
            found = _weights(root, storages)
        except ValueError as error:
            raise SitegenError(f"{path.name} is damaged: {error}", hint=_SAVE) from error
        if not found:
            raise SitegenError(f"{path.name} holds neither a state_dict nor a module with weights", hint=_SAVE)
        yield found


# --- Files


_Storages = Mapping[Elsewhere, _Storage]


def _zipped(path: Path, folder: Path) -> tuple[Any, _Storages]:
    archive.unpack(path, folder)
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    names = [name for name in found if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(names) != 1:
        raise ValueError("it has no data.pkl, or several")
    top = names[0].removesuffix("data.pkl")
    order = found.get(f"{top}byteorder")
    if order is not None and order.stat().st_size < 16 and order.read_bytes() != b"little":
        raise ValueError("its numbers are big-endian")
    with found[names[0]].open("rb") as stream:
        pickled = pickles.load(stream)
    storages = {}
    for elsewhere in pickled.elsewhere:
        key, kind, count = _told(elsewhere)
        file = found.get(f"{top}data/{key}")
        if file is None:
            raise ValueError("numbers that it names are not in it")
        storages[elsewhere] = _Storage(file, 0, kind, count)
        _check_size(storages[elsewhere])
    return pickled.root, storages


def _legacy(path: Path) -> tuple[Any, _Storages]:
    with path.open("rb") as stream:
        magic, version, _system, pickled, keys = (pickles.load(stream) for _ in range(5))
        if magic.root != _LEGACY_MAGIC or version.root != _LEGACY_VERSION:
            raise ValueError("it is of a version of torch's format that is not known")
        if not isinstance(keys.root, list):
            raise ValueError("it does not say in which order its numbers are")
        kinds: dict[str, tuple[str, int]] = {}
        named: dict[Elsewhere, str] = {}
        for elsewhere in pickled.elsewhere:
            if isinstance(elsewhere.id, tuple) and elsewhere.id[:1] == ("module",):
                continue
            key, kind, count = _told(elsewhere)
            named[elsewhere] = key
            if kinds.setdefault(key, (kind, count)) != (kind, count):
                raise ValueError("numbers in it are of two kinds")
        places = dict(_places(stream, path, keys.root, kinds))
    if not places.keys() >= kinds.keys():
        raise ValueError("numbers that it names are not in it")
    return pickled.root, {elsewhere: places[key] for elsewhere, key in named.items()}


def _places(
    stream: BinaryIO, path: Path, keys: list[Any], kinds: Mapping[str, tuple[str, int]]
) -> Iterator[tuple[str, _Storage]]:
    """Where each row of numbers is: one after the other, each behind how many it has."""
    for key in keys:
        if not isinstance(key, str) or key not in kinds:
            raise ValueError("it holds numbers that nobody names")
        kind, count = kinds[key]
        if int.from_bytes(stream.read(8), "little", signed=True) != count:
            raise ValueError("numbers in it are more or fewer than it says")
        storage = _Storage(path, stream.tell(), kind, count)
        _check_size(storage)
        stream.seek(count * np.dtype(_STORAGES[kind]).itemsize, 1)
        yield key, storage


def _check_size(storage: _Storage) -> None:
    end = storage.offset + storage.count * np.dtype(_STORAGES[storage.kind]).itemsize
    if end > storage.path.stat().st_size:
        raise ValueError("it ends before its numbers do")


def _told(elsewhere: Elsewhere) -> tuple[str, str, int]:
    """Key, kind and count of numbers that lie elsewhere: ("storage", its class, key, device, count), perhaps a view."""
    told = elsewhere.id
    if not isinstance(told, tuple) or len(told) not in (5, 6) or told[0] != "storage" or not isinstance(told[1], Name):
        raise ValueError("what it says of its numbers makes no sense")
    _, storage, key, _device, count, *view = told
    kind = storage.name.rpartition(".")[2]
    if not storage.name.startswith("torch.") or kind not in _STORAGES:
        raise ValueError("its numbers are of a kind that pages do not have")
    if type(key) is not str or not _is_count(count) or view not in ([], [None]):
        raise ValueError("what it says of its numbers makes no sense")
    return key, kind, count


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 48


# --- Tensors


def _weights(root: Any, storages: _Storages) -> dict[str, Tensor]:
    if isinstance(root, dict):
        within = next((root[key] for key in _WITHIN if isinstance(root.get(key), dict | Record)), root)
        if isinstance(within, dict):
            pairs = ((name, _tensor(value, storages)) for name, value in within.items())
            return {name: tensor for name, tensor in pairs if tensor is not None}
        root = within
    return _of_module(root, storages) if isinstance(root, Record) else {}


def _of_module(root: Record, storages: _Storages) -> dict[str, Tensor]:
    """Parameters and buffers of a module and of those in it, under the names that they have in its state_dict."""
    found: dict[str, Tensor] = {}
    pending, seen = [("", root)], 0
    while pending:
        prefix, module = pending.pop()
        seen += 1
        if seen > _MOST_MODULES or len(prefix) > _LONGEST_NAME:
            raise ValueError("its modules hold one another without an end")
        own = {key: _part(module, key) for key in ("_parameters", "_buffers", "_modules")}
        for name, value in (*own["_parameters"].items(), *own["_buffers"].items()):
            tensor = _tensor(value, storages)
            if tensor is not None:
                found[prefix + name] = tensor
        inner = [(f"{prefix}{name}.", child) for name, child in own["_modules"].items() if isinstance(child, Record)]
        pending += reversed(inner)
    return found


def _part(module: Record, key: str) -> dict[str, Any]:
    part = module.state.get(key) if isinstance(module.state, dict) else None
    return part if isinstance(part, dict) else {}


def _tensor(value: Any, storages: _Storages) -> Tensor | None:
    """The tensor that a record makes; None for any other value."""
    if isinstance(value, Record) and value.name in _AROUND and value.arguments:
        value = value.arguments[0]
    if not isinstance(value, Record) or value.name not in _TENSORS:
        return None
    if len(value.arguments) < 4:
        raise ValueError("a tensor in it makes no sense")
    elsewhere, offset, shape, strides = value.arguments[:4]
    storage = storages.get(elsewhere) if isinstance(elsewhere, Elsewhere) else None
    shape, strides = _sizes(shape), _sizes(strides)
    if storage is None or not _is_count(offset) or len(shape) != len(strides):
        raise ValueError("a tensor in it makes no sense")
    count = math.prod(shape)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    # A tensor that repeats its numbers could be made of any size.
    if count and (last >= storage.count or count > storage.count):
        raise ValueError("a tensor in it is larger than its numbers")
    return Tensor(shape, lambda: _numbers(storage, offset, shape, strides))


def _sizes(value: Any) -> tuple[int, ...]:
    if isinstance(value, Record) and value.name == "torch.Size" and value.arguments:
        value = tuple(value.arguments[0]) if isinstance(value.arguments[0], list | tuple) else None
    if not isinstance(value, tuple) or len(value) > _MOST_AXES or not all(map(_is_count, value)):
        raise ValueError("a tensor in it makes no sense")
    return value


def _numbers(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> NDArray[np.float32]:
    kind = np.dtype(_STORAGES[storage.kind])
    if not math.prod(shape):
        return np.zeros(shape, np.float32)
    row = np.fromfile(storage.path, kind, storage.count, offset=storage.offset)
    view = np.lib.stride_tricks.as_strided(row[offset:], shape, [stride * kind.itemsize for stride in strides])
    if storage.kind == "BFloat16Storage":
        view = (view.astype("<u4") << 16).view("<f4")
    return np.array(view, np.float32, order="C")
