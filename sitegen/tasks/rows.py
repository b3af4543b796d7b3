"""Rows of a table to try, as a CSV file (RFC 4180, a row a line): what is wrong with them, and where.

The page reads them by the same rules: runtime/src/widgets/tables/csv.ts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sitegen.errors import Place, SitegenError, did_you_mean
from sitegen.records import SourceFile

# Columns with what is known of a row, which the model is not given.
TRUTH = ("label", "target")

_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",]*))(,|$)')
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")

_Cell = tuple[str, int]  # what is in it, and the column of the file that it begins at


def check(file: SourceFile, features: Sequence[Mapping[str, Any]], truths: Sequence[str] | None) -> list[SitegenError]:
    """All that is wrong with a file of samples; of a file that is no text, nothing, as others say so.

    What is known of a row is one of `truths`, or anything where there are none, or a number where that is None.
    """
    try:
        # Line ends of all kinds are "\n" here.
        lines = file.path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return []
    errors: list[SitegenError] = []
    told = [(number, _cells(line, Place(file.name, number, 1), errors)) for number, line in enumerate(lines, 1)]
    rows = [(number, cells) for number, cells in told if cells]
    if errors:
        return errors
    if len(rows) < 2:
        hint = "the names of the columns in the first line, then a row a line"
        return [SitegenError(f"{file.name} has no rows", Place(file.name, 1, 1), hint)]
    names = [name for name, _ in rows[0][1]]
    errors += _header(file.name, *rows[0], [feature["name"] for feature in features])
    known = {feature["name"]: feature for feature in features}
    for number, cells in rows[1:]:
        if len(cells) != len(names):
            what = f"{len(cells)} cells under a header of {len(names)}"
            errors.append(SitegenError(what, Place(file.name, number, 1), "a text with a comma in it needs quotes"))
            continue
        for name, (value, column) in zip(names, cells, strict=True):
            wrong = _flaw(value, known[name]) if name in known else _untrue(value, name, truths)
            if wrong:
                errors.append(SitegenError(f"{name}: {wrong[0]}", Place(file.name, number, column), wrong[1]))
    return errors


def _cells(line: str, place: Place, errors: list[SitegenError]) -> list[_Cell]:
    """The cells of a line; none of an empty one."""
    found: list[_Cell] = []
    at = 0
    while line.strip():
        match = _CELL.match(line, at)
        if match is None:
            where = Place(place.file, place.line, at + 1)
            errors.append(SitegenError("a cell with a quote in it", where, 'write it in quotes, each quote twice: ""'))
            return []
        quoted, plain, end = match.groups()
        found.append((plain.strip() if quoted is None else quoted.replace('""', '"'), at + 1))
        if not end:
            break
        at = match.end()
    return found


def _header(file: str, line: int, cells: Sequence[_Cell], features: Sequence[str]) -> list[SitegenError]:
    names = [name for name, _ in cells]
    errors = [
        SitegenError(f'no column "{name}"', Place(file, line, 1), "the header has every column of the page's input")
        for name in features
        if name not in names
    ]
    for index, (name, column) in enumerate(cells):
        place = Place(file, line, column)
        if name in names[:index]:
            errors.append(SitegenError(f'the column "{name}" stands twice', place))
        elif name not in features and (name not in TRUTH or index < len(cells) - 1):
            hint = did_you_mean(name, features)
            if name in TRUTH:
                hint = f"the column {name}, which is what is known of a row, comes last"
            errors.append(SitegenError(f'the page has no column "{name}"', place, hint))
    return errors


def _flaw(value: str, feature: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """What is wrong with a feature's value, and the cure."""
    if feature["kind"] == "choice":
        if value in feature["choices"]:
            return None
        return f'"{value}" is none of its choices', did_you_mean(value, feature["choices"])
    if not _NUMBER.fullmatch(value):
        return f'"{value}" is no number', "digits, with a point before decimals"
    if not feature["min"] <= float(value) <= feature["max"]:
        return f"{value} is outside of {feature['min']:g} to {feature['max']:g}", "the page's input says this range"
    return None


def _untrue(value: str, name: str, truths: Sequence[str] | None) -> tuple[str, str | None] | None:
    """What is wrong with what is known of a row; a column of another name was found wrong already."""
    if name not in TRUTH:
        return None
    if truths is None:
        return None if _NUMBER.fullmatch(value) else (f'"{value}" is no number', "digits, with a point before decimals")
    return (f'"{value}" is no label', did_you_mean(value, truths)) if truths and value not in truths else None
