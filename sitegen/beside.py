"""Files beside a page: how the project's people name them, and those that a key's patterns match."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sitegen.errors import SitegenError
from sitegen.records import SourceFile
from sitegen.validation import Places


def name(root: Path, path: Path) -> str:
    """The path from the project's root with forward slashes; of files elsewhere, the whole path."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def files(
    root: Path,
    file: SourceFile,
    patterns: Sequence[str],
    key: tuple[str, ...],
    places: Places,
    errors: list[SitegenError],
) -> tuple[SourceFile, ...]:
    """The files that the patterns of a key match, each once. Appends to `errors`."""
    found: dict[Path, SourceFile] = {}
    kind = "sample" if key == ("samples",) else "picture"
    for index, pattern in enumerate(patterns):
        place = places.value((*key, index))
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            errors.append(SitegenError(f"{kind}s lie beside the page, not at {pattern}", place))
            continue
        matches = sorted(
            (p for p in file.path.parent.glob(pattern) if p.is_file() and p.name[0] != "."),
            key=_natural,
        )
        if not matches:
            hint = "paths start at the page's folder; samples/*.png takes every PNG in samples/"
            errors.append(SitegenError(f"no {kind} matches {pattern}", place, hint))
        for path in matches:
            status = path.stat()
            found[path] = SourceFile(name(root, path), path, status.st_size, status.st_mtime_ns)
    return tuple(found.values())


def _natural(path: Path) -> list[tuple[int, str]]:
    """Orders 2.png before 10.png."""
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", path.as_posix())]
