"""What kinds of files pages give their visitors to try, told by what is in them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_PICTURES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
# Bytes at an offset -> media type.
_SOUNDS = {(8, b"WAVE"): "audio/wav", (0, b"fLaC"): "audio/flac", (0, b"OggS"): "audio/ogg", (0, b"ID3"): "audio/mpeg"}
_FILMS = {(0, b"\x1a\x45\xdf\xa3"): "video/webm", (4, b"ftyp"): "video/mp4"}


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is called, which there are, and the media type of one by its bytes (None: it is none)."""

    what: str
    which: str
    told: Callable[[bytes], str | None]


def _picture(data: bytes) -> str | None:
    """One that decodes from end to end."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return _PICTURES.get(image.format or "")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def _headed(heads: Mapping[tuple[int, bytes], str]) -> Callable[[bytes], str | None]:
    return lambda data: next((kind for (at, head), kind in heads.items() if data[at:].startswith(head)), None)


def _text(data: bytes) -> str | None:
    try:
        return None if b"\0" in data else (data.decode("utf-8-sig"), "text/plain")[1]
    except UnicodeDecodeError:
        return None


KINDS: Mapping[str, Kind] = {
    "picture": Kind("picture that browsers show", "PNG, JPEG, WebP, GIF or BMP, whole and readable", _picture),
    "sound": Kind("sound that browsers play", "WAV, FLAC, Ogg or MP3", _headed(_SOUNDS)),
    "film": Kind("film that browsers play", "WebM or MP4", _headed(_FILMS)),
    "text": Kind("text", "UTF-8", _text),
}
