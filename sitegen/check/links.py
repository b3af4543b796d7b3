"""Where the addresses in a site's pages, style sheets and web manifest lead."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator, Set
from typing import Any
from urllib.parse import unquote, urlsplit

from sitegen.check.document import Reference, in_css
from sitegen.check.folder import WEB_MANIFEST, Folder
from sitegen.errors import SitegenError

# Addresses that hold what they name, or that no browser fetches.
_INSIDE = ("data", "blob", "about", "javascript", "mailto", "tel", "sms")
_OWN = "download it and put it beside the page, or into the theme: pages make no request to other origins"
_FILE = "name a file of the site, by its path from the folder of the page"


def faults(folder: Folder, listed: Set[str]) -> tuple[list[SitegenError], set[str]]:
    """What is wrong with addresses, and every path that they name.

    That a file is missing which a manifest has `listed` is not said here: listed.py does.
    """
    errors, linked = [], set()
    for path, reference in _references(folder):
        try:
            target = _target(folder, path, reference)
        except ValueError as error:
            what, hint = error.args
            errors.append(SitegenError(what, folder.place(path, reference.line, reference.column), hint))
            continue
        if target is None:
            continue
        linked.add(target)
        if target not in folder.files and target not in listed:
            what = f"the link leads nowhere: {reference.address}"
            errors.append(SitegenError(what, folder.place(path, reference.line, reference.column), _FILE))
        elif lost := _lost(folder, target, reference.address):
            where = folder.place(path, reference.line, reference.column)
            errors.append(
                SitegenError(
                    f'there is no "{lost}" in {target}: {reference.address}', where, _near(folder, target, lost)
                )
            )
    return errors, linked


def _references(folder: Folder) -> Iterator[tuple[str, Reference]]:
    for path, document in folder.documents.items():
        yield from ((path, reference) for reference in document.references)
    for path in folder.files:
        if path.endswith(".css"):
            yield from ((path, r) for r in in_css(folder.read(path).decode("utf-8", "replace")))
    manifest = folder.web_manifest
    if isinstance(manifest, dict):
        yield from ((WEB_MANIFEST, Reference(address, True, 1, 1)) for address in _installed(manifest))


def _installed(manifest: dict[str, Any]) -> Iterator[str]:
    if "start_url" in manifest:
        yield str(manifest["start_url"])
    for key in ("icons", "screenshots"):
        yield from (str(each["src"]) for each in manifest.get(key, []))
    yield from (str(each["url"]) for each in manifest.get("shortcuts", []))


def _target(folder: Folder, path: str, reference: Reference) -> str | None:
    """The path that an address names; None outside the site. Raises ValueError, with its cure, for what cannot work."""
    address = reference.address
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ValueError(f"this is no address: {address}", _FILE) from error
    if parts.scheme in _INSIDE:
        return None
    if parts.scheme or parts.netloc:
        if reference.loads:
            raise ValueError(f"loads a file of another origin: {address}", _OWN)
        return None
    if not parts.path:
        # Within a style sheet, it is of the page.
        return None if path.endswith(".css") else path
    if parts.path.startswith("/"):
        what = f"the address begins at the host's root, which is not the site's: {address}"
        raise ValueError(what, "begin it at the page's folder: it breaks under a sub-path and by double-click")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))
    if target == ".." or target.startswith("../"):
        raise ValueError(f"the address leaves the site: {address}", _FILE)
    if parts.path.endswith("/") or (folder.root / target).is_dir():
        raise ValueError(
            f"the address names a folder: {address}", "name its index.html: by double-click no folder opens"
        )
    return target


def _lost(folder: Folder, target: str, address: str) -> str | None:
    """The anchor of an address that the page there does not have."""
    anchor = unquote(urlsplit(address).fragment)
    document = folder.documents.get(target)
    if document is None or anchor in ("", "top") or anchor.startswith(":~:") or anchor in document.targets:
        return None
    return anchor


def _near(folder: Folder, target: str, anchor: str) -> str:
    near = difflib.get_close_matches(anchor, sorted(folder.documents[target].targets), n=1)
    return f'did you mean "#{near[0]}"?' if near else "anchors are the ids of headings: see the page's list of contents"
