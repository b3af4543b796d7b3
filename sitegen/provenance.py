"""site.json: what a site was made of and by what, file by file, so that whoever gets it can tell."""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

import sitegen
from sitegen.records import Blob, Bundle

# Whose versions decide what bytes come out.
_PACKAGES = ("tensorflow", "keras", "tensorflowjs", "numpy", "pillow", "jinja2", "markdown", "zopfli")


def told(
    build: str, versions: Mapping[str, str], bundles: Iterable[Bundle], files: Mapping[str, Blob]
) -> dict[str, Any]:
    """What stands in site.json: `tools` by version, `demos` by page, `files` as [bytes, SHA-256].

    `versions` are those of npm's packages whose code is in the pages. A demo's `model` is the file, folder or address
    that its page names, with the SHA-256 of each file that was read. No date: the same content gives the same bytes.
    """
    return {
        "generator": "sitegen",
        "version": sitegen.__version__,
        "build": build,
        "tools": {**_tools(), **versions},
        "demos": {bundle.page.path: _demo(bundle) for bundle in bundles},
        "files": {path: [blob.size, blob.sha256] for path, blob in sorted(files.items())},
    }


@functools.cache
def _tools() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def _demo(bundle: Bundle) -> dict[str, Any]:
    demo, packed = bundle.page.demo, bundle.packed
    assert demo is not None
    assert demo.model is not None
    return {
        "task": demo.task,
        "model": demo.model.name,
        "read": dict(packed.source),
        "license": demo.license,
        "origin": demo.origin,
        "parameters": packed.parameters,
        "weights": packed.scheme,
    }
