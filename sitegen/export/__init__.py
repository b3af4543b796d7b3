"""A built site, or a page of it, to hand on: one HTML file, or one archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sitegen.disk import write_whole
from sitegen.errors import Kind, SitegenError, did_you_mean
from sitegen.export import archive, single
from sitegen.records import Bundle, Site

# Form -> what makes it of a site and a page of it (None: the site), and whether a file is one that it made.
_MAKE: Mapping[str, Callable[[Site, Bundle | None], bytes]] = {"html": single.make, "zip": archive.make}
_OURS: Mapping[str, Callable[[bytes], bool]] = {"html": single.is_ours, "zip": archive.is_ours}
FORMS = tuple(_MAKE)


def find(site: Site, page: str) -> Bundle:
    """The demo of a page, named by its folder, its path or its source. Raises SitegenError where there is none."""
    for bundle in site.bundles:
        path = bundle.page.path
        if page.strip("/") in (path, path.removesuffix("/index.html"), bundle.page.source):
            return bundle
    names = [bundle.page.path.removesuffix("/index.html") for bundle in site.bundles]
    plain = next((p for p in site.pages if page.strip("/") in (p.path, p.path.removesuffix("/index.html"))), None)
    if plain is not None:
        raise SitegenError(f'the page "{page}" has no demo', hint=did_you_mean(page, names), kind=Kind.USAGE)
    raise SitegenError(f'there is no page "{page}"', hint=did_you_mean(page, names), kind=Kind.USAGE)


def check(target: Path, form: str) -> None:
    """Raises SitegenError where writing the file would lose something that no export wrote."""
    if target.is_dir():
        raise SitegenError(f"{target} is a folder", hint="name a file with --output", kind=Kind.USAGE)
    if target.exists() and not _OURS[form](target.read_bytes()):
        what = f"{target} is there already, and no export wrote it"
        raise SitegenError(what, hint="move it away, or name another file with --output")


def export(site: Site, bundle: Bundle | None, form: str, target: Path) -> int:
    """Writes the file, whole or not at all; gives its bytes. Raises SitegenError."""
    check(target, form)
    data = _MAKE[form](site, bundle)
    write_whole(target, data)
    return len(data)
