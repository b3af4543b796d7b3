"""Archives that hold a model: .zip, and .tar plain or in gzip, bzip2 or xz; read as if an enemy had packed them.

Regular files and folders come out of them and nothing else, into a folder that appears whole or not at all. Nothing is
believed that an archive says of itself: bytes are counted as they come, and must be as many, and have the checksum, as
was promised. Archives inside are files like others.

zipfile only lists what a zip holds, because it unpacks a member's bzip2 into memory at once and lets some wrong sizes
pass. tarfile is not used: it reads extension headers of any length into memory, takes a damaged header for the end of
the archive, and what it refuses differs from one patch release of Python to the next.
"""

from __future__ import annotations

import bz2
import difflib
import json
import lzma
import os
import re
import shutil
import stat
import struct
import sys
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.models import pytorch


@dataclass(frozen=True)
class Limits:
    """What an archive may cost those who unpack it.

    `members` counts files and folders, also folders that are only part of a name; `depth` the parts of a name; `size`
    all unpacked bytes. `ratio` is unpacked bytes for each byte of the archive; it is free until `free` bytes are out.
    """

    members: int = 10_000
    depth: int = 32
    size: int = 4 << 30
    ratio: int = 200
    free: int = 10 << 20


LIMITS = Limits()

_FILE = "a file"
_FOLDER = "a folder"

# The most bytes that are asked for, or unpacked, at once.
_PIECE = 1 << 18
# Longer extension headers are there to fill memory: they hold a name, and attributes of a few hundred bytes.
_LONGEST_HEADER = 1 << 20
# A global one, GNU's two for long names and a pax header: no packer writes more before a member.
_MOST_EXTENSIONS = 4
# With names of usual length a zip's directory takes about a hundred bytes a member.
_DIRECTORY_BYTES = 512
# bzip2 gives nothing before it has read a block, which is 900 kB.
_HEAD_BYTES = 1 << 20
# Each costs some microseconds however little is in it; bgzip makes one of every 64 KiB.
_MOST_STREAMS = 100_000
# xz -9 needs 65 MiB; an archive may ask for 4 GiB.
_XZ_MEMORY = 256 << 20
# Beyond these no file system that sites are built on takes a name.
_LONGEST_PART = 255
_LONGEST_NAME = 1024
# A model.json is a few MB; parsing takes up to twenty times the memory.
_LONGEST_JSON = 32 << 20

_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
# What a zip tells as the number of its entries when the number is kept elsewhere.
_IN_ZIP64 = 0xFFFF
_KERAS = {b"config.json", b"metadata.json", b"model.weights.h5"}

_REPACK = "pack the model again: plain files and folders only, named from inside the model's folder"
_RENAME = "rename one of them and pack the model again"
_ONLY_MODEL = "pack the model alone, without data, checkpoints and environments"


def is_archive(path: Path) -> bool:
    """Whether the content is a zip (but no Keras 3 or PyTorch file, which are zips too) or a tar, compressed or not.

    Reads the beginning, and of a zip the directory; raises nothing, whatever the bytes. A zip that is damaged behind
    its first bytes is an archive: `unpack` says what is wrong with it.
    """
    try:
        with path.open("rb") as stream:
            return not _is_zipped_model(stream) if _is_zip(stream) else _is_tar(stream)
    except OSError:
        return False


def unpack(path: Path, into: Path, limits: Limits = LIMITS) -> None:
    """Unpacks an archive into the folder `into`; one that exists is taken to be done.

    Files get mode 0644 and folders 0755; file managers' litter is left out. Raises SitegenError, without a place, for
    the first thing that is wrong; then there is no `into`, and nothing of the archive is left on the disk.
    """
    try:
        if into.exists():
            return
        into.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=into.parent, prefix=f".{into.name}-new-"))
        try:
            with path.open("rb") as stream:
                _fill(new, stream, limits)
            new.chmod(0o755)
            _move(new, into)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise SitegenError(
            f"the archive cannot be unpacked: {error.strerror or error}",
            hint="see that it can be read, and that there is room and permission for what is in it",
        ) from error


def candidates(folder: Path) -> list[Path]:
    """The models in an unpacked folder, shallowest first, then by name: files, and folders with a saved_model.pb.

    The name says what a file should be and its first bytes that it is; of a model.json the keys decide. What belongs
    to a SavedModel (its other .pb files, variables and assets) is no model of its own.
    """
    found = list(_models(folder))
    return sorted(found, key=lambda path: (len(path.parts), path.relative_to(folder).as_posix()))


