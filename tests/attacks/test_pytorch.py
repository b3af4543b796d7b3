"""PyTorch files that lie: each ends in one SitegenError, nothing of theirs is run, and none takes long."""

from __future__ import annotations

import contextlib
import io
import pickle
import random
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitegen import models
from sitegen.errors import Place, SitegenError
from sitegen.models import pickles, state_dict
from sitegen.models.options import Options
from sitegen.records import ModelFile
from tests import torches

LEGACY = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)


class Called:
    """What a pickle has called, of anything that can be named."""

    def __init__(self, of: Any, *arguments: Any, state: Any = None) -> None:
        self._reduced = (of, arguments, state) if state is not None else (of, arguments)

    def __reduce__(self) -> Any:
        return self._reduced


class Stored:
    """What a pickle has elsewhere."""

    def __init__(self, *told: Any) -> None:
        self.told = told


class Writer(pickle.Pickler):
    """As torch writes, with whatever is given."""

    def persistent_id(self, value: Any) -> Any:
        return value.told if isinstance(value, Stored) else None


def pickled(value: Any) -> bytes:
    stream = io.BytesIO()
    Writer(stream, 2).dump(value)
    return stream.getvalue()


def tensor(
    shape: Any = (4,),
    strides: Any = (1,),
    offset: Any = 0,
    count: Any = 4,
    key: Any = "0",
    kind: Any = torch.FloatStorage,
    view: tuple[Any, ...] = (),
) -> Called:
    """A tensor of four numbers, unless something else is said."""
    told = Stored("storage", kind, key, "cpu", count, *view)
    return Called(torch._utils._rebuild_tensor_v2, told, offset, shape, strides, False, None)


def zipped(folder: Path, value: Any, data: bytes = bytes(16), **members: bytes) -> Path:
    """A file as torch.save writes it."""
    path = folder / "model.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", value if isinstance(value, bytes) else pickled(value))
        archive.writestr("model/data/0", data)
        for name, content in members.items():
            archive.writestr(f"model/{name}", content)
    return path


def legacy(folder: Path, value: Any, keys: Any = ("0",), data: bytes = (4).to_bytes(8, "little") + bytes(16)) -> Path:
    """A file as torch.save wrote it before 1.6."""
    path = folder / "model.pth"
    path.write_bytes(LEGACY + pickled(value) + pickle.dumps(list(keys), 2) + data)
    return path


def read(path: Path) -> None:
    """As a build does."""
    place = Place("page.md")
    found = models.identify(ModelFile(path.name, path), None, place, place)
    assert found.NAME == "pytorch"
    found.load(path, Options())


def test_the_forger_can_be_honest(tmp_path: Path) -> None:
    for write in (zipped, legacy):
        with state_dict.tensors(write(tmp_path, {"a": tensor(), "b": tensor((2, 2), (1, 2))})) as found:
            assert {name: (one.shape, one.read().tolist()) for name, one in found.items()} == {
                "a": ((4,), [0] * 4),
                "b": ((2, 2), [[0, 0]] * 2),
            }


