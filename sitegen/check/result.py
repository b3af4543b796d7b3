"""What a check found, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from sitegen.errors import SitegenError

# As Playwright calls them; the first is the default.
BROWSERS = ("chromium", "firefox", "webkit")


@dataclass(frozen=True)
class Opened:
    """A page as it was opened in one way.

    `state` is ok, failed, or skipped where the page does not offer that way. `apart` is the largest difference of its
    golden numbers, next to the largest of their output; `milliseconds` what one run of them took. Both are None where
    the page has none.
    """

    state: str
    apart: float | None = None
    milliseconds: float | None = None


@dataclass(frozen=True)
class Checked:
    """A built site that was looked at: `pages` is path -> way -> how it went, empty where no browser was asked for."""

    output: str
    files: int
    bytes: int
    browser: str | None
    pages: dict[str, dict[str, Opened]]
    errors: tuple[SitegenError, ...]
    seconds: float
