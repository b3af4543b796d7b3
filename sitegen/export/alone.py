"""A page's HTML without the site around it: each of its addresses is someone's to answer."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Sequence
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

from sitegen.check.document import CONFIG, EARLY, in_css
from sitegen.offline import STAND_IN
from sitegen.pages import FRONT_PAGE
from sitegen.records import Bundle, Site

Attributes = Sequence[tuple[str, str | None]]

# What a browser loads by itself, and where its address stands.
_LOADS = {
    "audio": ("src",),
    "img": ("src",),
    "source": ("src",),
    "track": ("src",),
    "video": ("src", "poster"),
}


class Alone(HTMLParser):
    """Rewrites a page of a site; subclasses say what becomes of scripts, style sheets and files.

    Links to other pages of the site become plain text. Everything else stays as it stands.
    """

    def __init__(self, site: Site, bundle: Bundle) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self.site = site
        self.bundle = bundle
        self._page = bundle.page.path
        self._pages = {FRONT_PAGE, STAND_IN, *(page.path for page in site.pages)}
        self._in_config = False
        self._skipped = False
        # End tags that go, or become others, with what they belong to.
        self._ends: dict[str, str] = {}

    def rewritten(self) -> str:
        """The page as it is to be."""
        self.feed(self.text(self._page))
        self.close()
        return "".join(self.out)

    def text(self, path: str) -> str:
        """A file of the site."""
        return self.site.files[path].read().decode("utf-8")

    def configure(self, config: dict[str, Any]) -> None:
        """Changes the JSON for the page's script."""
        config |= {"alone": True, "root": "./", "page": FRONT_PAGE}

    def script(self, path: str, attributes: Attributes) -> str:
        """What stands for a script of the site."""
        raise NotImplementedError

    def style(self, path: str) -> str:
        """What stands for a style sheet."""
        raise NotImplementedError

    def policy(self, content: str) -> str:
        """What becomes of the page's Content-Security-Policy."""
        raise NotImplementedError

    def address(self, path: str) -> str | None:
        """The address of any other file of the site; None where it is not needed."""
        raise NotImplementedError

    def end(self) -> str:
        """What comes last in the body."""
        return ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and given.get("id") == CONFIG:
            self._in_config = True
        if tag == "script" and given.get("id") == EARLY:
            # Whoever opens the page has all of it.
            self._skipped = True
            return
        if tag == "script" and (path := self._inside(given.get("src"))):
            self._ends["script"] = ""
            self.out.append(self.script(path, attrs))
        elif tag == "link" and (path := self._inside(given.get("href"))):
            self.out.append(self._link(path, attrs))
        elif tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.out.append(_tag(tag, [(n, self.policy(v or "") if n == "content" else v) for n, v in attrs]))
        elif tag == "a" and (path := self._inside(given.get("href"))) and path != self._page:
            self.out.append(self._anchor(path, attrs))
        elif tag in _LOADS:
            self.out.append(_tag(tag, [(n, self._loaded(v) if n in _LOADS[tag] else v) for n, v in attrs]))
        else:
            self.out.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            self._skipped = False
            return
        if tag == "body":
            self.out.append(self.end())
        self.out.append(self._ends.pop(tag, f"</{tag}>"))
        self._in_config = False

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self._in_config:
            config = json.loads(data)
            self.configure(config)
            data = json.dumps(config, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.out.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.out.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")

    def _link(self, path: str, attrs: Attributes) -> str:
        relations = (dict(attrs).get("rel") or "").lower().split()
        if "stylesheet" in relations:
            return self.style(path)
        address = self.address(path) if "icon" in relations else None
        return _tag("link", [(n, address if n == "href" else v) for n, v in attrs]) if address else ""

    def _anchor(self, path: str, attrs: Attributes) -> str:
        address = None if path in self._pages else self.address(path)
        if address is None:
            self._ends["a"] = "</span>"
            return _tag("span", [(n, v) for n, v in attrs if n in ("class", "id", "lang", "dir", "title")])
        named = [] if any(n == "download" for n, _ in attrs) else [("download", posixpath.basename(path))]
        return _tag("a", [*((n, address if n == "href" else v) for n, v in attrs), *named])

    def _loaded(self, address: str | None) -> str | None:
        path = self._inside(address)
        return self.address(path) if path else address

    def _inside(self, address: str | None) -> str | None:
        """The path in the site that an address of the page is of; None where it leads elsewhere, or into the page."""
        parts = urlsplit(address or "")
        if parts.scheme or parts.netloc or not parts.path:
            return None
        return posixpath.normpath(posixpath.join(posixpath.dirname(self._page), unquote(parts.path)))


def referred(css: str, path: str, find: Callable[[str], str | None]) -> str:
    """A style sheet with the addresses in it replaced by what `find` has for their paths in the site."""
    for address in {each.address for each in in_css(css)}:
        parts = urlsplit(address)
        if parts.scheme or not parts.path:
            continue
        found = find(posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path))))
        if found:
            css = css.replace(address, found)
    return css


def _tag(name: str, attributes: Attributes) -> str:
    said = "".join(f" {n}" if v is None else f' {n}="{escape(v)}"' for n, v in attributes)
    return f"<{name}{said}>"
