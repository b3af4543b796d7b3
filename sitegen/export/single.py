"""A page with its demo as one HTML file that loads nothing: it opens by double-click, wherever it is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from sitegen import chunks, policy
from sitegen.export.alone import Alone, Attributes, referred
from sitegen.host import media_type
from sitegen.records import Bundle, Site

# WebKit takes time that grows with the square of an inline script's length.
_PIECE = 384 * 1024
_MARK = "<!-- made by sitegen export -->\n"
_POLICY = "sitegen:policy"


def make(site: Site, bundle: Bundle | None) -> bytes:
    """The page of a demo: its payloads are base64, a third larger, in pieces of 384 KiB at most."""
    assert bundle is not None
    page = _Single(site, bundle)
    text = page.rewritten()
    return (text.replace(_POLICY, policy.alone(page.scripts, page.styles)) + _MARK).encode("utf-8")


def is_ours(data: bytes) -> bool:
    """Whether a file is one that `make` made."""
    return data.endswith(_MARK.encode())


class _Single(Alone):
    def __init__(self, site: Site, bundle: Bundle) -> None:
        super().__init__(site, bundle)
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._last: list[str] = []

    def script(self, path: str, attributes: Attributes) -> str:
        """Nothing here: scripts come last, and that which waits for the others after them."""
        text = self.text(path).replace("</script", r"<\/script").replace("<!--", r"<\!--")
        waits = any(name == "async" for name, _ in attributes)
        self._last.insert(len(self._last) if waits else 0, text)
        self.scripts.append(text)
        return ""

    def style(self, path: str) -> str:
        """The sheet itself, with what it refers to."""
        css = referred(self.text(path), path, self.address)
        self.styles.append(css)
        return f"<style>{css}</style>"

    def policy(self, content: str) -> str:
        """A mark: the hashes are not known yet."""
        return _POLICY

    def address(self, path: str) -> str | None:
        """The file in its address."""
        blob = self.site.files.get(path)
        if blob is None:
            return None
        return f"data:{media_type(path)};base64,{base64.b64encode(blob.read()).decode()}"

    def end(self) -> str:
        """The demo's payloads, then the scripts."""
        return "".join([*self._payloads(), *(f"<script>{text}</script>\n" for text in self._last)])

    def _payloads(self) -> Iterator[str]:
        variants = _variants(self.bundle.config)
        for name, file in sorted(self.bundle.chunks.items()):
            if name in variants:
                continue
            payload = chunks.carried(file.read())
            for at in range(0, len(payload), _PIECE // 4 * 3):
                piece = base64.b64encode(payload[at : at + _PIECE // 4 * 3]).decode()
                yield f'<script type="application/octet-stream" data-chunk="{name}">{piece}</script>\n'

    def configure(self, config: dict[str, Any]) -> None:
        """Nothing is beside it."""
        super().configure(config)
        config["assets"] = []
        # Other ways to run it are worth their bytes to those alone who ask for them.
        config["demo"]["engine"]["variants"] = []
        config["demo"]["backend"] = "wasm"


def _variants(config: Any) -> set[str]:
    """Chunks of the variants of a demo's engine that nothing else needs."""
    engine = config["engine"]
    own = {name for part in (engine["script"], *engine["wasm"].values()) for name, _ in part["chunks"]}
    parts = [part for each in engine["variants"] for part in (each["script"], each["wasm"]) if part]
    return {name for part in parts for name, _ in part["chunks"]} - own