FORGED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a giant shape": (lambda f: zipped(f, {"a": tensor((1 << 40,))}), "larger than its numbers"),
    "a shape that overflows": (lambda f: zipped(f, {"a": tensor((1 << 47,) * 8, (0,) * 8)}), "larger than its numbers"),
    "one number, repeated": (lambda f: zipped(f, {"a": tensor((1 << 30,), (0,))}), "larger than its numbers"),
    "a stride beyond the end": (lambda f: zipped(f, {"a": tensor((2, 2), (3, 1))}), "larger than its numbers"),
    "a negative stride": (lambda f: zipped(f, {"a": tensor((4,), (-1,))}), "a tensor in it makes no sense"),
    "an offset beyond the end": (lambda f: zipped(f, {"a": tensor((1,), (1,), 4)}), "larger than its numbers"),
    "a negative offset": (lambda f: zipped(f, {"a": tensor(offset=-1)}), "a tensor in it makes no sense"),
    "a size that is no number": (lambda f: zipped(f, {"a": tensor(("4",))}), "a tensor in it makes no sense"),
    "a size that is true": (lambda f: zipped(f, {"a": tensor((True,))}), "a tensor in it makes no sense"),
    "more axes than strides": (lambda f: zipped(f, {"a": tensor((1, 1))}), "a tensor in it makes no sense"),
    "a hundred axes": (lambda f: zipped(f, {"a": tensor((1,) * 100, (1,) * 100)}), "a tensor in it makes no sense"),
    "a forged count": (lambda f: zipped(f, {"a": tensor(count=1 << 40)}), "it ends before its numbers do"),
    "a count that is no number": (lambda f: zipped(f, {"a": tensor(count=1.5)}), "of its numbers makes no sense"),
    "numbers that are not there": (lambda f: zipped(f, {"a": tensor(key="1")}), "numbers that it names are not in it"),
    "numbers elsewhere": (lambda f: zipped(f, {"a": tensor(key="../data.pkl")}), "numbers that it names are not in it"),
    "numbers of a kind that is none": (
        lambda f: zipped(f, {"a": tensor(kind=torch.ComplexFloatStorage)}),
        "its numbers are of a kind that pages do not have",
    ),
    "a view of numbers": (lambda f: zipped(f, {"a": tensor(view=(("0", 0, 4),))}), "of its numbers makes no sense"),
    "an id that is none": (
        lambda f: zipped(f, {"a": Called(torch._utils._rebuild_tensor_v2, Stored("storage"), 0, (4,), (1,))}),
        "of its numbers makes no sense",
    ),
    "a tensor of nothing": (
        lambda f: zipped(f, {"a": Called(torch._utils._rebuild_tensor_v2, None, 0, (4,), (1,))}),
        "a tensor in it makes no sense",
    ),
    "two pickles": (
        lambda f: _and(zipped(f, {"a": tensor()}), "other/data.pkl", pickled({})),
        "it has no data.pkl, or several",
    ),
    "big-endian": (lambda f: zipped(f, {"a": tensor()}, byteorder=b"big"), "its numbers are big-endian"),
    "a pickle without an end": (lambda f: zipped(f, pickled({"a": tensor()})[:-1]), "pickle exhausted"),
    "an opcode that is none": (lambda f: zipped(f, b"\x80\x02\xff."), "unknown"),
    "an extension": (lambda f: zipped(f, b"\x80\x02\x82\x01."), "it has the opcode EXT1"),
    "an empty stack": (lambda f: zipped(f, b"\x80\x02."), "its opcodes do not fit one another"),
    "a mark that is none": (lambda f: zipped(f, b"\x80\x02t."), "its opcodes do not fit one another"),
    "a call without arguments": (lambda f: zipped(f, b"\x80\x02NNR."), "its opcodes do not fit one another"),
    "a text that is too long": (lambda f: zipped(f, b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f" + b"x."), "expected"),
    "a memory of what is not there": (lambda f: zipped(f, b"\x80\x02h\x07."), "its opcodes do not fit one another"),
    "a place in memory far away": (
        lambda f: zipped(f, b"\x80\x02Nr\xff\xff\xff\xff."),
        "it remembers more than it has",
    ),
    "more opcodes than networks have": (
        lambda f: zipped(f, b"\x80\x02" + b"N0" * 1_500_000 + b"N."),
        "too many opcodes",
    ),
    "legacy, a forged count": (
        lambda f: legacy(f, {"a": tensor(count=5)}),
        "numbers in it are more or fewer than it says",
    ),
    "legacy, one count twice": (
        lambda f: legacy(f, {"a": tensor(count=1 << 40)}, data=(1 << 40).to_bytes(8, "little") + bytes(16)),
        "it ends before its numbers do",
    ),
    "legacy, cut short": (lambda f: legacy(f, {"a": tensor()}, data=b"\x04"), "it ends before its numbers do"),
    "legacy, keys that nobody names": (lambda f: legacy(f, {"a": tensor()}, ("1",)), "numbers that nobody names"),
    "legacy, no keys": (lambda f: legacy(f, {"a": tensor()}, ()), "numbers that it names are not in it"),
    "legacy, one key of two kinds": (
        lambda f: legacy(f, {"a": tensor(), "b": tensor(kind=torch.LongStorage)}),
        "numbers in it are of two kinds",
    ),
    "legacy, of another version": (
        lambda f: _replaced(legacy(f, {}), pickle.dumps(1001, 2), pickle.dumps(7, 2)),
        "not known",
    ),
}


def _and(path: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, data)
    return path


def _replaced(path: Path, old: bytes, new: bytes) -> Path:
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


@pytest.mark.parametrize("name", FORGED)
def test_forged(name: str, tmp_path: Path) -> None:
    make, message = FORGED[name]
    path = make(tmp_path)
    began = time.monotonic()
    with pytest.raises(SitegenError) as caught:
        read(path)
    assert caught.value.what.startswith("model.pth is damaged: ")
    assert message in caught.value.what
    assert time.monotonic() - began < 20


def module(parameters: Any, modules: Any) -> Called:
    state = {"_parameters": parameters, "_buffers": {}, "_modules": modules}
    return Called(torch.nn.Module, state=state)


def test_modules_in_one_another(tmp_path: Path) -> None:
    """A module that holds itself, and one whose modules double at each of forty levels."""
    inside: dict[str, Any] = {}
    itself = module({}, inside)
    inside["a"] = itself
    deep = module({"w": tensor()}, {})
    for _ in range(40):
        deep = module({}, {"a": deep, "b": deep})
    for value in (itself, deep):
        with pytest.raises(SitegenError, match="hold one another without an end"):
            read(zipped(tmp_path, value))


def test_a_bomb_of_references_stays_small() -> None:
    """Thirty levels of ten references each: what would be 10^30 things."""
    value: Any = "x" * 1000
    for _ in range(30):
        value = [value] * 10
    tracemalloc.start()
    pickles.load(io.BytesIO(pickled(value)))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", pickled({"a": tensor(count=1 << 26)}))
        archive.writestr("model/data/0", bytes(1 << 28))
    with pytest.raises(SitegenError, match="the archive"):
        read(path)


def test_overlapping_members(tmp_path: Path) -> None:
    """A second entry of the directory that leads to the first one's bytes."""
    path = zipped(tmp_path, {"a": tensor()}, other=bytes(16))
    with zipfile.ZipFile(path, "a") as archive:
        archive.NameToInfo["model/other"].header_offset = archive.NameToInfo["model/data/0"].header_offset
        archive._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(SitegenError, match="the archive"):
        read(path)


@pytest.mark.parametrize("write", [zipped, legacy])
def test_nothing_is_called(write: Callable[..., Path], tmp_path: Path) -> None:
    """Whatever a pickle names, at whichever place of it."""
    ran = tmp_path / "ran"
    touch = Called(Path.touch, ran)
    evil = Called(eval, f"open({str(ran)!r}, 'w')")
    for value in (touch, evil, {"a": evil, "b": tensor()}, module({"w": touch}, {"m": evil}), {"state_dict": touch}):
        with contextlib.suppress(SitegenError):
            read(write(tmp_path, value))
        assert not ran.exists()


def test_a_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with pytest.raises(SitegenError, match="is a TorchScript program"):
        read(path)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Small files of every way of writing."""
    path = tmp_path_factory.mktemp("good") / "model.pth"
    files = []
    for save in torches.SAVED.values():
        save(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)), path)
        files.append(path.read_bytes())
    return files


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_is_told(data: st.DataObject, good: list[bytes], tmp_path: Path) -> None:
    """Whatever bytes of a file are others: its tensors are read, or a SitegenError tells why not."""
    damaged = bytearray(data.draw(st.sampled_from(good)))
    chance = random.Random(data.draw(st.integers(0, 1 << 30)))
    for _ in range(chance.choice([1, 2, 8])):
        at = chance.randrange(len(damaged))
        damaged[at : at + chance.choice([0, 1, 4])] = chance.randbytes(chance.choice([1, 1, 4]))
    path = tmp_path / "model.pth"
    path.write_bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])])
    with contextlib.suppress(SitegenError), state_dict.tensors(path) as found:
        for one in found.values():
            assert one.read().shape == one.shape