def choose(folder: Path, member: str | None) -> Path:
    """The file or folder that `member` names (a path in the archive, with "/"), or the only candidate.

    Raises SitegenError, without a place, when `member` is not there, or when without it there is none or a choice.
    """
    found = candidates(folder)
    if member is not None:
        return _named(folder, member, found)
    if len(found) == 1:
        return found[0]
    if found:
        labels = _listed(_label(folder, path) for path in found)
        raise SitegenError(
            f"the archive holds {text.plural(len(found), 'model')}: {labels}",
            hint="say which: model: {source: ..., member: ...}",
        )
    files = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    raise SitegenError(
        f"the archive holds no model that can be read, only {_listed(files)}" if files else "the archive is empty",
        hint="pack a SavedModel folder, or a .keras, .h5, .pth, .pb, .tflite or model.json (TF.js) file",
    )


# --- What is said


def _damaged() -> SitegenError:
    return SitegenError("the archive is damaged or cut short", hint="fetch it again, or pack the model again")


def _refused(name: bytes | str, fault: str, hint: str = _REPACK) -> SitegenError:
    return SitegenError(f"the archive holds {_shown(name)}, {fault}", hint=hint)


def _too_many(limits: Limits) -> SitegenError:
    return SitegenError(
        f"the archive holds more than {text.number(limits.members)} files and folders", hint=_ONLY_MODEL
    )


def _shown(name: bytes | str) -> str:
    """A name from an archive as it may stand in a message: short, and without anything that moves a cursor."""
    known = name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")
    short = known if len(known) <= 80 else known[:77] + "..."
    plain = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
    return f'"{"".join(plain)}"'


def _listed(names: Iterable[str]) -> str:
    """The first five."""
    shown = [_shown(name) for name in names]
    return ", ".join(shown[:5]) + (" ..." if len(shown) > 5 else "")


# --- The folder that is filled


@dataclass(frozen=True)
class _Member:
    """One entry of an archive. `kind` is _FILE, _FOLDER, or in words what else it is; `data` can be read once."""

    name: bytes
    kind: str
    data: Iterator[bytes]


@dataclass
class _Held:
    """What lies in the folder already. `named` is false for a folder that was only part of names so far."""

    name: str
    kind: str
    named: bool


class _Meter:
    """Counts what comes out of an archive of `packed` bytes; raises SitegenError beyond the limits."""

    def __init__(self, packed: int, limits: Limits) -> None:
        self._limits = limits
        self._bomb = max(limits.free, limits.ratio * packed)
        self._total = 0

    def expect(self, more: int) -> None:
        """Spares unpacking what would go over the limit: an archive that promises too much is wrong or too large."""
        if self._total + more > self._limits.size:
            raise SitegenError(f"the archive unpacks to more than {text.size(self._limits.size)}", hint=_ONLY_MODEL)

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, counted."""
        for piece in pieces:
            self._total += len(piece)
            self.expect(0)
            if self._total > self._bomb:
                raise SitegenError(
                    f"the archive unpacks to more than {self._limits.ratio} times its size",
                    hint="no model packs so well: look where the archive comes from",
                )
            yield piece


class _Tree:
    """Writes members into an empty folder and nowhere else; raises SitegenError for those that it refuses."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self._entries = 0
        self._held: dict[str, _Held] = {}

    def add(self, member: _Member) -> None:
        """Writes one member with the folders above it."""
        self._entries += 1
        if self._entries > self._limits.members:
            raise _too_many(self._limits)
        parts = _parts(member.name, self._limits)
        if any(part in _LITTER or part.startswith("._") for part in parts):
            return
        if member.kind not in (_FILE, _FOLDER):
            raise _refused(member.name, f"which is {member.kind}")
        for end in range(1, len(parts)):
            self._folder("/".join(parts[:end]), named=False)
        if member.kind == _FOLDER:
            self._named_folder(parts, member)
        elif parts:
            self._file("/".join(parts), member.data)
        else:
            raise _refused(member.name, "a file without a name")

    def _named_folder(self, parts: list[str], member: _Member) -> None:
        if any(member.data):
            raise _damaged()
        # Without parts it is "./", the folder itself: tar writes it for what was packed from inside.
        if parts:
            self._folder("/".join(parts), named=True)

    def _folder(self, name: str, named: bool) -> None:
        if self._claim(name, _FOLDER, named):
            path = self._root / name
            path.mkdir()
            path.chmod(0o755)

    def _file(self, name: str, data: Iterator[bytes]) -> None:
        self._claim(name, _FILE, named=True)
        path = self._root / name
        with path.open("xb") as file:
            for piece in data:
                file.write(piece)
        path.chmod(0o644)

    def _claim(self, name: str, kind: str, named: bool) -> bool:
        """Whether the name is new; raises SitegenError when it is taken, by the rules of any file system."""
        # Unicode's canonical caseless matching: what macOS and Windows take for one name.
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
        held = self._held.get(key)
        if held is None:
            self._held[key] = _Held(name, kind, named)
            if len(self._held) > self._limits.members:
                raise _too_many(self._limits)
            return True
        if held.name != name and _composed(held.name) == _composed(name):
            raise _refused(name, "twice, with its accents written in two ways", _RENAME)
        if held.name != name:
            raise SitegenError(
                f"the archive holds {_shown(held.name)} and {_shown(name)}, which some systems take for one name",
                hint=_RENAME,
            )
        if held.kind != kind:
            raise _refused(name, "both as a file and as a folder")
        if named and held.named:
            raise _refused(name, "more than once")
        held.named = held.named or named
        return False


