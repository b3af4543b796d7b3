"""The names of a model's classes, and the groups that a page puts them in, of files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sitegen import beside
from sitegen.errors import Place, SitegenError
from sitegen.records import Grouped, LabelsFile, SourceFile
from sitegen.schema import Labels
from sitegen.validation import Places

_UTF8 = "save it as UTF-8 in your editor"


def read(
    root: Path, file: SourceFile, said: Labels | None, places: Places, errors: list[SitegenError]
) -> tuple[str, ...]:
    """The names that a page says, or a file beside it; none for those in the model's archive. Appends to `errors`."""
    if said is None or said.file is None:
        return tuple(said.names) if said else ()
    hint = "a text file with one name a line, or the names themselves: [cat, dog]"
    path = file.path.parent / said.file
    lines = _lines(path, said.file, "labels file", hint, places.of("labels"), errors)
    return of_lines(lines, said.pattern, beside.name(root, path.resolve()), errors)


def in_archive(said: Labels | None) -> LabelsFile | None:
    """Where in the model's archive the names are, if they are there."""
    return LabelsFile(said.member, said.pattern) if said and said.member is not None else None


def of_lines(lines: Sequence[str], pattern: str | None, name: str, errors: list[SitegenError]) -> tuple[str, ...]:
    """The names in the lines of a file, of which empty ones at the end are none.

    A name is its line without blanks around it, or what the pattern's first group finds. Appends to `errors`, where the
    file is called `name`.
    """
    found = []
    for number, line in enumerate(lines, start=1):
        match = re.search(pattern, line) if pattern else None
        if not line.strip():
            errors.append(SitegenError("an empty line among the labels", Place(name, number, 1), "one name a line"))
        elif pattern and not (match and match[1]):
            what = f"labels.pattern finds no name in {line.strip()!r}"
            errors.append(SitegenError(what, Place(name, number, 1), f"its first group is the name: {pattern}"))
        found.append(match[1] if match else line.strip())
    return tuple(found)


def split(data: bytes) -> list[str]:
    """The lines of a file, without empty ones at its end. Raises UnicodeDecodeError."""
    lines = data.decode("utf-8-sig").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def groups(
    root: Path, file: SourceFile, said: str | None, places: Places, errors: list[SitegenError]
) -> tuple[Grouped, ...] | None:
    """The group of each class in a file with lines "class: group". Appends to `errors`."""
    if said is None:
        return None
    hint = "a text file with a line for each class: bakery: indoor"
    path = file.path.parent / said
    lines = _lines(path, said, "groups file", hint, places.of("output.groups"), errors)
    name = beside.name(root, path.resolve())
    found: dict[str, Grouped] = {}
    for number, line in enumerate(lines, start=1):
        place = Place(name, number, 1)
        label, colon, group = (part.strip() for part in line.rpartition(":"))
        if not (label and colon and group):
            errors.append(SitegenError("the line names no class and its group", place, "as in: bakery: indoor"))
        elif label in found:
            what = f'"{label}" has a group in line {found[label].place.line} already'
            errors.append(SitegenError(what, place, "take one of them out"))
        else:
            found[label] = Grouped(label, group, place)
    return tuple(found.values())


def _lines(path: Path, said: str, what: str, hint: str, place: Place, errors: list[SitegenError]) -> list[str]:
    try:
        return split(path.read_bytes())
    except OSError:
        errors.append(SitegenError(f"no {what} {said}", place, hint))
    except UnicodeDecodeError:
        errors.append(SitegenError(f"{said} is not UTF-8", place, _UTF8))
    return []
