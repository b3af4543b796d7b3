"""Chunks: how binary payloads travel, the same file over http and on file://.

A chunk is a classic script, `sitegenChunk("<id>","<payload>")`: `id` is the SHA-256 of the raw payload, and the payload
is raw bytes with four of them escaped (backslash, double quote, LF, CR). Over http the page fetches the file as bytes
and takes the payload out; on file://, where nothing can be fetched, it loads the file by a script element whose charset
is x-user-defined, which maps every byte to one character. runtime/src/shared/chunk.ts is the other half.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import Any

from zopfli import zlib as zopfli

from sitegen.disk import Cache
from sitegen.records import Blob, Chunked, FileRef

CHUNK_BYTES = 1 << 20
# Part of cache keys: whoever changes the format of a chunk or how payloads are cut changes this.
FORMAT = "chunk-2"
# Below this saving, inflating in the page is not worth its time.
_WORTHWHILE = 0.98

_ESCAPES = ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\r", b"\\r"))
_RAW = {escaped: raw for raw, escaped in _ESCAPES}
_ESCAPED = re.compile(rb"\\.", re.DOTALL)


def cut(data: bytes, compress: bool = True, *, thorough: bool = False) -> Chunked:
    """Cuts a payload into chunks of at most 1 MiB, deflated (raw, level 9) where that saves at least 2 %.

    `thorough` spends some 4 s a megabyte on a few per cent less: for what every visitor fetches and a release never
    changes.
    """
    encoding, payload = "identity", data
    if compress:
        packed = _searched(data) if thorough else deflated(data)
        if len(packed) < _WORTHWHILE * len(data):
            encoding, payload = "deflate-raw", packed
    pieces = [payload[i : i + CHUNK_BYTES] for i in range(0, len(payload), CHUNK_BYTES)]
    named = [(hashlib.sha256(piece).hexdigest(), piece) for piece in pieces]
    ref = FileRef(len(data), encoding, tuple((name, len(piece)) for name, piece in named))
    return Chunked(ref, {name: Blob.of(script(name, piece)) for name, piece in named})


def deflated(data: bytes) -> bytes:
    """Raw deflate (RFC 1951), level 9."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflater.compress(data) + deflater.flush()


def _searched(data: bytes) -> bytes:
    # More iterations than these find a byte or two.
    packed: bytes = zopfli.compress(data, numiterations=5)
    return packed[2:-4]  # what zlib puts around raw deflate (RFC 1950)


def keep(payload: bytes, cache: Cache, *, thorough: bool = False) -> dict[str, Any]:
    """Cuts a payload and keeps the chunk files in the cache; JSON of a Chunked, each file as [SHA-256, bytes]."""
    made = cut(payload, thorough=thorough)
    files = {name: cache.put(blob.read()) for name, blob in made.files.items()}
    return {
        "bytes": made.ref.bytes,
        "encoding": made.ref.encoding,
        "chunks": [list(chunk) for chunk in made.ref.chunks],
        "files": {name: [blob.sha256, blob.size] for name, blob in files.items()},
    }


def payload(kept: Mapping[str, Any], cache: Cache) -> bytes:
    """The payload that `keep` cut. Raises FileNotFoundError where a chunk is gone from the cache."""
    pieces = []
    for name, _ in kept["chunks"]:
        blob = cache.get(*kept["files"][name])
        if blob is None:
            raise FileNotFoundError(f"chunk {name} is gone from the build cache")
        pieces.append(carried(blob.read()))
    whole = b"".join(pieces)
    return whole if kept["encoding"] == "identity" else zlib.decompress(whole, -15)


def carried(file: bytes) -> bytes:
    """The piece in the file that carries it. Raises ValueError where the file is no chunk."""
    escaped = file[file.index(b',"') + 2 : file.rindex(b'")')]
    return _ESCAPED.sub(lambda found: _RAW.get(found[0], found[0]), escaped)


def script(name: str, piece: bytes) -> bytes:
    """The file that carries one piece of a payload."""
    for raw, escaped in _ESCAPES:
        piece = piece.replace(raw, escaped)
    return b'sitegenChunk("' + name.encode() + b'","' + piece + b'")\n'


def path(name: str) -> str:
    """Where the chunk of that id lies in a site."""
    return f"chunks/{name}.js"
