"""A page as a browser reads it: its addresses, the places that links can lead to, and the JSON for its script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

CONFIG = "sitegen-page"
EARLY = "sitegen-early"
# What browsers fetch by themselves; any other address waits for somebody to press it.
_LOADS = {
    "audio": ("src",),
    "embed": ("src",),
    "frame": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src",),
    "input": ("src",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src",),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
_LINKS = ("a", "area")
# Relations of <link> that tell and do not load.
_TELLING = {"alternate", "author", "canonical", "help", "license", "me", "next", "prev", "search", "shortlink"}
_CSS = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^'")\s]+))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""", re.I)


@dataclass(frozen=True)
class Reference:
    """An address in a file; `loads` when it is fetched without being asked for. Line and column count from 1."""

    address: str
    loads: bool
    line: int
    column: int


@dataclass
class Document:
    """What was found in an HTML file. `config` is None where there is no JSON for a script that can be read."""

    references: list[Reference] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)
    config: Any = None

    @staticmethod
    def parse(text: str) -> Document:
        """Reads HTML as it comes: what is broken in it, browsers mend."""
        parser = _Parser()
        parser.feed(text)
        parser.close()
        return parser.document


def in_css(text: str) -> Iterator[Reference]:
    """The addresses of a style sheet, all of which are loaded."""
    for found in _CSS.finditer(text):
        address = next(group for group in found.groups() if group is not None)
        line = text.count("\n", 0, found.start()) + 1
        yield Reference(address, True, line, found.start() - text.rfind("\n", 0, found.start()))


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.document = Document()
        self._inside: str | None = None
        self._config = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._inside = None
        if tag == "script" and found.get("id") == CONFIG:
            self._inside = CONFIG
        elif tag == "style":
            self._inside = tag
        self.document.targets |= {found[name] for name in ("id", "name") if found.get(name)}
        for address in _loaded(tag, found):
            self._refer(address, True)
        if tag in _LINKS and "href" in found:
            self._refer(found["href"], False)
        for inner in in_css(found.get("style", "")):
            self._refer(inner.address, True)

    def handle_data(self, data: str) -> None:
        if self._inside == CONFIG:
            self._config += data
        elif self._inside == "style":
            for inner in in_css(data):
                self._refer(inner.address, True)

    def handle_endtag(self, tag: str) -> None:
        if self._inside == CONFIG:
            try:
                self.document.config = json.loads(self._config)
            except ValueError:
                self.document.config = None
        self._inside = None

    def _refer(self, address: str, loads: bool) -> None:
        line, offset = self.getpos()
        self.document.references.append(Reference(address.strip(), loads, line, offset + 1))


def _loaded(tag: str, found: Mapping[str, str]) -> Iterator[str]:
    yield from (found[name] for name in _LOADS.get(tag, ()) if name in found)
    if tag == "link" and "href" in found and not set(found.get("rel", "").lower().split()) <= _TELLING:
        yield found["href"]
    for name in ("srcset", "imagesrcset"):
        # Candidates are set apart by a comma and a space; addresses may hold commas.
        candidates = re.split(r",\s+", found.get(name, "").strip())
        yield from (candidate.split()[0].rstrip(",") for candidate in candidates if candidate.split())