def _parts(raw: bytes, limits: Limits) -> list[str]:
    """The parts of a member's name, without empty ones and "."; raises SitegenError for what is no plain name."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(raw, "whose name is not UTF-8") from None
    if any(unicodedata.category(c) == "Cc" for c in name):
        raise _refused(name, "whose name has control characters")
    if "\\" in name:
        raise _refused(name, "whose name has a backslash")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or any(part == ".." or re.match("[A-Za-z]:", part) for part in parts):
        raise _refused(name, "which leads outside the archive")
    if len(parts) > limits.depth:
        raise _refused(name, f"more than {limits.depth} folders deep")
    if len(raw) > _LONGEST_NAME or any(len(part.encode()) > _LONGEST_PART for part in parts):
        raise _refused(name, "whose name is too long")
    return parts


def _fill(folder: Path, stream: BinaryIO, limits: Limits) -> None:
    meter = _Meter(os.fstat(stream.fileno()).st_size, limits)
    if _is_zip(stream):
        members = _zip_members(stream, limits, meter)
    elif _is_header(_head(stream)):
        members = _tar_members(_Source(meter.through(_plain(stream))), meter)
    else:
        raise SitegenError("the file is neither a .zip nor a .tar archive", hint="pack the model as one of these")
    tree = _Tree(folder, limits)
    for member in members:
        tree.add(member)


def _move(new: Path, into: Path) -> None:
    try:
        new.rename(into)
    except OSError:
        # Another build that unpacked the same archive may have been quicker.
        if not into.is_dir():
            raise


# --- Compression


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream is reached."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out of what went in."""

    @property
    def unused_data(self) -> bytes:
        """What went in and lies behind the end of the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most `max_length` bytes."""


class _Inflater:
    """zlib with the manners of bz2 and lzma."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        piece = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # zlib may hold bytes back when there was no room for them, even with all its input read.
        self._full = len(piece) == max_length
        return piece


_COMPRESSIONS: tuple[tuple[bytes, Callable[[], _Decompressor]], ...] = (
    (b"\x1f\x8b\x08", lambda: _Inflater(16 + zlib.MAX_WBITS)),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
)


def _plain(stream: BinaryIO, most: int = sys.maxsize) -> Iterator[bytes]:
    """A file's bytes, of which at most `most` are read, without their compression if they have one that is known."""
    stream.seek(0)
    head = stream.read(8)
    stream.seek(0)
    pieces = _sized(stream, most)
    make = next((make for magic, make in _COMPRESSIONS if head.startswith(magic)), None)
    return pieces if make is None else _streams(pieces, make)


