"""A film that every browser plays: WebM with VP8, of which a lossy WebP is one frame (RFC 6386, RFC 9559)."""

from __future__ import annotations

import io
import random
import struct

from PIL import Image

SIZE = (160, 120)
PER_SECOND = 4


def webm(seconds: int) -> bytes:
    """A film whose every frame can be gone to; how grey its left half is tells the frame: `2 * index`, up to 127."""
    clusters = [_cluster(second) for second in range(seconds)]
    info = _element("1549A966", _number("2AD7B1", 1_000_000) + _element("4489", struct.pack(">d", seconds * 1000.0)))
    picture = _element("E0", _number("B0", SIZE[0]) + _number("BA", SIZE[1]))
    track = _number("D7", 1) + _number("73C5", 1) + _number("83", 1) + _element("86", b"V_VP8") + picture
    tracks = _element("1654AE6B", _element("AE", track))
    # Places are counted from the first byte of the segment, and take eight bytes whatever they are.
    ahead = len(_seek(0) + info + tracks)
    at = ahead + len(_cues([0] * seconds))
    places = []
    for cluster in clusters:
        places.append(at)
        at += len(cluster)
    segment = _seek(ahead) + info + tracks + _cues(places) + b"".join(clusters)
    kind = _number("4286", 1) + _number("42F7", 1) + _number("42F2", 4) + _number("42F3", 8)
    kind += _element("4282", b"webm") + _number("4287", 2) + _number("4285", 2)
    return _element("1A45DFA3", kind) + _element("18538067", segment)


def _cluster(second: int) -> bytes:
    frames = b""
    for n in range(PER_SECOND):
        # Track 1, milliseconds from the cluster's time, a key frame.
        head = struct.pack(">BhB", 0x81, n * 1000 // PER_SECOND, 0x80)
        frames += _element("A3", head + _frame(second * PER_SECOND + n))
    return _element("1F43B675", _number("E7", second * 1000) + frames)


def _frame(index: int) -> bytes:
    width, height = SIZE
    picture = Image.new("L", SIZE, 2 * index)
    # Noise, so that the film is long in bytes too.
    noise = random.Random(index).randbytes(width // 2 * height)
    picture.paste(Image.frombytes("L", (width // 2, height), noise), (width // 2, 0))
    out = io.BytesIO()
    picture.convert("RGB").save(out, "WEBP", quality=60)
    webp = out.getvalue()
    assert webp[12:16] == b"VP8 "
    return webp[20 : 20 + int.from_bytes(webp[16:20], "little")]


def _cues(places: list[int]) -> bytes:
    points = b""
    for second, place in enumerate(places):
        where = _number("F7", 1) + _number("F1", place)
        points += _element("BB", _number("B3", second * 1000) + _element("B7", where))
    return _element("1C53BB6B", points)


def _seek(cues: int) -> bytes:
    return _element("114D9B74", _element("4DBB", _element("53AB", bytes.fromhex("1C53BB6B")) + _number("53AC", cues)))


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(8, "big"))


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + (1 << 56 | len(content)).to_bytes(8, "big") + content
