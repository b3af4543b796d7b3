"""Writes films that every browser plays: WebM with VP8, of which a lossy WebP is one frame (RFC 6386, RFC 9559).

Every frame is a key frame: films are longer in bytes than they need be, and players go to any of them at once.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

from PIL import Image


def webm(frames: Sequence[Image.Image], per_second: float, quality: int = 60) -> bytes:
    """A film of frames of one size, each shown for 1 / `per_second` seconds; `quality` is WebP's, 0 to 100.

    Times are rounded to milliseconds, as WebM has them.
    """
    seconds = len(frames) / per_second
    starts = [i for i in range(len(frames)) if i == 0 or _second(i, per_second) > _second(i - 1, per_second)]
    clusters = [
        _cluster(_second(first, per_second), first, frames[first:after], per_second, quality)
        for first, after in zip(starts, [*starts[1:], len(frames)], strict=True)
    ]
    times = [1000 * _second(first, per_second) for first in starts]
    info = _element("1549A966", _number("2AD7B1", 1_000_000) + _element("4489", struct.pack(">d", seconds * 1000.0)))
    width, height = frames[0].size
    picture = _element("E0", _number("B0", width) + _number("BA", height))
    track = _number("D7", 1) + _number("73C5", 1) + _number("83", 1) + _element("86", b"V_VP8") + picture
    tracks = _element("1654AE6B", _element("AE", track))
    # Places are counted from the first byte of the segment, and take eight bytes whatever they are.
    ahead = len(_seek(0) + info + tracks)
    at = ahead + len(_cues(times, [0] * len(times)))
    places = []
    for cluster in clusters:
        places.append(at)
        at += len(cluster)
    segment = _seek(ahead) + info + tracks + _cues(times, places) + b"".join(clusters)
    kind = _number("4286", 1) + _number("42F7", 1) + _number("42F2", 4) + _number("42F3", 8)
    kind += _element("4282", b"webm") + _number("4287", 2) + _number("4285", 2)
    return _element("1A45DFA3", kind) + _element("18538067", segment)


def vp8(frame: Image.Image, quality: int) -> bytes:
    """A frame as VP8: what a lossy WebP holds."""
    out = io.BytesIO()
    frame.convert("RGB").save(out, "WEBP", quality=quality)
    webp = out.getvalue()
    if webp[12:16] != b"VP8 ":
        raise ValueError("Pillow wrote a WebP that is no VP8 frame")
    return webp[20 : 20 + int.from_bytes(webp[16:20], "little")]


def _second(index: int, per_second: float) -> int:
    return round(1000 * index / per_second) // 1000


def _cluster(second: int, first: int, frames: Sequence[Image.Image], per_second: float, quality: int) -> bytes:
    blocks = b""
    for index, frame in enumerate(frames, start=first):
        # Track 1, milliseconds from the cluster's time, a key frame.
        head = struct.pack(">BhB", 0x81, round(1000 * index / per_second) - 1000 * second, 0x80)
        blocks += _element("A3", head + vp8(frame, quality))
    return _element("1F43B675", _number("E7", second * 1000) + blocks)


def _cues(times: Sequence[int], places: Sequence[int]) -> bytes:
    points = b""
    for time, place in zip(times, places, strict=True):
        where = _number("F7", 1) + _number("F1", place)
        points += _element("BB", _number("B3", time) + _element("B7", where))
    return _element("1C53BB6B", points)


def _seek(cues: int) -> bytes:
    return _element("114D9B74", _element("4DBB", _element("53AB", bytes.fromhex("1C53BB6B")) + _number("53AC", cues)))


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(8, "big"))


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + (1 << 56 | len(content)).to_bytes(8, "big") + content
