"""Files -> a .tgz as `npm pack` writes it: the same bytes on every machine and day."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping

from sitegen import chunks

_MARK = b"made by sitegen export"
# RFC 1952: deflated, with a comment, no time, packed as small as can be, of no system.
_HEAD = b"\x1f\x8b\x08\x10\x00\x00\x00\x00\x02\xff" + _MARK + b"\0"
# Every file's, as npm has it: 1985-10-26 08:15 UTC.
_TIME = 499162500


def packed(files: Mapping[str, bytes]) -> bytes:
    """The files below `package/`, in order of path but package.json first."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files, key=lambda path: (path != "package.json", path)):
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size, entry.mtime, entry.mode = len(files[path]), _TIME, 0o644
            archive.addfile(entry, io.BytesIO(files[path]))
    data = out.getvalue()
    return _HEAD + chunks.deflated(data) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def is_ours(data: bytes) -> bool:
    """Whether a file is one that `packed` made."""
    return data.startswith(_HEAD)
