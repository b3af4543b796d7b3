"""Notices changes of a project: its content, its themes and its settings."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from sitegen.config import Settings
from sitegen.theme import BUILT_IN

# An editor's save is several events: what follows within this time belongs to the same one.
_QUIET = 0.1
_READING = {"opened", "closed_no_write"}


class Watcher(FileSystemEventHandler):
    """A context manager; `wait` gives True after each burst of changes, and False at the end."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root = root
        self._changed = threading.Event()
        self._closed = False
        self._observer = Observer()
        # The root's own files only: a virtual environment beside the content has tens of thousands.
        self._observer.schedule(self, str(root))
        for folder in (root / settings.content, root / "themes", BUILT_IN):
            if folder.is_dir():
                self._observer.schedule(self, str(folder), recursive=True)

    def __enter__(self) -> Watcher:
        self._observer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed = True
        self._changed.set()
        self._observer.stop()
        self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Takes an event of the file system (watchdog calls this on its own thread)."""
        if event.event_type in _READING:
            return
        if any(self._matters(path) for path in (event.src_path, event.dest_path) if path):
            self._changed.set()

    def _matters(self, path: str | bytes) -> bool:
        name = Path(path.decode() if isinstance(path, bytes) else path)
        if name.parent == self._root:
            return name.name in ("sitegen.toml", "pyproject.toml")
        parts = name.relative_to(self._root).parts if name.is_relative_to(self._root) else name.parts[-1:]
        return not any(part.startswith(".") or part == "__pycache__" for part in parts)

    def wait(self) -> bool:
        """Blocks until something has changed and then been quiet for a moment."""
        self._changed.wait()
        while not self._closed:
            self._changed.clear()
            if not self._changed.wait(_QUIET):
                return True
        return False
