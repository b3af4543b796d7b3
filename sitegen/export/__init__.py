"""A built site, or a page of it, to hand on: one HTML file, one archive, or an npm package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sitegen.disk import write_whole
from sitegen.errors import Kind, SitegenError, did_you_mean
from sitegen.export import archive, npm, single
from sitegen.export.npm.names import Named
from sitegen.records import Bundle, Page, Site

# Form -> what makes it of a site and a page of it (None: the site), and whether a file is one that it made.
_MAKE: Mapping[str, Callable[[Site, Bundle | None, Named | None], bytes]] = {
    "html": lambda site, bundle, named: single.make(site, bundle),
    "zip": lambda site, bundle, named: archive.make(site, bundle),
    "npm": npm.make,
}
_OURS: Mapping[str, Callable[[bytes], bool]] = {
    "html": single.is_ours,
    "zip": archive.is_ours,
    "npm": npm.is_ours,
}
FORMS = tuple(_OURS)


def find(site: Site, page: str) -> Bundle:
    """The demo of a page, named by its folder, its path or its source. Raises SitegenError where there is none."""
    asked = page.strip("/")
    for bundle in site.bundles:
        if asked in _names(bundle.page):
            return bundle
    names = [_slug(bundle.page.path) for bundle in site.bundles]
    for missing, why in site.left_out:
        if asked in _names(missing):
            raise SitegenError(f'the page "{page}" was left out: {why.what}', why.where, why.hint, why.kind)
    if any(asked in _names(plain) for plain in site.pages):
        raise SitegenError(f'the page "{page}" has no demo', hint=did_you_mean(page, names), kind=Kind.USAGE)
    raise SitegenError(f'there is no page "{page}"', hint=did_you_mean(page, names), kind=Kind.USAGE)


def check(target: Path, form: str) -> None:
    """Raises SitegenError where writing the file would lose something that no export wrote."""
    if target.is_dir():
        raise SitegenError(f"{target} is a folder", hint="name a file with --output", kind=Kind.USAGE)
    if target.exists() and not _OURS[form](target.read_bytes()):
        what = f"{target} is there already, and no export wrote it"
        raise SitegenError(what, hint="move it away, or name another file with --output")


def export(site: Site, bundle: Bundle | None, form: str, target: Path, named: Named | None = None) -> int:
    """Writes the file, whole or not at all; gives its bytes. `named` is a package's; None: as its page is.

    Raises SitegenError.
    """
    check(target, form)
    data = _MAKE[form](site, bundle, named)
    write_whole(target, data)
    return len(data)


def called(bundle: Bundle | None, site: str, form: str, named: Named | None) -> Path:
    """What the file is called where nobody says it, here; `site` is the name of the site."""
    return Path(named.file if named else f"{_slug(bundle.page.path).rpartition('/')[2] if bundle else site}.{form}")


def _slug(path: str) -> str:
    return path.removesuffix("/index.html")


def _names(page: Page) -> tuple[str, str, str]:
    return page.path, _slug(page.path), page.source
