"""A headless browser, by Playwright, which whoever checks without one need not have."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitegen.errors import Kind, SitegenError, first_line

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType

WITHOUT = "or check without a browser: sitegen check --no-browser"
INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS: dict[str, dict[str, Any]] = {
    # It would look for updates and accounts.
    "chromium": {"args": ["--disable-background-networking", "--disable-component-update", "--disable-sync"]},
    # As visitors have it: driven, it lets pages opened from files read their neighbours.
    "firefox": {"firefox_user_prefs": {"security.fileuri.strict_origin_policy": True}},
    "webkit": {},
}


@contextlib.contextmanager
def launched(name: str) -> Iterator[Browser]:
    """Runs one of BROWSERS while the block runs. Raises SitegenError where it is not there, or does not start."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        hint = f"pip install 'sitegen[check]' && playwright install {name}; {WITHOUT}"
        raise SitegenError(
            "no browser to open pages with: Playwright is not installed", None, hint, Kind.USAGE
        ) from error
    with sync_playwright() as playwright:
        kind: BrowserType = getattr(playwright, name)
        try:
            browser = kind.launch(executable_path=_executable(kind), **_OPTIONS[name])
        except Error as error:
            hint = f"playwright install {name}, and on Linux playwright install-deps {name}; {WITHOUT}"
            what = f"{name} does not start: {first_line(error)}"
            raise SitegenError(what, None, hint, Kind.USAGE) from error
        try:
            yield browser
        except Error as error:
            raise SitegenError(
                f"{name} ended by itself: {first_line(error)}", hint=f"run it again; {WITHOUT}"
            ) from error
        finally:
            browser.close()


def _executable(kind: BrowserType) -> str | None:
    """Playwright's own (None), or else a Chromium of this machine; of the other two it needs its own builds."""
    if kind.name != "chromium" or Path(kind.executable_path).exists():
        return None
    return next((found for name in INSTALLED if (found := shutil.which(name))), None)
