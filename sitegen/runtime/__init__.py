"""The browser runtime as Python sees it: the compiled files in dist/, and what they say of themselves.

The source is TypeScript beside this file (README.md there); it is compiled when the package is built.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sitegen.errors import Kind, SitegenError
from sitegen.records import Blob

_DIST = Path(__file__).parent / "dist"


@dataclass(frozen=True)
class Runtime:
    """The files of dist/ by name, and runtime.json, which says what each is for."""

    index: Mapping[str, Any]
    folder: Path = _DIST

    @cached_property
    def tasks(self) -> Mapping[str, Mapping[str, str]]:
        """Name of a task -> its script, title and summary, as its widget declares them."""
        tasks: dict[str, Mapping[str, str]] = self.index["tasks"]
        return tasks

    def tool(self, name: str) -> Path:
        """A script that the build runs under Node."""
        return self.folder / str(self.index["tools"][name])

    def read(self, name: str) -> Blob:
        """One of the files of dist/."""
        return Blob.of((self.folder / name).read_bytes())


def load() -> Runtime:
    """Raises SitegenError when the runtime was never compiled (a source tree that was not installed)."""
    try:
        return Runtime(json.loads((_DIST / "runtime.json").read_bytes()))
    except FileNotFoundError as error:
        raise SitegenError(
            "the browser runtime is not compiled",
            hint="install the package: pip install -e . compiles it",
            kind=Kind.USAGE,
        ) from error
