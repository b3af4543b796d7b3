"""Archives that hold a model: good ones come out as they went in, and no other leaves anything on the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import shutil
import stat
import struct
import tarfile
import tempfile
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitegen.errors import SitegenError
from sitegen.models import archive
from sitegen.models.archive import Limits
from tests.conftest import REPOSITORY

HDF5 = b"\x89HDF\r\n\x1a\n" + b"\0" * 8
TFLITE = b"\x1c\0\0\0TFL3" + b"\0" * 8
GRAPH = b"\n\x05\n\x03abc"
SAVED_MODEL = {
    "export/saved_model.pb": b"\x08\x01\x12\x00",
    "export/fingerprint.pb": GRAPH,
    "export/variables/variables.index": b"index",
    "export/variables/variables.data-00000-of-00001": bytes(range(256)) * 8,
    "export/assets/data_spec.pb": GRAPH,
}

# --- Packing


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these members, whatever their names."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for member, data in members:
            info = zip_info(member) if isinstance(member, str) else member
            file.writestr(info, data, method)
    return target.getvalue()


def zip_info(name: str, mode: int = 0) -> zipfile.ZipInfo:
    """With a name as it is: ZipInfo cuts names at NUL."""
    info = zipfile.ZipInfo("name")
    info.filename = name
    info.external_attr = mode << 16
    return info


def tar_of(*members: tuple[str | tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar with these members, whatever their names."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=format) as file:
        for member, data in members:
            info = tar_info(member) if isinstance(member, str) else member
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return target.getvalue()


def tar_info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def tar_header(name: str, kind: bytes, size: int) -> bytes:
    """The bare header of a member that is said to be of this size, with GNU's binary numbers where digits end."""
    info = tar_info(name, kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(record: bytes) -> bytes:
    """An extension header with these records, and a member behind it."""
    body = record + b"\0" * (-len(record) % 512)
    return tar_header("pax", tarfile.XHDTYPE, len(record)) + body + tar_of(("model.h5", HDF5))


def patched(data: bytes, magic: bytes, offset: int, layout: str, value: int) -> bytes:
    """With one number changed, `offset` bytes behind the last `magic`."""
    at = data.rindex(magic) + offset
    return data[:at] + struct.pack(layout, value) + data[at + struct.calcsize(layout) :]


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": lambda data: gzip.compress(data, mtime=0),
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


def packed(files: Mapping[str, bytes], suffix: str) -> bytes:
    if suffix == "zip":
        return zip_of(*files.items())
    return PACKERS[suffix](tar_of(*files.items()))


NOISE = random.Random(1).randbytes(40_000)
ZEROS = bytes(20_000_000)

# --- What is refused

REPACK = "pack the model again: plain files and folders only, named from inside the model's folder"
ALONE = "pack the model alone, without data, checkpoints and environments"
RENAME = "rename one of them and pack the model again"
SOURCE = "no model packs so well: look where the archive comes from"
BOMB = f"the archive unpacks to more than 200 times its size\n  hint: {SOURCE}"
DAMAGED = "the archive is damaged or cut short\n  hint: fetch it again, or pack the model again"
NEITHER = "the file is neither a .zip nor a .tar archive\n  hint: pack the model as one of these"
METHOD = "pack the model again with deflate, the usual method of .zip, or as .tar.xz"


@dataclass(frozen=True)
class Attack:
    """An archive, made when `outside` (a folder that nothing may be written to) is known, and what is said of it."""

    make: Callable[[Path], bytes]
    message: str
    limits: Limits = archive.LIMITS


def holds(fault: str, hint: str = REPACK) -> str:
    return f"the archive holds {fault}\n  hint: {hint}"


def named(name: str, fault: str, shown: str | None = None) -> dict[str, Attack]:
    """The same name in a zip and in a tar."""
    message = holds(f'"{shown or name}", {fault}')
    return {
        f"zip {fault} {shown or name}": Attack(lambda _: zip_of(("a.h5", HDF5), (name, b"x")), message),
        f"tar {fault} {shown or name}": Attack(lambda _: tar_of(("a.h5", HDF5), (name, b"x")), message),
    }


def both(label: str, names: list[str], message: str, limits: Limits = archive.LIMITS) -> dict[str, Attack]:
    """The same members in a zip and in a tar; names that end in "/" are folders."""

    def tar(_: Path) -> bytes:
        kinds = [tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE for name in names]
        return tar_of(*((tar_info(name, kind), b"") for name, kind in zip(names, kinds, strict=True)))

    return {
        f"zip {label}": Attack(lambda _: zip_of(*((name, b"") for name in names)), message, limits),
        f"tar {label}": Attack(tar, message, limits),
    }


def overlapping(_: Path) -> bytes:
    """The second entry lies inside the first one's bytes."""
    second = zip_of(("b.h5", HDF5), method=zipfile.ZIP_STORED)
    inner = second[: second.index(CENTRAL)]
    whole = zip_of(("a.h5", inner), ("b.h5", HDF5), method=zipfile.ZIP_STORED)
    return patched(whole, CENTRAL, 42, "<L", whole.index(inner))


def quoted(_: Path) -> bytes:
    """Both entries are the same bytes."""
    whole = zip_of(("a.h5", NOISE), ("a.h5", NOISE))
    return patched(whole, CENTRAL, 42, "<L", 0)


def hiding(_: Path) -> bytes:
    """The second entry of the directory is said to be a comment on the first."""
    whole = zip_of(("a.h5", HDF5), ("b.h5", HDF5))
    at = whole.index(CENTRAL) + 32
    return whole[:at] + struct.pack("<H", whole.rindex(b"PK\x05\x06") - whole.rindex(CENTRAL)) + whole[at + 2 :]


def hungry(xz: bytes) -> bytes:
    """With the largest dictionary in the header of the first block, and the checksum that goes with it."""
    size = (xz[12] + 1) * 4
    header = bytearray(xz[12 : 12 + size - 4])
    assert header[2:4] == b"\x21\x01"
    header[4] = 40
    return xz[:12] + header + struct.pack("<L", zlib.crc32(header)) + xz[12 + size :]


def one(size: int = 1000) -> bytes:
    return zip_of(("a.h5", NOISE[:size]))


def not_utf8(mark: str) -> Callable[[Path], bytes]:
    """A name with bytes that are no UTF-8; a non-ASCII `mark` has the zip say that they are."""
    return lambda _: zip_of((f"{mark}.h5", b"")).replace(mark.encode(), b"\xff\xfe")


MANY = [f"{n}.bin" for n in range(20_000)]
TOO_MANY = f"the archive holds more than 10,000 files and folders\n  hint: {ALONE}"
FLAT = "/".join("d" * 33)
OUTSIDE = "which leads outside the archive"
CONTROL = "whose name has control characters"
LONG_HEADER = f"the archive has a header longer than 1.0 MB\n  hint: {REPACK}"
TOO_LARGE = f"the archive unpacks to more than 4.3 GB\n  hint: {ALONE}"
HUGE = 1 << 60

ATTACKS: dict[str, Attack] = {
    **named("../evil", OUTSIDE),
    **named("a/../../evil", OUTSIDE),
    **named("a/..", OUTSIDE),
    **named("/sitegen-evil", OUTSIDE),
    **named("//server/share/evil", OUTSIDE),
    **named("C:/evil", OUTSIDE),
    **named("c:evil", OUTSIDE),
    **named("a/D:evil", OUTSIDE),
    **named("..\\evil", "whose name has a backslash"),
    **named("C:\\evil", "whose name has a backslash"),
    **named("a\\b", "whose name has a backslash"),
    **named("a\nb", CONTROL, "a\\nb"),
    **named("\x1b[2Jb", CONTROL, "\\x1b[2Jb"),
    **named("a\x85b", CONTROL, "a\\x85b"),
    **named("\u202e5h.a\x7f", CONTROL, "\\u202e5h.a\\x7f"),
    **named(FLAT, "more than 32 folders deep"),
    **named("x" * 256, "whose name is too long", "x" * 77 + "..."),
    **named("/".join(["x" * 99] * 11), "whose name is too long", "x" * 77 + "..."),
    **both("of the same name twice", ["a.h5", "b.h5", "a.h5"], holds('"a.h5", more than once')),
    **both("of the same name with a dot", ["a/b.h5", "a/./b.h5"], holds('"a/b.h5", more than once')),
    **both("of the same folder twice", ["a/", "a/b.h5", "a/"], holds('"a", more than once')),
    **both(
        "of names in two cases",
        ["Model.h5", "model.h5"],
        holds('"Model.h5" and "model.h5", which some systems take for one name', RENAME),
    ),
    **both(
        "of folders in two cases",
        ["straße/a.h5", "STRASSE/b.h5"],
        holds('"straße" and "STRASSE", which some systems take for one name', RENAME),
    ),
    **both(
        "of two Unicode forms",
        ["é.h5", unicodedata.normalize("NFD", "é.h5")],
        holds(f'"{unicodedata.normalize("NFD", "é.h5")}", twice, with its accents written in two ways', RENAME),
    ),
    **both("with a file as a folder", ["a", "a/b.h5"], holds('"a", both as a file and as a folder')),
    **both("with a folder as a file", ["a/b.h5", "a"], holds('"a", both as a file and as a folder')),
    **both("with a folder again as a file", ["a/", "a"], holds('"a", both as a file and as a folder')),
    "zip with 20,000 members": Attack(lambda _: zip_of(*((name, b"") for name in MANY)), TOO_MANY),
    "tar with 20,000 members": Attack(
        # A tar's members are written until there are too many, which takes its time.
        lambda _: tar_of(*((name, b"") for name in MANY)),
        f"the archive holds more than 1,000 files and folders\n  hint: {ALONE}",
        Limits(members=1000),
    ),
    **both(
        "with folders that are only part of names",
        ["/".join(f"{n}-{k}" for k in range(30)) for n in range(10)],
        f"the archive holds more than 200 files and folders\n  hint: {ALONE}",
        Limits(members=200),
    ),
    **both("with files without a name", ["a.h5", "."], holds('".", a file without a name')),
    "zip with a long directory": Attack(
        lambda _: zip_of(*((name, b"") for name in MANY[:200])),
        f"the archive's directory is longer than 5.1 kB\n  hint: {ALONE}",
        Limits(members=10),
    ),
    "zip with NUL": Attack(lambda _: zip_of(("a.h5\0.txt", b"")), holds(f'"a.h5\\x00.txt", {CONTROL}')),
    "tar with NUL": Attack(
        lambda _: pax(b"18 path=a.h5\0.txt\n"),
        holds(f'"a.h5\\x00.txt", {CONTROL}'),
    ),
    "tar with NUL in a GNU name": Attack(
        lambda _: tar_header("long", tarfile.GNUTYPE_LONGNAME, 5) + b"a\0b".ljust(512, b"\0") + tar_of(("a", b"")),
        holds(f'"a\\x00b", {CONTROL}'),
    ),
    "zip not UTF-8": Attack(not_utf8("QQ"), holds('"\\xff\\xfe.h5", whose name is not UTF-8')),
    "zip not UTF-8 but said to be": Attack(not_utf8("é"), holds('"\\xff\\xfe.h5", whose name is not UTF-8')),
    "tar not UTF-8": Attack(
        lambda _: tar_of(("\udcff\udcfe.h5", b""), format=tarfile.GNU_FORMAT),
        holds('"\\xff\\xfe.h5", whose name is not UTF-8'),
    ),
    "zip with a link and a file through it": Attack(
        lambda outside: zip_of((zip_info("link", stat.S_IFLNK | 0o777), str(outside).encode()), ("link/evil", b"x")),
        holds('"link", which is a symbolic link'),
    ),
    "tar with a link and a file through it": Attack(
        lambda outside: tar_of((tar_info("link", tarfile.SYMTYPE, str(outside)), b""), ("link/evil", b"x")),
        holds('"link", which is a symbolic link'),
    ),
    "zip with a device": Attack(
        lambda _: zip_of((zip_info("zero", stat.S_IFCHR | 0o666), b"")),
        holds('"zero", which is neither a file nor a folder'),
    ),
    "zip with a fifo": Attack(
        lambda _: zip_of((zip_info("pipe", stat.S_IFIFO | 0o666), b"")),
        holds('"pipe", which is neither a file nor a folder'),
    ),
    **{
        f"tar with {words}": Attack(
            # Bound here: a lambda sees the last turn of its loop.
            lambda outside, kind=kind: tar_of((tar_info("it", kind, str(outside / "thesis.txt")), b"")),  # type: ignore[misc]
            holds(f'"it", which is {words}'),
        )
        for words, kind in {
            "a hard link": tarfile.LNKTYPE,
            "a device": tarfile.CHRTYPE,
            "a named pipe": tarfile.FIFOTYPE,
            "a sparse file": tarfile.GNUTYPE_SPARSE,
            "neither a file nor a folder": b"V",
        }.items()
    },
    "tar with a block device": Attack(
        lambda _: tar_of((tar_info("it", tarfile.BLKTYPE), b"")), holds('"it", which is a device')
    ),
    "tar with a pax sparse file": Attack(
        lambda _: pax(b"22 GNU.sparse.major=1\n"), holds('"model.h5", which is a sparse file')
    ),
    "zip bomb": Attack(lambda _: zip_of(("a.h5", ZEROS)), BOMB),
    "zip bomb of many": Attack(lambda _: zip_of(*((f"{n}.h5", ZEROS[:1_000_000]) for n in range(12))), BOMB),
    **{
        f"{suffix} bomb": Attack(lambda _, suffix=suffix: packed({"a.h5": ZEROS}, suffix), BOMB)  # type: ignore[misc]
        for suffix in ("tar.gz", "tar.bz2", "tar.xz")
    },
    "gzip bomb behind the end of the tar": Attack(
        lambda _: gzip.compress(tar_of(("a.h5", HDF5)) + ZEROS[:5_000_000]), BOMB, Limits(free=1_000_000)
    ),
    **{
        f"{suffix} too large": Attack(
            lambda _, suffix=suffix: packed({"a.bin": NOISE, "b.bin": NOISE[1:]}, suffix),  # type: ignore[misc]
            f"the archive unpacks to more than 60 kB\n  hint: {ALONE}",
            Limits(size=60_000),
        )
        for suffix in ("zip", *PACKERS)
    },
    "zip that says it is too large": Attack(
        lambda _: patched(zip_of(("a.h5", HDF5), ("b.h5", HDF5)), CENTRAL, 24, "<L", 0xFFFFFFFE), TOO_LARGE
    ),
    "zip that says too much": Attack(lambda _: patched(one(), CENTRAL, 24, "<L", 1001), DAMAGED),
    "zip that says too little": Attack(lambda _: patched(zip_of(("a.h5", ZEROS)), CENTRAL, 24, "<L", 10), DAMAGED),
    "zip with an entry hidden in a comment": Attack(hiding, DAMAGED),
    "zip that says nothing": Attack(lambda _: patched(one(), CENTRAL, 24, "<L", 0), DAMAGED),
    "zip with too few packed bytes": Attack(lambda _: patched(one(), CENTRAL, 20, "<L", 500), DAMAGED),
    "zip with no packed bytes": Attack(lambda _: patched(one(), CENTRAL, 20, "<L", 0), DAMAGED),
    "zip with too many packed bytes": Attack(
        lambda _: patched(one(), CENTRAL, 20, "<L", 0xFFFFFFF0),
        holds('"a.h5", whose bytes are part of something else too'),
    ),
    "zip with a wrong checksum": Attack(lambda _: patched(one(), CENTRAL, 16, "<L", 1), DAMAGED),
    "zip with another name before its bytes": Attack(
        lambda _: one().replace(b"a.h5", b"b.h5", 1),
        DAMAGED,
    ),
    "zip with an entry behind its end": Attack(
        lambda _: patched(one(), CENTRAL, 42, "<L", 0xFFFFFFF0),
        holds('"a.h5", whose bytes are part of something else too'),
    ),
    "zip with an entry inside another": Attack(
        overlapping, holds('"b.h5", whose bytes are part of something else too')
    ),
    "zip with two entries of the same bytes": Attack(
        quoted, holds('"a.h5", whose bytes are part of something else too')
    ),
    "zip with a folder that has bytes": Attack(lambda _: zip_of(("a/", b"x")), DAMAGED),
    "zip that is encrypted": Attack(
        lambda _: patched(patched(one(), CENTRAL, 8, "<H", 1), LOCAL, 6, "<H", 1),
        "the archive is encrypted\n  hint: pack the model again without a password",
    ),
    "zip with bzip2": Attack(
        lambda _: zip_of(("a.h5", HDF5), method=zipfile.ZIP_BZIP2),
        holds('"a.h5", compressed by a method that is not read here', METHOD),
    ),
    "zip of an unknown version": Attack(lambda _: patched(one(), CENTRAL, 6, "<H", 200), DAMAGED),
    "zip without a directory": Attack(lambda _: one().replace(b"PK\x05\x06", b"PK\x07\x06"), DAMAGED),
    "tar with a huge pax header": Attack(lambda _: tar_header("pax", tarfile.XHDTYPE, HUGE), LONG_HEADER),
    "tar with a huge global header": Attack(lambda _: tar_header("pax", tarfile.XGLTYPE, 1 << 31), LONG_HEADER),
    "tar with a huge GNU name": Attack(lambda _: tar_header("x", tarfile.GNUTYPE_LONGNAME, 2_000_000), LONG_HEADER),
    "tar with a huge size in pax": Attack(lambda _: pax(b"28 size=1152921504606846976\n"), TOO_LARGE),
    "tar with a huge size": Attack(lambda _: tar_header("a.h5", tarfile.REGTYPE, HUGE), TOO_LARGE),
    "tar with a size that is cut short": Attack(lambda _: tar_header("a.h5", tarfile.REGTYPE, 1 << 30), DAMAGED),
    "tar with a negative size": Attack(lambda _: tar_header("a.h5", tarfile.REGTYPE, -512), DAMAGED),
    "tar with a negative size in pax": Attack(lambda _: pax(b"13 size=-512\n"), DAMAGED),
    "tar with a pax line that is too long": Attack(lambda _: pax(b"999 path=a\n"), DAMAGED),
    "tar with a pax line that is too short": Attack(lambda _: pax(b"1 path=a\n"), DAMAGED),
    "tar with a pax line of length 0": Attack(lambda _: pax(b"0 path=a\n"), DAMAGED),
    "tar with a pax line without end": Attack(lambda _: pax(b"9" * 100_000), DAMAGED),
    "tar with a pax line without a value": Attack(lambda _: pax(b"7 path\n"), DAMAGED),
    "tar with endless extensions": Attack(lambda _: tar_header("pax", tarfile.XHDTYPE, 0) * 1000, DAMAGED),
    "tar with a damaged second header": Attack(
        lambda _: tar_of(("a.h5", HDF5), ("b.h5", HDF5)).replace(b"b.h5", b"c.h5"), DAMAGED
    ),
    "tar without an end": Attack(lambda _: tar_of(("a.h5", HDF5))[:1024], DAMAGED),
    "gzip with something behind": Attack(lambda _: gzip.compress(tar_of(("a.h5", HDF5))) + b"\0\0junk", DAMAGED),
    "gzip in very many streams": Attack(
        lambda _: gzip.compress(tar_of(("a.h5", HDF5))) + gzip.compress(b"") * 100_001, DAMAGED
    ),
    "gzip of something else": Attack(lambda _: gzip.compress(NOISE), NEITHER),
    "gzip of something small": Attack(lambda _: gzip.compress(b"hello"), NEITHER),
    "gzip of a zip": Attack(lambda _: gzip.compress(one()), NEITHER),
    "gzip of gzip of a tar": Attack(lambda _: gzip.compress(packed(SAVED_MODEL, "tar.gz")), NEITHER),
    "xz that asks for 4 GiB of memory": Attack(lambda _: hungry(packed(SAVED_MODEL, "tar.xz")), DAMAGED),
    "nothing": Attack(lambda _: b"", NEITHER),
    "zeros": Attack(lambda _: bytes(10_240), NEITHER),
    "an HDF5 file": Attack(lambda _: HDF5 * 100, NEITHER),
}


# What lies below a folder: kind and mode, and the bytes of files.
Snapshot = dict[str, tuple[int, bytes]]


def snapshot(folder: Path) -> Snapshot:
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mode, b"" if path.is_dir() else path.read_bytes())
        for path in folder.rglob("*")
    }


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """A folder with an empty cache/ to unpack into, and files outside of it that an attack would like."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/thesis.txt").write_text("the only copy")
    return tmp_path


def unpacked(ground: Path, data: bytes, limits: Limits = archive.LIMITS) -> Path:
    """The folder that an archive comes out as."""
    (ground / "file").write_bytes(data)
    archive.unpack(ground / "file", ground / "cache/into", limits)
    return ground / "cache/into"


def files_of(folder: Path) -> dict[str, bytes]:
    return {name: data for name, (mode, data) in snapshot(folder).items() if stat.S_ISREG(mode)}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_is_refused(ground: Path, attack: Attack) -> None:
    path = ground / "file"
    path.write_bytes(attack.make(ground / "outside"))
    before = snapshot(ground)
    archive.is_archive(path)
    with pytest.raises(SitegenError) as caught:
        archive.unpack(path, ground / "cache/into", attack.limits)
    assert str(caught.value) == attack.message
    assert caught.value.where is None
    assert snapshot(ground) == before
    assert not Path("/sitegen-evil").exists()


@pytest.mark.parametrize("suffix", ["zip", *PACKERS])
def test_an_archive_that_is_cut_short_is_refused(ground: Path, suffix: str) -> None:
    whole = packed({"a.h5": NOISE, "b.h5": NOISE[::-1]}, suffix)
    # The zeros at the end of a tar are no loss.
    length = len(whole.rstrip(b"\0")) if suffix == "tar" else len(whole)
    for twentieth in range(1, 20):
        with pytest.raises(SitegenError) as caught:
            unpacked(ground, whole[: length * twentieth // 20])
        assert str(caught.value) == DAMAGED, f"{twentieth}/20"
        assert snapshot(ground / "cache") == {}


@pytest.mark.parametrize("suffix", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_changed_byte_changes_nothing_or_is_refused(ground: Path, suffix: str) -> None:
    whole = packed({"a/model.h5": HDF5 + NOISE[:99], "a/b.txt": b"text " * 9}, suffix)
    good = files_of(unpacked(ground, whole))
    shutil.rmtree(ground / "cache/into")
    refused = 0
    # Compression mixes the bytes of all, so that of these every other one tells as much.
    places = range(0, len(whole), 1 if suffix == "zip" else 2)
    for at in places:
        changed = whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :]
        try:
            folder = unpacked(ground, changed)
        except SitegenError:
            refused += 1
        else:
            assert files_of(folder) == good, f"byte {at}"
            shutil.rmtree(folder)
        assert snapshot(ground / "cache") == {}
    # Times, versions and modes may be anything.
    assert refused > len(places) * 0.6


# --- What is taken


@pytest.mark.parametrize("suffix", ["zip", *PACKERS])
def test_good_archives_come_out_as_they_went_in(ground: Path, suffix: str) -> None:
    folder = unpacked(ground, packed(SAVED_MODEL, suffix))
    assert archive.is_archive(ground / "file")
    assert files_of(folder) == SAVED_MODEL
    assert [path.name for path in (ground / "cache").iterdir()] == ["into"]
    assert archive.choose(folder, None) == folder / "export"


def is_plain(name: str) -> bool:
    return bool(name.strip(".")) and not name.startswith("._")


PARTS = st.text("abcéß.- 日", min_size=1, max_size=120).filter(is_plain)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
TAR_FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=600), min_size=1, max_size=6), st.sampled_from([*TAR_FORMATS, None]))
def test_whatever_names_and_bytes_come_out(files: dict[str, bytes], format: int | None) -> None:
    try:
        data = zip_of(*files.items()) if format is None else tar_of(*files.items(), format=format)
    except ValueError:
        # The oldest format has no room for long names.
        return
    with tempfile.TemporaryDirectory() as ground:
        (Path(ground) / "cache").mkdir()
        try:
            folder = unpacked(Path(ground), data)
        except SitegenError as error:
            refusal = error.what
        else:
            assert files_of(folder) == files
            return
    assert refusal.endswith(("whose name is too long", "take for one name", "both as a file and as a folder"))


def test_what_an_archive_may_cost() -> None:
    assert Limits() == archive.LIMITS == Limits(members=10_000, depth=32, size=2**32, ratio=200, free=10 * 2**20)


def test_modes_are_plain(ground: Path) -> None:
    members = [
        (tar_info("a", tarfile.DIRTYPE, mode=0o7777), b""),
        (tar_info("a/setuid", mode=0o6777), b"x"),
        (tar_info("a/b/locked", mode=0), b"x"),
    ]
    before = os.umask(0o077)
    try:
        folder = unpacked(ground, tar_of(*members))
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE(mode) for name, (mode, _) in snapshot(folder).items()}
    assert modes == {"a": 0o755, "a/setuid": 0o644, "a/b": 0o755, "a/b/locked": 0o644}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_litter_is_left_out(ground: Path, suffix: str) -> None:
    litter = dict.fromkeys(["__MACOSX/export/._a.h5", ".DS_Store", "export/.DS_Store", "export/._a.h5"], b"litter")
    assert files_of(unpacked(ground, packed({**litter, "export/a.h5": HDF5}, suffix))) == {"export/a.h5": HDF5}


def test_archives_inside_are_files(ground: Path) -> None:
    inner = {"bomb.zip": zip_of(("a", ZEROS)), "b.tar.gz": packed(SAVED_MODEL, "tar.gz"), "a.h5": HDF5}
    assert files_of(unpacked(ground, packed(inner, "zip"))) == inner


def test_a_tar_packed_from_inside_its_folder(ground: Path) -> None:
    folder = unpacked(ground, tar_of((tar_info("./", tarfile.DIRTYPE), b""), ("./saved_model.pb", b"\x08\x01")))
    assert archive.choose(folder, None) == folder
    assert archive.choose(folder, "saved_model.pb") == archive.choose(folder, "./") == folder


def test_folders_may_be_named_after_what_is_in_them(ground: Path) -> None:
    folder = unpacked(ground, tar_of(("a/b/x", b"x"), (tar_info("a/b", tarfile.DIRTYPE), b""), ("a/b/y", b"y")))
    assert files_of(folder) == {"a/b/x": b"x", "a/b/y": b"y"}


def test_names_in_utf8_need_no_mark_in_a_zip(ground: Path) -> None:
    marked = zip_of(("modèle.h5", HDF5))
    plain = patched(patched(marked, CENTRAL, 8, "<H", 0), LOCAL, 6, "<H", 0)
    assert files_of(unpacked(ground, plain)) == {"modèle.h5": HDF5}


class Pipe(io.RawIOBase):
    """Cannot go back: zipfile writes sizes behind the bytes."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


