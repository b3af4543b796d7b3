"""What a page's text refers to -> addresses in the site.

A link to another page's Markdown file becomes a link to that page; a file of the project is taken along under
files/<hash>/, where it never changes; links that lead nowhere are errors at their place in the text.
"""

from __future__ import annotations

import hashlib
import html
import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sitegen import names
from sitegen.errors import Place, SitegenError
from sitegen.records import Page, SourceFile

_TAG = re.compile(r"<(a|img|source|video|audio|track)\b[^>]*>", re.I)
# As `resolve` leaves them.
_LINK = re.compile(r"""<a\b[^>]*\shref="([^"]*)"[^>]*>(.*?)</a>""", re.I | re.S)
_REFERENCE = re.compile(r"""\b(href|src|poster)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)


def resolve(
    page: Page,
    root: Path,
    pages: Mapping[str, str],
    tree: Mapping[str, SourceFile],
    text: str,
) -> tuple[Page, list[SitegenError]]:
    """The page with every reference rewritten, and what is wrong with its references.

    `pages` maps the source of every page to its path in the site; `tree` is the content as read; `text` the page's
    file, in which the places of errors are looked up.
    """
    errors: list[SitegenError] = []
    linked: dict[str, SourceFile] = {}
    embedded: set[str] = set()
    folder = posixpath.dirname(page.source)
    up = "../" * page.path.count("/")

    def address(reference: str, shown: bool) -> str:
        parts = urlsplit(reference)
        if parts.scheme or parts.netloc:
            if shown and parts.scheme in ("http", "https", ""):
                hint = "download it beside the page: pages make no request to other origins"
                fault(f"the page shows a file of another origin: {reference}", reference, hint)
            return reference
        if not parts.path:
            return reference
        target = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        for source in (target, f"{target}.md", f"{target}/index.md"):
            if source in pages:
                return f"{up}{pages[source]}{fragment}"
        file = tree.get(target)
        if file is None:
            fault(f"the link leads nowhere: {reference}", reference, "paths start at the page's folder")
            return reference
        path = f"files/{_digest(file)}/{posixpath.basename(target)}"
        flaw = names.flaw(path)
        if flaw:
            fault(f"the file cannot be copied everywhere: {flaw}", reference, "rename the file")
        linked[path] = file
        if shown:
            embedded.add(path)
        return f"{up}{path}{fragment}"

    def fault(what: str, reference: str, hint: str) -> None:
        errors.append(SitegenError(what, _place(page.source, text, reference), hint))

    def tag(found: re.Match[str]) -> str:
        shown = found[1].lower() != "a"

        def attribute(inner: re.Match[str]) -> str:
            reference = html.unescape(inner[2] if inner[2] is not None else inner[3])
            return f'{inner[1]}="{html.escape(address(reference, shown))}"'

        return _REFERENCE.sub(attribute, found[0])

    body = _TAG.sub(tag, page.body)
    return replace(page, body=body, linked=linked, embedded=frozenset(embedded)), errors


def without(page: Page, gone: Collection[str]) -> tuple[Page, list[str]]:
    """The page with its links to pages that are not built, by their paths, as plain text; and which of them it had."""
    had: set[str] = set()
    up = "../" * page.path.count("/")

    def plain(found: re.Match[str]) -> str:
        path = html.unescape(found[1]).partition("#")[0].removeprefix(up)
        if path not in gone:
            return found[0]
        had.add(path)
        return found[2]

    return replace(page, body=_LINK.sub(plain, page.body)), sorted(had)


def _digest(file: SourceFile) -> str:
    return hashlib.sha256(file.path.read_bytes()).hexdigest()[:12]


def _place(source: str, text: str, reference: str) -> Place:
    at = text.find(reference)
    if at < 0:
        return Place(source)
    return Place(source, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
