"""Where a page says its model is -> the model on this machine: paths, addresses, and archives of either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sitegen.disk import Cache, digest
from sitegen.errors import SitegenError, did_you_mean
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
        path, name, folder = ref.path or self._fetched(ref), ref.name, None
        # A Keras file is a zip too; a damaged one is best told of as what it is.
        if path.suffix != ".keras" and path.is_file() and _is_archive(path):
            from sitegen.models import archive

            folder = self._cache.root / "unpacked" / self._cache.sha256(path)
            archive.unpack(path, folder)
            path = archive.choose(folder, ref.member)
            name = f"{name}!{path.relative_to(folder).as_posix()}"
            self._check_files(ref, folder)
        else:
            said = [("model.member", ref.member)] if ref.member is not None else []
            for key, wanted in [*said, *(("model.files", file) for file, _ in ref.files)]:
                raise SitegenError(f"{name} is no archive, so it has no {wanted}", hint=f"leave {key} out", key=key)
        return ModelFile(name, path, folder)

    def _check_files(self, ref: ModelRef, folder: Path) -> None:
        """Raises SitegenError unless the files of an archive that the page names hash to what it says."""
        from sitegen.models import archive

        for name, wanted in ref.files:
            path = archive.member(folder, name)
            if path is None or not path.is_file():
                raise _not_in(ref.name, folder, name, "model.files")
            sha256 = self._cache.sha256(path)
            kind = "sha256" if len(wanted) == len(sha256) else "sha512"
            found = sha256 if kind == "sha256" else self._sha512(path, sha256)
            if found != wanted:
                what = f"{ref.name}!{name}: expected {kind} {wanted}, got {found}"
                hint = "if the file was replaced on purpose, give its new hash in the page"
                raise SitegenError(what, hint=hint, key="model.files")

    def _sha512(self, path: Path, sha256: str) -> str:
        known = self._cache.recall("sha512", sha256)
        if known is None:
            known = digest(path, "sha512")
            self._cache.keep("sha512", sha256, known)
        return str(known)

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


def within(file: ModelFile, name: str) -> tuple[Path, str]:
    """A file that came in a model's archive: where it is, and how people know it. Raises SitegenError."""
    from sitegen.models import archive

    known = file.name.partition("!")[0]
    if file.archive is None:
        raise SitegenError(f"{known} is no archive, so it has no {name}")
    path = archive.member(file.archive, name)
    if path is None or not path.is_file():
        raise _not_in(known, file.archive, name)
    return path, f"{known}!{name}"


def _not_in(known: str, folder: Path, name: str, key: str | None = None) -> SitegenError:
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return SitegenError(f"{known} has no file {name} in it", hint=did_you_mean(name, files), key=key)


def _is_archive(path: Path) -> bool:
    from sitegen.models import archive

    return archive.is_archive(path)
