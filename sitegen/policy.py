"""What pages may load: their Content-Security-Policy (Content Security Policy Level 3)."""

from __future__ import annotations

import base64
import hashlib

# Nothing from elsewhere, nothing inline but one script, WebAssembly but no eval.
_PAGE = (
    "default-src 'none'; script-src 'self'{scripts} 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
# The same of a page that has all in itself: wherever the other may load from its site, this one has nothing to load.
_ALONE = (
    "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src {styles}; img-src blob: data:; "
    "media-src blob: data:; font-src data:; worker-src blob:; base-uri 'none'; form-action 'none'"
)


def page(inline: str) -> str:
    """The policy of a page of a site, with one inline script or an empty text."""
    return _PAGE.format(scripts=f" {_source(inline)}" if inline else "")


def alone(scripts: list[str], styles: list[str]) -> str:
    """The policy of a page in one file, with all scripts and style sheets inline."""
    return _ALONE.format(scripts=" ".join(map(_source, scripts)), styles=" ".join(map(_source, styles)))


def _source(text: str) -> str:
    """How a policy names what stands inline, to the byte."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
