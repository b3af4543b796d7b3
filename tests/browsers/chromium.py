"""Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, Playwright, sync_playwright

from tests.browsers import find

# Chromium would look for updates and accounts on a network that may not be there.
_QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


@functools.cache
def playwright() -> Playwright:
    """The one of this process: a second one cannot be started beside it."""
    return sync_playwright().start()


class ChromiumTab:
    """A tab; `page` is Playwright's, for what the other browsers cannot do."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def goto(self, url: str) -> None:
        self.page.goto(url)

    def evaluate(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def drag(self, points: list[tuple[float, float]]) -> None:
        mouse = self.page.mouse
        mouse.move(*points[0])
        mouse.down()
        for point in points[1:]:
            mouse.move(*point, steps=6)
        mouse.up()

    def screenshot(self, path: Path) -> None:
        self.page.screenshot(path=path)

    def close(self) -> None:
        self.page.close()


class Chromium:
    """A Chromium of its own; `context` is Playwright's, for what the other browsers cannot do."""

    name = "chromium"

    def __init__(self, extra: Sequence[str] = ()) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="sitegen-chromium-", ignore_cleanup_errors=True)
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        self._arguments = [*_QUIET, *sandbox, *extra]
        self.start()

    def start(self) -> None:
        """Starts it, after it was killed with the profile that it left."""
        # A profile on disk: service workers and Cache Storage as visitors have them.
        self.context: BrowserContext = playwright().chromium.launch_persistent_context(
            self._profile.name, executable_path=find.chromium(), args=self._arguments
        )
        version = self.context.pages[0].evaluate("navigator.userAgent")
        self.version = str(version).partition("Chrome/")[2].split(" ")[0]

    def new_tab(self) -> ChromiumTab:
        return ChromiumTab(self.context.new_page())

    def most_memory(self) -> int:
        """The most bytes that any of its tabs, with its workers, has had in memory (Linux)."""
        pending, most = [self._process()], 0
        while pending:
            folder = Path("/proc", str(pending.pop()))
            with contextlib.suppress(OSError):
                pending += map(int, (folder / f"task/{folder.name}/children").read_text().split())
                if b"--type=renderer" in (folder / "cmdline").read_bytes():
                    told = (folder / "status").read_text().partition("VmHWM:")[2]
                    most = max(most, int(told.split()[0]) << 10)
        return most

    def _process(self) -> int:
        # The lock of a profile names its host and process.
        lock = str(Path(self._profile.name, "SingletonLock").readlink())
        return int(lock.rpartition("-")[2])

    def kill(self) -> None:
        """Ends it as a power cut does."""
        os.kill(self._process(), signal.SIGKILL)
        with contextlib.suppress(Error):
            self.context.close()

    def close(self) -> None:
        self.context.close()
        self._profile.cleanup()
