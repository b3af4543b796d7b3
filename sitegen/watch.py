"""Notices changes of a project: its content, its themes and its settings."""

from __future__ import annotations

import os
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
_APPEARING = {"created", "moved"}


class Watcher(FileSystemEventHandler):
    """A context manager; `wait` gives True after each burst of changes, and False at the end."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root = root
        self._changed = threading.Event()
        self._closed = False
        self._observer = Observer()
        # The root's own files only: a virtual environment beside the content has tens of thousands.
        self._observer.schedule(self, str(root))
        self._folders = {root / settings.content, root / "themes", BUILT_IN}
        for folder in self._folders:
            self._watch(folder)

    def _watch(self, folder: Path) -> None:
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
        paths = [Path(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
        if event.event_type in _APPEARING:
            # A folder that was not there when the preview began, or is there again.
            for path in self._folders.intersection(paths):
                self._watch(path)
        if any(self._matters(path) for path in paths):
            self._changed.set()

    def _matters(self, name: Path) -> bool:
        if name.parent == self._root:
            return name.name in ("sitegen.toml", "pyproject.toml") or name in self._folders
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
