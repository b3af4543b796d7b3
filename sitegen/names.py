"""Names of files that can be copied anywhere: sites travel by FAT32 and exFAT sticks, zip files, Windows and macOS."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

# Windows' own (FAT32 and exFAT have the same), and two that mean something else in addresses.
_SIGNS = re.compile(r'[<>:"\\|?*#%\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.I)
# Bytes of a name, which is what Linux counts; others count less.
_NAME = 255
# UTF-16 units of a path: Windows has 260, of which some go to the folder that the site is copied to.
_PATH = 200


def flaw(path: str) -> str | None:
    """What keeps the file at `path`, relative to the site, from being copied anywhere; None when nothing does."""
    if len(path.encode("utf-16-le")) // 2 > _PATH:
        return f"the path is longer than {_PATH} characters"
    for part in path.split("/"):
        sign = _SIGNS.search(part)
        if sign:
            return f'"{part}" has a "{sign[0]}"' if sign[0].isprintable() else f"{part!r} has a control character"
        if _DEVICES.fullmatch(part):
            return f'Windows keeps the name "{part}" for a device'
        if part != part.rstrip(". "):
            return f'"{part}" ends in a dot or a space, which Windows drops'
        if len(part.encode()) > _NAME:
            return f"a name is longer than {_NAME} bytes"
    return None


def folded(path: str) -> str:
    """The same for all paths that some file system takes for one: those that differ by case or by Unicode's forms."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def clashes(paths: Collection[str]) -> Iterator[tuple[str, str]]:
    """Pairs of paths that cannot lie beside one another: the same but for case, or a file where a folder has to be."""
    first: dict[str, str] = {}
    for path in sorted(paths):
        other = first.setdefault(folded(path), path)
        if other != path:
            yield other, path
    for path in sorted(paths):
        for folder in PurePosixPath(path).parents:
            if folded(str(folder)) in first:
                yield first[folded(str(folder))], path
