"""A model by itself, without a page: found, told what it is, and read in a process of its own."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitegen import models, steps, worker
from sitegen.disk import Cache
from sitegen.errors import SitegenError
from sitegen.models.locate import Sources
from sitegen.models.options import Options
from sitegen.records import Limits, ModelRef


@dataclass(frozen=True)
class Asked:
    """What is asked for, as a page would say it; `source` is an address, or a path from the current folder."""

    source: str
    member: str | None = None
    format: str | None = None
    signature: str | None = None
    outputs: tuple[str, ...] = ()

    @property
    def remote(self) -> bool:
        """Whether it is behind an address."""
        return re.match(r"https?://", self.source, re.I) is not None


def look(asked: Asked, progress: Callable[[str], None]) -> dict[str, Any]:
    """What inspection.py says of a model, and `files`: the names of those it is made of.

    Nothing is kept: what was fetched or unpacked is gone afterwards. Raises SitegenError.
    """
    log = Path(tempfile.gettempdir()) / f"sitegen-inspect-{os.getpid()}.log"
    with tempfile.TemporaryDirectory(prefix="sitegen-") as folder:
        root = Path(folder)
        cache = Cache(root / "cache")
        with (
            Sources(root, cache, progress, offline=False) as sources,
            steps.pool(log, 1, Limits(), progress) as workers,
        ):
            file = sources.locate(_reference(asked))
            found = models.identify(file, asked.format)
            names = [_relative(path, file.path) for path in found.files(file.path)]
            progress(f"reading {file.name}")
            options = Options(asked.outputs, asked.signature)
            result = workers().submit(worker.inspect, file.path, found.NAME, options, log).result()
    log.unlink(missing_ok=True)
    return {"source": asked.source, **result, "files": sorted(names)}


def _reference(asked: Asked) -> ModelRef:
    if asked.remote:
        return ModelRef(asked.source, member=asked.member)
    path = Path(asked.source)
    if not path.exists():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        alike = difflib.get_close_matches(path.name, near, 1)
        raise SitegenError(f"{asked.source} does not exist", hint=f'did you mean "{alike[0]}"?' if alike else None)
    return ModelRef(asked.source, path.resolve(), member=asked.member)


def _relative(path: Path, model: Path) -> str:
    return path.relative_to(model if model.is_dir() else model.parent).as_posix()
