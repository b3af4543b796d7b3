"""The site's settings: `sitegen.toml`, or `[tool.sitegen]` in pyproject.toml."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sitegen.errors import BuildFailed, Place, SitegenError, did_you_mean
from sitegen.records import OFFLINE_MODES, SCHEMES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Settings:
    """What an author can set for the whole site.

    Folders are relative to the project's root. `quantize` and `offline` are what pages get that say nothing. The
    conversion of one model may take `convert_seconds`, and `convert_memory` megabytes (0: three quarters of what the
    machine has).
    """

    title: str = "Demos"
    description: str = ""
    lang: str = "en"
    content: str = "content"
    output: str = "output"
    theme: str = "default"
    quantize: str = "float16"
    offline: str = "auto"
    convert_seconds: int = 1800
    convert_memory: int = 0

    # The file that they come from; not a setting.
    file: str = "sitegen.toml"


NUMBERS = ("convert_seconds", "convert_memory")
KEYS = tuple(f.name for f in fields(Settings) if f.name != "file")
CHOICES = {"quantize": SCHEMES, "offline": OFFLINE_MODES}


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
    return _place(settings.file, path.read_text("utf-8"), key) if path.is_file() else Place(settings.file)


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
    for key, value in table.items():
        place = _place(file, text, key)
        if key not in KEYS:
            errors.append(SitegenError(f'unknown setting "{key}"', place, hint=did_you_mean(key, KEYS)))
        elif key in NUMBERS:
            if type(value) is not int or value < 0:
                errors.append(SitegenError(f'"{key}" must be a whole number, not negative', place))
        elif not isinstance(value, str):
            errors.append(SitegenError(f'"{key}" must be a text in quotes', place))
        elif key in CHOICES and value not in CHOICES[key]:
            hint = did_you_mean(value, CHOICES[key])
            errors.append(SitegenError(f'unknown {key} "{value}"', place, hint=hint))
        elif key in ("content", "output") and not _inside(value):
            hint = "use a relative path without .."
            errors.append(SitegenError(f'"{key}" leaves the project: {value}', place, hint=hint))
    if errors:
        raise BuildFailed(errors)
    return Settings(**table, file=file)


def _inside(folder: str) -> bool:
    path = Path(folder)
    return bool(folder) and not path.is_absolute() and ".." not in path.parts


def _place(file: str, text: str, key: str) -> Place:
    start = text.find("[tool.sitegen]") if file == "pyproject.toml" else 0
    found = re.compile(rf'^[ \t]*"?{re.escape(key)}"?\s*=', re.M).search(text, max(start, 0))
    if not found:
        return Place(file)
    return Place(file, text.count("\n", 0, found.start()) + 1, 1)
