"""A built site as it lies on the disk: its files, and what its pages and its service worker say of themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sitegen import offline
from sitegen.check.document import Document
from sitegen.disk import LITTER, MARKER, digest
from sitegen.errors import BuildFailed, Place, SitegenError

WORKER = "sw.js"
WEB_MANIFEST = "site.webmanifest"
REBUILD = "sitegen build writes the folder anew; deploy all of it"


@dataclass(frozen=True)
class Folder:
    """A built site; `label` is how people know the folder. Paths are from its root, with forward slashes."""

    root: Path
    label: str

    @staticmethod
    def open(root: Path, label: str) -> Folder:
        """Raises BuildFailed when no site lies there."""
        if not (root / MARKER).is_file():
            what = f"no site in {label}/: it has no {MARKER}, which every build writes"
            raise BuildFailed([SitegenError(what, hint="run sitegen build, or name the folder of a built site")])
        return Folder(root, label)

    def place(self, path: str, line: int | None = None, column: int | None = None) -> Place:
        """Where something stands in a file of the site."""
        return Place(f"{self.label}/{path}", line, column)

    @cached_property
    def files(self) -> dict[str, int]:
        """Path -> bytes of every file but file managers' litter."""
        paths = sorted(path for path in self.root.rglob("*") if path.is_file() and path.name not in LITTER)
        return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in paths}

    def read(self, path: str) -> bytes:
        """All bytes of a file."""
        return (self.root / path).read_bytes()

    def sha256(self, path: str) -> str:
        """Of a file's bytes, in hex."""
        return digest(self.root / path)

    @cached_property
    def documents(self) -> dict[str, Document]:
        """Every HTML file, parsed."""
        return {path: Document.parse(self._text(path)) for path in self.files if path.endswith(".html")}

    @cached_property
    def marker(self) -> Any:
        """What the build wrote down of its files; None where that is not JSON."""
        return _json(self._text(MARKER))

    @cached_property
    def worker(self) -> Any:
        """The manifest at the head of the service worker; None where it cannot be read."""
        return offline.manifest(self.read(WORKER)) if WORKER in self.files else None

    @cached_property
    def web_manifest(self) -> Any:
        """What an installed site goes by; None where it cannot be read."""
        return _json(self._text(WEB_MANIFEST)) if WEB_MANIFEST in self.files else None

    @property
    def retired(self) -> bool:
        """Whether its worker has no manifest, as it only removes what was kept."""
        configs = [document.config for document in self.documents.values()]
        return any(isinstance(config, dict) and config.get("retired") is True for config in configs)

    @property
    def pages(self) -> list[str]:
        """The pages that visitors open."""
        if self.retired:
            return [path for path in self.documents if path != offline.STAND_IN]
        listed = self.worker.get("pages", {}) if isinstance(self.worker, dict) else {}
        return [path for path in map(unquote, listed) if path in self.documents]

    def _text(self, path: str) -> str:
        return self.read(path).decode("utf-8", "replace")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
