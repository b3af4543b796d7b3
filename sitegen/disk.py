"""The two doors to the disk: reading the project, and keeping what was built (cache and output).

Everything written is written beside its place and moved there whole, so that whoever is killed leaves the old.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sitegen.errors import SitegenError
from sitegen.records import Blob, SourceFile

# Left by file managers wherever they look; nobody misses them and nobody means them.
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


def read_tree(root: Path, folder: str) -> dict[str, SourceFile]:
    """Every file under root/folder by name ("content/digits/index.md"), in order of name.

    Hidden files and folders, __pycache__ and file managers' litter are left out. A missing folder is an empty tree.
    """
    found: dict[str, SourceFile] = {}
    for path in sorted(_walk(root / folder)):
        status = path.stat()
        name = path.relative_to(root).as_posix()
        found[name] = SourceFile(name, path, status.st_size, status.st_mtime_ns)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if entry.name.startswith(".") or entry.name in LITTER or entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        # mkstemp makes files that nobody else may read.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def digest(path: Path, kind: str = "sha256") -> str:
    """The hash of a file's content in hexadecimal digits, of a `kind` that hashlib knows; read piece by piece."""
    found = hashlib.new(kind)
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


class Cache:
    """The build cache: blobs by content, and the results of steps by a key made of all that went into them.

    A result is JSON; where it speaks of bytes it names a blob by SHA-256. Deleting the folder only costs time.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stats_path = root / "stat.json"
        self._stats: dict[str, list[Any]] | None = None
        self._stats_changed = False

    def put(self, data: bytes) -> Blob:
        """Keeps bytes; a blob that is already there is left alone."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._blob_path(sha256)
        if not path.exists() or path.stat().st_size != len(data):
            write_whole(path, data)
        return Blob(sha256, len(data), path=path)

    def get(self, sha256: str, size: int) -> Blob | None:
        """The blob of that name, or None when it is not there whole."""
        path = self._blob_path(sha256)
        try:
            whole = path.stat().st_size == size
        except OSError:
            return None
        return Blob(sha256, size, path=path) if whole else None

    def _blob_path(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256[:2] / sha256

    @staticmethod
    def key(inputs: Mapping[str, Any]) -> str:
        """The name of a step's result: a hash of everything that went into it."""
        text = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def recall(self, step: str, key: str) -> Any | None:
        """The JSON kept for a step, or None."""
        try:
            return json.loads(self._step_path(step, key).read_bytes())
        except (OSError, ValueError):
            return None

    def keep(self, step: str, key: str, result: Any) -> None:
        """Keeps a step's result for the next build."""
        write_whole(self._step_path(step, key), json.dumps(result).encode())

    def _step_path(self, step: str, key: str) -> Path:
        return self.root / "steps" / step / f"{key}.json"

    def sha256(self, path: Path) -> str:
        """The SHA-256 of a file's content; read again only when its size or time has changed.

        A file younger than two seconds is always read: its time cannot tell two quick saves apart.
        """
        if self._stats is None:
            self._stats = self._load_stats()
        status = path.stat()
        known = self._stats.get(str(path))
        if known and known[:2] == [status.st_size, status.st_mtime_ns]:
            return str(known[2])
        found = digest(path)
        if time.time_ns() - status.st_mtime_ns > 2_000_000_000:
            self._stats[str(path)] = [status.st_size, status.st_mtime_ns, found]
            self._stats_changed = True
        return found

    def _load_stats(self) -> dict[str, list[Any]]:
        try:
            stats = json.loads(self._stats_path.read_bytes())
        except (OSError, ValueError):
            return {}
        return stats if isinstance(stats, dict) else {}

    def close(self) -> None:
        """Remembers file times for the next build."""
        if self._stats_changed and self._stats is not None:
            write_whole(self._stats_path, json.dumps(self._stats).encode())
            self._stats_changed = False


MARKER = "site.json"


class Output:
    """The output folder: replaced as a whole, and only when what lies in it is the build's own."""

    def __init__(self, root: Path, project: Path) -> None:
        self.root = root
        self.project = project

    @property
    def label(self) -> str:
        """How people know it: its path from the project, where it lies inside."""
        with contextlib.suppress(ValueError):
            return self.root.relative_to(self.project).as_posix() or "."
        return str(self.root)

    def check(self) -> None:
        """Raises SitegenError when replacing the folder would lose something that no build wrote."""
        if self.root == self.project or self.root in self.project.parents:
            raise SitegenError(
                f"the output folder {self.label} holds the project itself",
                hint="give a folder of its own, such as output/",
            )
        self._recover()
        if not self.root.exists():
            return
        if not self.root.is_dir() or self.root.is_symlink():
            raise SitegenError(
                f"{self.label} is not a folder",
                hint="move it away, or build into another folder with --output",
            )
        present = {
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if not path.is_dir() or path.is_symlink()
        }
        present = {name for name in present if name.rsplit("/", 1)[-1] not in LITTER}
        if not present:
            return
        written = self._written()
        if written is None:
            raise SitegenError(
                f"{self.label}/ was not made by sitegen build, so it is left alone",
                hint="move it away, or build into another folder with --output",
            )
        foreign = sorted(present - set(written) - {MARKER})
        if foreign:
            some = ", ".join(foreign[:5]) + (" ..." if len(foreign) > 5 else "")
            raise SitegenError(
                f"{self.label}/ holds {len(foreign)} file(s) that sitegen build did not write: {some}",
                hint="move them away: the folder is replaced as a whole by every build",
            )

    def _written(self) -> dict[str, list[Any]] | None:
        try:
            marker = json.loads((self.root / MARKER).read_bytes())
            files = marker["files"] if marker["generator"] == "sitegen" else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return files if isinstance(files, dict) else None

    def holds(self, files: Mapping[str, Blob]) -> bool:
        """Whether the folder has exactly these files, untouched since they were written."""
        written = self._written()
        expected = {name: [blob.size, blob.sha256] for name, blob in files.items()}
        expected.pop(MARKER, None)
        if written != expected:
            return False
        try:
            if (self.root / MARKER).read_bytes() != files[MARKER].read():
                return False
            # The marker is written last, so that nothing in the folder is younger.
            youngest = (self.root / MARKER).stat().st_mtime_ns
            for name, (size, _) in expected.items():
                status = (self.root / name).stat()
                if status.st_size != size or status.st_mtime_ns > youngest:
                    return False
        except OSError:
            return False
        return True

    def write(self, files: Mapping[str, Blob]) -> None:
        """Replaces the folder by these files: written beside it, swapped in one step, the old one deleted last."""
        self.root.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=self.root.parent, prefix=f".{self.root.name}-new-"))
        try:
            for name in sorted(files, key=lambda n: (n == MARKER, n)):
                target = new / name
                target.parent.mkdir(parents=True, exist_ok=True)
                blob = files[name]
                if blob.path is not None:
                    shutil.copyfile(blob.path, target)
                else:
                    target.write_bytes(blob.read())
            new.chmod(0o755)
            self._swap(new)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _swap(self, new: Path) -> None:
        """Puts `new` in the folder's place and the old folder, if any, in `new`'s."""
        if not self.root.exists():
            new.rename(self.root)
            return
        if _exchange(new, self.root):
            return
        # Two renames leave an instant without a folder; _recover mends a build killed just then.
        old = self._aside()
        self.root.rename(old)
        new.rename(self.root)
        old.rename(new)

    def _aside(self) -> Path:
        return self.root.with_name(f".{self.root.name}-old")

    def _recover(self) -> None:
        aside = self._aside()
        if aside.is_dir() and not self.root.exists():
            aside.rename(self.root)
        for left in self.root.parent.glob(f".{self.root.name}-new-*"):
            # An hour is longer than any build writes: what is older belongs to one that was killed.
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > 3600:
                    shutil.rmtree(left, ignore_errors=True)


def _exchange(a: Path, b: Path) -> bool:
    """Swaps two paths in one step where the system can: renameat2 (Linux 3.15), renamex_np (macOS 10.12)."""
    first, second = os.fsencode(a), os.fsencode(b)
    calls: dict[str, Callable[[ctypes.CDLL], int]] = {
        "linux": lambda c: int(c.renameat2(-100, first, -100, second, ctypes.c_uint(2))),
        "darwin": lambda c: int(c.renamex_np(first, second, ctypes.c_uint(2))),
    }
    call = calls.get(sys.platform)
    if call is None:
        return False
    try:
        return call(ctypes.CDLL(None)) == 0
    except (OSError, AttributeError):
        return False
