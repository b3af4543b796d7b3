"""What the service worker and the browser's installer read: sw.js with its manifest, and site.webmanifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sitegen.records import Blob

# The worker's manifest is inside the worker: one file, so that a deploy cannot be caught between the two.
PREFIX = b"self.SITEGEN="


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
        "pages": {path: [files[path].size, files[path].sha256] for path in sorted(pages)},
    }
    return Blob.of(PREFIX + _json(manifest) + b";\n" + script.read())


def web_manifest(title: str, description: str, lang: str, icons: Mapping[str, str]) -> Blob:
    """site.webmanifest; `icons` maps a size such as "192x192" to a path. All relative, for any sub-path."""
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
                "background_color": "#ffffff",
                "theme_color": "#ffffff",
                "icons": [
                    {"src": path, "sizes": size, "type": "image/png", "purpose": "any"} for size, path in icons.items()
                ],
            }
        )
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
