"""Files beside a page: how the project's people name them, and those that a key's patterns match."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sitegen import npy
from sitegen.errors import Place, SitegenError
from sitegen.records import ArrayFile, SourceFile
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


def array(root: Path, file: SourceFile, said: str, place: Place, errors: list[SitegenError]) -> ArrayFile | None:
    """A .npy file of numbers that a page ships; None when it is not one. Appends to `errors`."""
    path = (file.path.parent / said).resolve()
    return array_at(path, name(root, path), said, place, errors)


def array_at(path: Path, called: str, said: str, place: Place, errors: list[SitegenError]) -> ArrayFile | None:
    """The .npy file at a path, which people know as `called`, and this page as `said`."""
    hint = 'np.save("numbers.npy", numbers.astype("float32")) writes one'
    try:
        shape, offset = npy.head(path)
    except OSError:
        errors.append(SitegenError(f"no file {said}", place, "paths start at the page's folder"))
        return None
    except ValueError as error:
        errors.append(SitegenError(f"{said} cannot be used: {error}", place, hint))
        return None
    status = path.stat()
    return ArrayFile(SourceFile(called, path, status.st_size, status.st_mtime_ns), shape, offset)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Orders 2.png before 10.png."""
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", path.as_posix())]
