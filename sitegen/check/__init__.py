"""Looks at a built site as visitors would: its files first, then every page in a browser, in four ways.

    folder, document   the site on the disk
    names, links, listed, origins   what can be told without a browser
    browser, host, visit   what a page does when it is opened
    result   what was found

All that is wrong is collected. Of pages it uses what they say of themselves on their elements, and the events that they
answer to: runtime/src/page/demo.ts and offline.ts have both at their heads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sitegen.check import links, listed, names, origins
from sitegen.check.folder import Folder
from sitegen.check.result import Checked, Opened
from sitegen.errors import BuildFailed, Kind, SitegenError, did_you_mean

Progress = Callable[[str], None]


def check(
    root: Path,
    label: str,
    progress: Progress,
    *,
    browser: str | None = "chromium",
    page: str | None = None,
    seconds: float = 120,
) -> Checked:
    """Checks the site in a folder, which people know as `label`.

    Without a `browser` only its files; with `page` only that page is opened. Each page may take so many seconds in each
    way. Raises BuildFailed where there is nothing to check.
    """
    began = time.monotonic()
    folder = Folder.open(root, label)
    asked = _asked(folder, page)
    progress("reading the files")
    claims = listed.read(folder)
    broken, linked = links.faults(folder, claims.files.keys())
    errors = [*names.faults(folder), *listed.faults(folder, claims, linked), *origins.faults(folder), *broken]
    pages: dict[str, dict[str, Opened]] = {}
    if browser is not None:
        from sitegen.check import visit

        try:
            pages, found = visit.all_of(folder, asked, browser, seconds, progress)
            errors += found
        except SitegenError as error:
            errors.append(error)
    return Checked(
        output=label,
        files=len(folder.files),
        bytes=sum(folder.files.values()),
        browser=browser,
        pages=pages,
        errors=tuple(BuildFailed(errors).errors),
        seconds=time.monotonic() - began,
    )


def _asked(folder: Folder, page: str | None) -> list[str]:
    """The pages to open; one may be named by its path or its folder."""
    if page is None:
        return folder.pages
    found = [path for path in folder.pages if path in (page, f"{page.strip('/')}/index.html", f"{page}.html")]
    if not found:
        hint = did_you_mean(page, [path.removesuffix("/index.html") for path in folder.pages])
        raise BuildFailed([SitegenError(f'no page "{page}" in {folder.label}/', hint=hint, kind=Kind.USAGE)])
    return found
