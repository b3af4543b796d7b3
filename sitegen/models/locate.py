"""Where a page says its model is -> the model on this machine: paths, addresses, and archives of either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from sitegen.disk import Cache
from sitegen.errors import SitegenError
from sitegen.models import archive
from sitegen.models.fetch import Lock, fetch
from sitegen.records import ModelFile, ModelRef


class Sources:
    """A context manager for one build: what was fetched first by it is in sitegen.lock at the end."""

    def __init__(self, root: Path, cache: Cache, progress: Callable[[str], None], *, offline: bool) -> None:
        """Raises SitegenError when sitegen.lock is malformed."""
        self._cache = cache
        self._progress = progress
        self._offline = offline
        self._lock = Lock.load(root)

    def __enter__(self) -> Sources:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # A build that fails for another reason has fetched all the same.
        self._lock.save()

    def locate(self, ref: ModelRef) -> ModelFile:
        """Fetches and unpacks as need be.

        Raises Unreachable for what cannot be had now, and SitegenError for what is not what it should be.
        """
        path, name = ref.path, ref.name
        if path is None:
            folder = self._cache.root / "downloads"
            path = fetch(
                ref.name,
                folder,
                self._lock,
                sha256=ref.sha256,
                sha512=ref.sha512,
                offline=self._offline,
                progress=self._progress,
            )
        # A Keras file is a zip too; a damaged one is best told of as what it is.
        if path.suffix != ".keras" and path.is_file() and archive.is_archive(path):
            folder = self._cache.root / "unpacked" / self._cache.sha256(path)
            archive.unpack(path, folder)
            path = archive.choose(folder, ref.member)
            name = f"{name}!{path.relative_to(folder).as_posix()}"
        elif ref.member is not None:
            raise SitegenError(f"{name} is no archive, so it has no {ref.member}", hint="leave model.member out")
        return ModelFile(name, path)
