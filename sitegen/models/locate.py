"""Where a page says its model is -> the model on this machine: paths, addresses, and archives of either."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sitegen.disk import Cache
from sitegen.errors import SitegenError
from sitegen.records import ModelFile, ModelRef

if TYPE_CHECKING:
    from sitegen.models.fetch import Lock


class Sources:
    """A context manager for one build: what was fetched first by it is in sitegen.lock at the end."""

    def __init__(self, root: Path, cache: Cache, progress: Callable[[str], None], *, offline: bool) -> None:
        self._root = root
        self._cache = cache
        self._progress = progress
        self._offline = offline
        self._lock: Lock | None = None

    def __enter__(self) -> Sources:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # A build that fails for another reason has fetched all the same.
        if self._lock is not None:
            self._lock.save()

    def locate(self, ref: ModelRef) -> ModelFile:
        """Fetches and unpacks as need be.

        Raises Unreachable for what cannot be had now, and SitegenError for what is not what it should be.
        """
        path, name = ref.path or self._fetched(ref), ref.name
        # A Keras file is a zip too; a damaged one is best told of as what it is.
        if path.suffix != ".keras" and path.is_file() and _is_archive(path):
            from sitegen.models import archive

            folder = self._cache.root / "unpacked" / self._cache.sha256(path)
            archive.unpack(path, folder)
            path = archive.choose(folder, ref.member)
            name = f"{name}!{path.relative_to(folder).as_posix()}"
            if ref.member_sha512 is not None:
                _check(path, name, ref.member_sha512)
        elif ref.member is not None:
            raise SitegenError(f"{name} is no archive, so it has no {ref.member}", hint="leave model.member out")
        return ModelFile(name, path)

    def _fetched(self, ref: ModelRef) -> Path:
        # A build whose models are all files need not know how to fetch.
        from sitegen.models.fetch import Lock, fetch

        if self._lock is None:
            self._lock = Lock.load(self._root)
        return fetch(
            ref.name,
            self._cache.root / "downloads",
            self._lock,
            sha256=ref.sha256,
            sha512=ref.sha512,
            offline=self._offline,
            progress=self._progress,
        )


def _check(path: Path, name: str, sha512: str) -> None:
    """Raises SitegenError when a file that was unpacked has another hash."""
    if path.is_dir():
        raise SitegenError(f"{name} is a folder, and has no hash", hint="leave model.member_sha512 out")
    digest = hashlib.sha512()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    if (got := digest.hexdigest()) != sha512:
        hint = "if the archive was replaced on purpose, give the new one as model.member_sha512"
        raise SitegenError(f"{name}: expected sha512 {sha512}, got {got}", hint=hint)


def _is_archive(path: Path) -> bool:
    from sitegen.models import archive

    return archive.is_archive(path)
