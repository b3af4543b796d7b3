"""Names of files that a USB stick (FAT32, exFAT) or Windows would not take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from sitegen.check.folder import Folder
from sitegen.errors import SitegenError

# Windows takes 259 characters with drive and folder: this leaves 59 for where the site is put.
LONGEST = 200
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(\..*)?", re.I)


def faults(folder: Folder) -> Iterator[SitegenError]:
    """Every name that cannot be copied everywhere, and every two that would be one there."""
    for path in folder.files:
        for why in _wrong(path):
            hint = "rename what it comes from: the page's file or folder, or a file beside it"
            yield SitegenError(f"the name {why}", folder.place(path), hint)
    for one, other in _twins(folder.files):
        what = f"is the same name as {one} where upper and lower case, or accents, are not told apart"
        yield SitegenError(what, folder.place(other), "rename one of the two")


def _wrong(path: str) -> Iterator[str]:
    if len(path) > LONGEST:
        yield f"is {len(path)} characters long with its folders: Windows takes few more than {LONGEST}"
    for part in path.split("/"):
        if found := _FORBIDDEN.search(part):
            yield f"holds {found[0]!r}, which Windows and USB sticks do not take"
        if part.endswith((" ", ".")):
            yield f"ends in {part[-1]!r}, which Windows takes away"
        if _RESERVED.fullmatch(part):
            yield f'"{part}" is a device of Windows'
        if len(part.encode("utf-16-le")) > 2 * 255:
            yield "is longer than 255 characters"


def _twins(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Files and folders whose names differ in nothing that such disks know."""
    seen: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            name = "/".join(parts[:end])
            known = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
            if known != name:
                yield known, path
                break