def _sized(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size and (piece := stream.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece


def _streams(packed: Iterator[bytes], make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """One compressed stream after the other, as parallel packers write them, with zeros behind as tapes had them."""
    rest = next(packed, b"")
    for _ in range(_MOST_STREAMS):
        rest = (yield from _stream(rest, packed, make())).lstrip(b"\0")
        while not rest and (piece := next(packed, b"")):
            rest = piece.lstrip(b"\0")
        if not rest:
            return
    raise _damaged()


def _stream(first: bytes, packed: Iterator[bytes], engine: _Decompressor) -> Generator[bytes, None, bytes]:
    """What one stream unpacks to; returns what was read beyond it. Raises SitegenError when it is damaged."""
    given = first
    while not engine.eof:
        if engine.needs_input and not given and not (given := next(packed, b"")):
            raise _damaged()
        try:
            piece = engine.decompress(given, _PIECE)
        except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
            raise _damaged() from error
        given = b""
        if piece:
            yield piece
    return engine.unused_data


# --- Zip


def _is_zip(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _is_zipped_model(stream: BinaryIO) -> bool:
    try:
        entries, _ = _directory(stream, LIMITS)
    except SitegenError:
        return False
    names = {_zip_name(entry) for entry in entries}
    return names >= _KERAS or any(name.count(b"/") == 1 and name.endswith(b"/data.pkl") for name in names)


class _Sparing:
    """A file for zipfile, which reads a directory at once however long it is said to be."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._most = most
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int = -1, /) -> bytes:
        if size > self._most:
            raise SitegenError(f"the archive's directory is longer than {text.size(self._most)}", hint=_ONLY_MODEL)
        return self._stream.read(size)


def _directory(stream: BinaryIO, limits: Limits) -> tuple[list[zipfile.ZipInfo], int]:
    """What a zip says is in it, and where its directory begins."""
    try:
        with zipfile.ZipFile(_Sparing(stream, limits.members * _DIRECTORY_BYTES)) as archive:
            entries, start = archive.infolist(), archive.start_dir
    except UnicodeDecodeError as error:
        raise _refused(error.object, "whose name is not UTF-8") from None
    except (zipfile.BadZipFile, NotImplementedError, OSError, OverflowError, ValueError, struct.error) as error:
        raise _damaged() from error
    # zipfile does not look at their number, and a damaged length can hide some.
    if _promised(stream) not in (len(entries), _IN_ZIP64):
        raise _damaged()
    return entries, start


def _promised(stream: BinaryIO) -> int:
    """The number of entries that the end of a zip tells; it is followed by a comment of at most 64 KiB."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 22 - 0xFFFF))
    tail = stream.read()
    return int.from_bytes(tail[tail.rfind(b"PK\x05\x06") + 10 :][:2], "little")


def _zip_members(stream: BinaryIO, limits: Limits, meter: _Meter) -> Iterator[_Member]:
    entries, directory = _directory(stream, limits)
    if len(entries) > limits.members:
        raise _too_many(limits)
    if any(entry.flag_bits & 1 for entry in entries):
        raise SitegenError("the archive is encrypted", hint="pack the model again without a password")
    meter.expect(sum(entry.file_size for entry in entries))
    free = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        name = _zip_name(entry)
        start = _data_start(stream, entry) if free <= entry.header_offset < directory else None
        if start is None or start + entry.compress_size > directory:
            raise _refused(name, "whose bytes are part of something else too")
        free = start + entry.compress_size
        yield _Member(name, _zip_kind(entry), _zip_data(stream, start, entry, meter))


def _zip_name(entry: zipfile.ZipInfo) -> bytes:
    """The name as it is in the file: zipfile's own is cut at NUL, and guessed where it is not marked as UTF-8."""
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")


def _zip_kind(entry: zipfile.ZipInfo) -> str:
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) in (0, stat.S_IFREG, stat.S_IFDIR):
        return _FOLDER if _zip_name(entry).endswith(b"/") or stat.S_ISDIR(mode) else _FILE
    return "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"


def _data_start(stream: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin; raises SitegenError when its own header does not agree with the directory."""
    stream.seek(entry.header_offset)
    header = stream.read(30)
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise _damaged()
    name, extra = struct.unpack("<HH", header[26:])
    if stream.read(name) != _zip_name(entry):
        raise _damaged()
    return entry.header_offset + 30 + int(name) + int(extra)


def _zip_data(stream: BinaryIO, start: int, entry: zipfile.ZipInfo, meter: _Meter) -> Iterator[bytes]:
    """A member's bytes; raises SitegenError when they are not as many, or not those, that the directory promises."""
    stream.seek(start)
    size = checksum = 0
    for piece in meter.through(_zip_plain(_sized(stream, entry.compress_size), entry)):
        size += len(piece)
        checksum = zlib.crc32(piece, checksum)
        if size > entry.file_size:
            raise _damaged()
        yield piece
    if (size, checksum) != (entry.file_size, entry.CRC):
        raise _damaged()


def _zip_plain(packed: Iterator[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    # Some packers mark folders, which have no bytes, as compressed.
    if entry.compress_type == zipfile.ZIP_STORED or not entry.compress_size:
        yield from packed
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        if (yield from _stream(b"", packed, _Inflater(-zlib.MAX_WBITS))) or any(packed):
            raise _damaged()
    else:
        raise _refused(
            _zip_name(entry),
            "compressed by a method that is not read here",
            hint="pack the model again with deflate, the usual method of .zip, or as .tar.xz",
        )


# --- Tar

_BLOCK = 512
_KINDS = {
    b"0": _FILE,
    b"\0": _FILE,
    b"7": _FILE,
    b"5": _FOLDER,
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a named pipe",
    b"S": "a sparse file",
}
_NUMBER = re.compile(rb"[0-7]*")
_LENGTH = re.compile(rb"([1-9][0-9]{0,8}) ")
_SIZE = re.compile(rb"[0-9]{1,19}")


class _Source:
    """Bytes that come in pieces, read by count."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0

    def stream(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in pieces; raises SitegenError when there are fewer."""
        while size:
            if self._at == len(self._piece):
                self._piece, self._at = next(self._pieces, b""), 0
                if not self._piece:
                    raise _damaged()
            part = self._piece[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            yield part

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes, which must be few."""
        return b"".join(self.stream(size))

    def finish(self) -> None:
        """Reads to the end: the checksum of a compressed file is there."""
        for _ in self._pieces:
            pass


def _is_tar(stream: BinaryIO) -> bool:
    try:
        return _is_header(_head(stream))
    except SitegenError:
        return False


def _head(stream: BinaryIO) -> bytes:
    """The first block of what may be a tar; raises SitegenError when its compression is damaged."""
    head = b""
    for piece in _plain(stream, _HEAD_BYTES):
        head += piece
        if len(head) >= _BLOCK:
            break
    return head[:_BLOCK]


def _is_header(block: bytes) -> bool:
    """Whether a block has the checksum of a tar header, for which its own field counts as spaces."""
    if len(block) < _BLOCK:
        return False
    others = block[:148] + b" " * 8 + block[156:]
    # The first tars added the bytes up with their signs.
    sums = (sum(others), sum(others) - 256 * sum(byte > 127 for byte in others))
    try:
        return _number(block[148:156]) in sums
    except SitegenError:
        return False


def _tar_members(source: _Source, meter: _Meter) -> Iterator[_Member]:
    while (header := _tar_header(source)) is not None:
        name, kind, size = header
        meter.expect(size)
        data = source.stream(size if kind == _FILE else 0)
        yield _Member(name, kind, data)
        for _ in data:
            pass
        _pad(source, size if kind == _FILE else 0)
    source.finish()


def _tar_header(source: _Source) -> tuple[bytes, str, int] | None:
    """Name, kind and size in bytes of the next member, with what extension headers say; None at the end."""
    long_name: bytes | None = None
    fields: dict[bytes, bytes] = {}
    for _ in range(_MOST_EXTENSIONS + 1):
        block = source.exactly(_BLOCK)
        if not any(block):
            return None
        if not _is_header(block):
            raise _damaged()
        kind = block[156:157]
        if kind == b"L":
            long_name = _extension(source, block).rstrip(b"\0")
        elif kind == b"x":
            fields = _pax(_extension(source, block))
        elif kind in (b"g", b"K"):
            _extension(source, block)
        else:
            return _member(block, long_name, fields)
    raise _damaged()


def _member(block: bytes, long_name: bytes | None, fields: dict[bytes, bytes]) -> tuple[bytes, str, int]:
    name = fields.get(b"path", _short_name(block) if long_name is None else long_name)
    kind = _KINDS.get(block[156:157], "neither a file nor a folder")
    if any(key.startswith(b"GNU.sparse.") for key in fields):
        kind = _KINDS[b"S"]
    # Before there was a kind for folders, a "/" said it.
    if kind == _FILE and name.endswith(b"/"):
        kind = _FOLDER
    size = fields.get(b"size")
    if size is None:
        return name, kind, _number(block[124:136])
    if not _SIZE.fullmatch(size):
        raise _damaged()
    return name, kind, int(size)


def _short_name(block: bytes) -> bytes:
    name, prefix = (field.partition(b"\0")[0] for field in (block[:100], block[345:500]))
    # GNU's own format has times where POSIX has the beginning of the name.
    return prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name


def _extension(source: _Source, block: bytes) -> bytes:
    size = _number(block[124:136])
    if size > _LONGEST_HEADER:
        raise SitegenError(f"the archive has a header longer than {text.size(_LONGEST_HEADER)}", hint=_REPACK)
    data = source.exactly(size)
    _pad(source, size)
    return data


def _pad(source: _Source, size: int) -> None:
    source.exactly(-size % _BLOCK)


def _number(field: bytes) -> int:
    """Octal digits, or GNU's binary for what is too large for them."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip(b" ")
    if not _NUMBER.fullmatch(digits):
        raise _damaged()
    return int(digits or b"0", 8)


def _pax(data: bytes) -> dict[bytes, bytes]:
    """The fields of an extension header: lines of "length key=value", of which the length counts all of the line."""
    fields: dict[bytes, bytes] = {}
    at = 0
    while at < len(data) and data[at]:
        head = _LENGTH.match(data, at)
        end = at + int(head[1]) if head else at
        key, equals, value = data[head.end() : end - 1].partition(b"=") if head else (b"", b"", b"")
        if not equals or data[end - 1 : end] != b"\n":
            raise _damaged()
        fields[key] = value
        at = end
    return fields


# --- Models


def _models(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        saved_model = "saved_model.pb" in files
        if saved_model:
            folders[:] = [name for name in folders if name not in ("variables", "assets", "assets.extra")]
            yield here
        for name in files:
            path = here / name
            if not (saved_model and path.suffix.lower() == ".pb") and _is_model(path):
                yield path


def _is_model(path: Path) -> bool:
    if path.name == "model.json":
        return _is_tfjs(path)
    looks = _LOOKS.get(path.suffix.lower())
    if looks is None:
        return False
    with path.open("rb") as stream:
        return looks(stream.read(len(pytorch.HEAD)))


_HDF5 = b"\x89HDF\r\n\x1a\n"
_LOOKS: dict[str, Callable[[bytes], bool]] = {
    # Keras 2 wrote HDF5 under this name too.
    ".keras": lambda head: head.startswith((b"PK\x03\x04", _HDF5)),
    ".h5": lambda head: head.startswith(_HDF5),
    ".hdf5": lambda head: head.startswith(_HDF5),
    # A GraphDef begins with a node, its field 1.
    ".pb": lambda head: head.startswith(b"\n"),
    ".tflite": lambda head: head[4:8] == b"TFL3",
    ".pt": lambda head: head.startswith((b"PK\x03\x04", pytorch.HEAD)),
    ".pth": lambda head: head.startswith((b"PK\x03\x04", pytorch.HEAD)),
    # PyTorch's examples call their checkpoints so, which are no tar.
    ".tar": pytorch.begins,
}


def _is_tfjs(path: Path) -> bool:
    if path.stat().st_size > _LONGEST_JSON:
        return False
    try:
        model = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(model, dict) and not {"modelTopology", "weightsManifest"}.isdisjoint(model)


def _label(folder: Path, path: Path) -> str:
    """What to write as `member` for a candidate."""
    if path == folder:
        return "./"
    name = path.relative_to(folder).as_posix()
    return f"{name}/" if path.is_dir() else name


def member(folder: Path, name: str) -> Path | None:
    """What has a name ("a/b.txt") in an unpacked folder; None where there is nothing."""
    # Looked up and never joined to the folder: so it cannot lead out of it. macOS packs names decomposed.
    inside = {_composed(path.relative_to(folder).as_posix()): path for path in folder.rglob("*")}
    wanted = "/".join(part for part in name.split("/") if part not in ("", "."))
    return inside.get(_composed(wanted)) if wanted else folder


def _named(folder: Path, name: str, found: list[Path]) -> Path:
    path = member(folder, name)
    if path is not None:
        return path.parent if path.name == "saved_model.pb" else path
    labels = [_label(folder, path) for path in found]
    near = difflib.get_close_matches(name, labels, n=1)
    raise SitegenError(
        f"the archive holds no {_shown(name)}",
        hint=f"did you mean {_shown(near[0])}?" if near else f"models in it: {_listed(labels) or 'none'}",
    )


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