def test_zips_of_streams_and_of_64_bits(ground: Path) -> None:
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.h5", "w", force_zip64=True) as member:
        member.write(HDF5)
    assert files_of(unpacked(ground, pipe.data)) == {"a.h5": HDF5}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_streams_may_follow_one_another(ground: Path, pack: Callable[[bytes], bytes]) -> None:
    tar = tar_of(*SAVED_MODEL.items())
    half = len(tar) // 2
    assert files_of(unpacked(ground, pack(tar[:half]) + pack(tar[half:]) + bytes(300_000))) == SAVED_MODEL


def test_what_exists_is_done(ground: Path) -> None:
    (ground / "cache/into").mkdir()
    assert files_of(unpacked(ground, packed(SAVED_MODEL, "zip"))) == {}


def test_who_comes_second_takes_what_is_there(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crc32, data = zlib.crc32, zip_of(("b.h5", HDF5))

    def meanwhile(*arguments: Any) -> int:
        laid(ground / "cache/into", {"a.h5": HDF5})
        return crc32(*arguments)

    monkeypatch.setattr(zlib, "crc32", meanwhile)
    assert files_of(unpacked(ground, data)) == {"a.h5": HDF5}
    assert [path.name for path in (ground / "cache").iterdir()] == ["into"]


def test_who_is_stopped_leaves_nothing(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = zip_of(("b.h5", HDF5))

    def stop(*arguments: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(zlib, "crc32", stop)
    with pytest.raises(KeyboardInterrupt):
        unpacked(ground, data)
    assert snapshot(ground / "cache") == {}


def test_what_the_system_says_is_said(ground: Path) -> None:
    with pytest.raises(SitegenError) as caught:
        archive.unpack(ground / "missing.zip", ground / "cache/into")
    assert str(caught.value) == (
        "the archive cannot be unpacked: No such file or directory\n"
        "  hint: see that it can be read, and that there is room and permission for what is in it"
    )
    assert snapshot(ground / "cache") == {}


# --- What is an archive

KERAS = dict.fromkeys(["config.json", "metadata.json", "model.weights.h5"], b"")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        *((packed(SAVED_MODEL, suffix), True) for suffix in ("zip", *PACKERS)),
        (zip_of(), True),
        (zip_of(("digits.keras", one())), True),
        (packed({f"m/{name}": b"" for name in KERAS}, "zip"), True),
        (packed({**KERAS, "assets/x": b""}, "zip"), False),
        (one()[:50], True),
        (not_utf8("é")(Path()), True),
        (packed(SAVED_MODEL, "tar.xz")[:40], False),
        (gzip.compress(NOISE), False),
        (gzip.compress(b""), False),
        (b"", False),
        (bytes(1024), False),
        (HDF5, False),
    ],
)
def test_archives_are_known_by_their_content(tmp_path: Path, data: bytes, expected: bool) -> None:
    (tmp_path / "file").write_bytes(data)
    assert archive.is_archive(tmp_path / "file") is expected


def test_no_archives(tmp_path: Path) -> None:
    assert not archive.is_archive(REPOSITORY / "content/digits/digits.keras")
    assert not archive.is_archive(tmp_path)
    assert not archive.is_archive(tmp_path / "missing")


# --- Any bytes at all

MAGICS = [b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0", b"BZh9", b"BZh91AY&SY", b"\xfd7zXZ\0\0\x04"]
BASES = [packed({"a/b.h5": HDF5, "c": b"text" * 9}, suffix) for suffix in ("zip", *PACKERS)]
BASES += [pax(b"11 path=ab\n"), tar_of(("x" * 200, b"x"), format=tarfile.GNU_FORMAT), packed(KERAS, "zip")]


def mended(data: bytes) -> bytes:
    """A tar with right checksums wherever a header may be, so that what else is wrong in it is seen."""
    blocks = [bytearray(data[at : at + 512]) for at in range(0, len(data), 512)]
    for block in blocks:
        if len(block) == 512 and block[257:262] == b"ustar":
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
    return b"".join(blocks)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good archive with a few places overwritten, left out or filled in."""
    data = bytearray(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 4))):
        # Most of a small tar is zeros, and nothing comes of changing them.
        at = draw(st.integers(0, min(len(data), 1600)))
        new = draw(st.binary(max_size=8))
        data[at : at + draw(st.sampled_from([len(new), len(new), 0, 8]))] = new
    finishes: list[Callable[[bytes], bytes]] = [bytes, mended, gzip.compress]
    return draw(st.sampled_from(finishes))(bytes(data))


@settings(max_examples=300, deadline=None)
@given(st.builds(bytes.__add__, st.sampled_from(MAGICS), st.binary(max_size=1200)) | mutated())
def test_any_bytes_are_unpacked_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ground = Path(folder)
        (ground / "cache").mkdir()
        (ground / "file").write_bytes(data)
        before = snapshot(ground)
        archive.is_archive(ground / "file")
        try:
            archive.unpack(ground / "file", ground / "cache/into", Limits(members=50, size=1 << 20))
        except SitegenError:
            assert snapshot(ground) == before
        else:
            after = snapshot(ground)
            inside = [after.pop(name)[0] for name in list(after) if f"{name}/".startswith("cache/into/")]
            assert after == before
            assert {stat.S_IFMT(mode) for mode in inside} <= {stat.S_IFREG, stat.S_IFDIR}


# --- What is in it

MODELS = {
    "a.keras": zip_of(("config.json", b"{}")),
    "b.H5": HDF5,
    "c.hdf5": HDF5,
    "d.pb": GRAPH,
    "e.tflite": TFLITE,
    "f/model.json": json.dumps({"format": "graph-model", "weightsManifest": []}).encode(),
    "g/model.json": json.dumps({"modelTopology": {}}).encode(),
    **SAVED_MODEL,
    "f/lite/a.tflite": TFLITE,
}
NO_MODELS = {
    "README.md": b"# Read me",
    "a.keras": b"not a zip",
    "b.h5": b"version https://git-lfs",
    "c.pb": b"node {",
    "d.pbtxt": GRAPH,
    "e.tflite": b"TFL3",
    "f/model.json": b"[1]",
    "g/model.json": b"[" * 100_000,
    "h/model.json": b'{"class_name": "Sequential"}',
    "i/config.json": b'{"modelTopology": {}}',
}
KNOWN = "pack a SavedModel folder, or a .keras, .h5, .pth, .pb, .tflite or model.json (TF.js) file"
SAY = "say which: model: {source: ..., member: ...}"


def laid(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_candidates_are_told_by_name_and_content(tmp_path: Path) -> None:
    found = [path.relative_to(tmp_path).as_posix() for path in archive.candidates(laid(tmp_path, MODELS))]
    assert found == [
        *["a.keras", "b.H5", "c.hdf5", "d.pb", "e.tflite", "export"],
        *["f/model.json", "g/model.json", "f/lite/a.tflite"],
    ]


def test_what_only_looks_like_a_model_is_none(tmp_path: Path) -> None:
    assert archive.candidates(laid(tmp_path, NO_MODELS)) == []


@pytest.mark.parametrize("member", ["export", "export/", "./export", "export/saved_model.pb"])
def test_a_member_names_a_folder(tmp_path: Path, member: str) -> None:
    assert archive.choose(laid(tmp_path, MODELS), member) == tmp_path / "export"


def test_a_member_names_any_file(tmp_path: Path) -> None:
    laid(tmp_path, {**MODELS, unicodedata.normalize("NFD", "modèle.bin"): b"x"})
    assert archive.choose(tmp_path, "f/lite/a.tflite") == tmp_path / "f/lite/a.tflite"
    assert archive.choose(tmp_path, "modèle.bin").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("files", "member", "message"),
    [
        (
            MODELS,
            None,
            f'the archive holds 9 models: "a.keras", "b.H5", "c.hdf5", "d.pb", "e.tflite" ...\n  hint: {SAY}',
        ),
        (
            {"saved_model.pb": b"\x08\x01", "a/b.h5": HDF5, "a/c/saved_model.pb": b"\x08\x01"},
            None,
            f'the archive holds 3 models: "./", "a/b.h5", "a/c/"\n  hint: {SAY}',
        ),
        ({}, None, f"the archive is empty\n  hint: {KNOWN}"),
        (
            NO_MODELS,
            None,
            'the archive holds no model that can be read, only "README.md", "a.keras", "b.h5", "c.pb", "d.pbtxt" ...\n'
            f"  hint: {KNOWN}",
        ),
        (MODELS, "exprt", 'the archive holds no "exprt"\n  hint: did you mean "export/"?'),
        ({"a.h5": HDF5}, "z/y", 'the archive holds no "z/y"\n  hint: models in it: "a.h5"'),
        ({"a.h5": HDF5}, "../into", 'the archive holds no "../into"\n  hint: models in it: "a.h5"'),
        ({"a.txt": b""}, "x" * 5000, f'the archive holds no "{"x" * 77}..."\n  hint: models in it: none'),
        ({"a.h5": HDF5}, "a\0b", 'the archive holds no "a\\x00b"\n  hint: models in it: "a.h5"'),
    ],
)
def test_no_choice(tmp_path: Path, files: Mapping[str, bytes], member: str | None, message: str) -> None:
    with pytest.raises(SitegenError) as caught:
        archive.choose(laid(tmp_path, files), member)
    assert str(caught.value) == message
    assert caught.value.where is None
