"""The site's settings: `sitegen.toml`, or `[tool.sitegen]` in pyproject.toml."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sitegen.errors import BuildFailed, Place, SitegenError, did_you_mean
from sitegen.records import OFFLINE_MODES
from sitegen.schema import Site, SiteQuantize
from sitegen.text import bytes_of
from sitegen.validation import KeyPath, Places, explained

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Settings:
    """What an author can set for the whole site.

    Folders are relative to the project's root. `quantize` and `offline` are what pages get that say nothing; pages of
    more than `offline_limit` bytes are not kept before somebody asks. The
    conversion of one model may take `convert_seconds`, and `convert_memory` megabytes (0: three quarters of what the
    machine has). With `threads` pages may compute on several cores, for which they are isolated from other sites.
    """

    title: str = "Demos"
    description: str = ""
    lang: str = "en"
    content: str = "content"
    output: str = "output"
    theme: str = "default"
    quantize: SiteQuantize = field(default_factory=SiteQuantize)
    offline: str = "auto"
    offline_limit: int = 20_000_000
    convert_seconds: int = 1800
    convert_memory: int = 0
    threads: bool = False

    # The file that they come from; not a setting.
    file: str = "sitegen.toml"


NUMBERS = ("convert_seconds", "convert_memory")
FLAGS = ("threads",)
SIZES = ("offline_limit",)
KEYS = tuple(f.name for f in fields(Settings) if f.name != "file")
CHOICES = {"offline": OFFLINE_MODES}
_DOTTED = re.compile(r'"[^"]*"|\'[^\']*\'|[\w-]+')
_KEY = re.compile(rf"\s*((?:{_DOTTED.pattern})(?:\s*\.\s*(?:{_DOTTED.pattern}))*)\s*=")
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")


def load(root: Path) -> Settings:
    """Reads the settings of the project at `root`; without a file, the defaults.

    Raises BuildFailed with every error that the file has.
    """
    own, shared = root / "sitegen.toml", root / "pyproject.toml"
    if own.is_file():
        return _settings(own.name, *_read(own))
    if shared.is_file():
        text, table = _read(shared)
        return _settings(shared.name, text, table.get("tool", {}).get("sitegen", {}))
    return Settings()


def place(root: Path, settings: Settings, key: str) -> Place:
    """Where a setting stands, for errors that are found later."""
    path = root / settings.file
    return _places(settings.file, path.read_text("utf-8") if path.is_file() else "", {}).of(key)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        problem = SitegenError(f"is not UTF-8 text ({error.reason})", Place(path.name))
        raise BuildFailed([problem]) from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*?) \(at line (\d+), column (\d+)\)$", str(error))
        what, place = (
            (found[1], Place(path.name, int(found[2]), int(found[3]))) if found else (str(error), Place(path.name))
        )
        raise BuildFailed([SitegenError(f"not TOML: {what}", place)]) from error


def _settings(file: str, text: str, table: dict[str, Any]) -> Settings:
    errors = []
    places = _places(file, text, table)
    for key, value in table.items():
        place = places.of(key)
        if key not in KEYS:
            errors.append(SitegenError(f'unknown setting "{key}"', place, hint=did_you_mean(key, KEYS)))
        elif key == "quantize":
            errors += _quantize_errors(value, places)
        elif key in NUMBERS:
            if type(value) is not int or value < 0:
                errors.append(SitegenError(f'"{key}" must be a whole number, not negative', place))
        elif key in FLAGS:
            if not isinstance(value, bool):
                errors.append(SitegenError(f'"{key}" must be true or false', place))
        elif not isinstance(value, str):
            errors.append(SitegenError(f'"{key}" must be a text in quotes', place))
        elif key in SIZES:
            if bytes_of(value) is None:
                errors.append(SitegenError(f'"{key}" is no size: {value}', place, hint='for one, "20 MB"'))
        elif key in CHOICES and value not in CHOICES[key]:
            hint = did_you_mean(value, CHOICES[key])
            errors.append(SitegenError(f'unknown {key} "{value}"', place, hint=hint))
        elif key in ("content", "output") and not _inside(value):
            hint = "use a relative path without .."
            errors.append(SitegenError(f'"{key}" leaves the project: {value}', place, hint=hint))
    if errors:
        raise BuildFailed(errors)
    quantize = Site.model_validate({"quantize": table.get("quantize", {})}).quantize
    sizes = {key: bytes_of(table[key]) for key in SIZES if key in table}
    return Settings(**{**table, **sizes, "quantize": quantize}, file=file)


def _quantize_errors(value: Any, places: Places) -> list[SitegenError]:
    if not isinstance(value, str | dict):
        return [SitegenError('"quantize" must be the name of a scheme, or a table', places.of("quantize"))]
    try:
        Site.model_validate({"quantize": value})
    except ValidationError as error:
        return [explained(dict(detail), places, Site) for detail in error.errors()]
    return []


def _inside(folder: str) -> bool:
    path = Path(folder)
    return bool(folder) and not path.is_absolute() and ".." not in path.parts


def _places(file: str, text: str, table: Mapping[str, Any]) -> Places:
    """Where the keys of a table stand; those of a table within one line stand where it does."""
    found: dict[KeyPath, Place] = {(): Place(file)}
    root: KeyPath = ("tool", "sitegen") if file == "pyproject.toml" else ()
    section: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header, assigned = _HEADER.match(line), _KEY.match(line)
        if header:
            path = section = _path(header[1])
        elif assigned:
            path = (*section, *_path(assigned[1]))
        if (header or assigned) and path[: len(root)] == root:
            column = len(line) - len(line.lstrip()) + 1
            for end in range(len(root) + 1, len(path) + 1):
                found.setdefault(path[len(root) : end], Place(file, number, column))
    places = Places(file, found, found)
    for path in _paths(table):
        found.setdefault(path, places.value(path))
    return places


def _paths(table: Mapping[str, Any]) -> Iterator[KeyPath]:
    for key, value in table.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *inner) for inner in _paths(value))


def _path(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _DOTTED.findall(dotted))
