"""What the service worker and the browser's installer read: sw.js with its manifest, and site.webmanifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from sitegen.records import Blob

# What visitors see, without a network, in place of a page that is not kept.
STAND_IN = "offline.html"

# The worker's manifest is inside the worker: one file, so that a deploy cannot be caught between the two. All
# of it is one block: wherever a worker is cut off, it is no script, and no browser installs it.
PREFIX, _SUFFIX = b"{self.SITEGEN=", b"}\n"


def asset_ref(path: str, blob: Blob) -> dict[str, Any]:
    """contract.ts: AssetRef."""
    return {"path": path, "bytes": blob.size, "sha256": blob.sha256}


# What isolates a page from other sites, and gives it shared memory (HTML standard, 7.1.3 and 7.1.4); sw.ts says it too.
ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


def worker(
    script: Blob,
    build: str,
    shell: Iterable[str],
    pages: Iterable[str],
    files: Mapping[str, Blob],
    *,
    isolated: bool = False,
) -> Blob:
    """sw.js: what every visit precaches (`shell`) and the pages that can be kept, each with size and SHA-256.

    Where they are to be `isolated`, the worker adds the headers for that.
    """
    manifest = {
        "build": build,
        "isolated": isolated,
        "shell": [asset_ref(path, files[path]) for path in sorted(shell)],
        # As they stand in addresses, by which the worker knows them.
        "pages": {quote(path): [files[path].size, files[path].sha256] for path in sorted(pages)},
    }
    return Blob.of(PREFIX + _json(manifest) + b";\n" + script.read() + _SUFFIX)


def manifest(script: bytes) -> Any:
    """The manifest at the head of a sw.js; None where it has none, or none that can be read."""
    if not script.startswith(PREFIX):
        return None
    try:
        return json.JSONDecoder().raw_decode(script[len(PREFIX) :].decode("utf-8", "replace"))[0]
    except ValueError:
        return None


# Of the built-in theme's pages, while the style sheet is not there yet.
_COLOUR = "#f6f7f9"


def web_manifest(title: str, description: str, lang: str, icons: Iterable[tuple[str, int, str]]) -> Blob:
    """site.webmanifest; `icons` are paths with their side in pixels and their purpose.

    All addresses are relative, for any sub-path. There is no "id": it would be resolved against the origin, and be the
    same for all sites there; what stands for it is the start address.
    """
    return Blob.of(
        _json(
            {
                "name": title,
                "short_name": title[:30],
                "description": description,
                "lang": lang,
                "start_url": "./index.html",
                "scope": "./",
                "display": "standalone",
                "background_color": _COLOUR,
                "theme_color": _COLOUR,
                "icons": [
                    {"src": path, "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
                    for path, side, purpose in icons
                ],
            }
        )
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
