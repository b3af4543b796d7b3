"""The digits demo as a site of many small chunks, and a later version of it: what the tests of faults download."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from sitegen import build, chunks, offline
from sitegen.records import Blob, Chunked, Site
from sitegen.steps import Steps
from tests import digits

CHUNK = 16 << 10
OLD, NEW = "Draw one digit, large.", "Draw one big digit."


def versions(project: Path, root: Path) -> tuple[Site, Site]:
    """Two versions: the second has another text, another sample, and another script of its engine."""
    shutil.copytree(project / "content/digits", root / "content/digits")
    shutil.copy(project / "pyproject.toml", root)
    (root / build.CACHE_FOLDER).symlink_to(project / build.CACHE_FOLDER)
    with _cut_small(b""):
        first = build.make_site(build.Project.open(root), lambda message: None)
    page = root / "content/digits/index.md"
    page.write_text(page.read_text("utf-8").replace(OLD, NEW), "utf-8")
    sample = root / "content/digits/samples/3.png"
    with Image.open(sample) as picture:
        changed = picture.convert("L")
    changed.putpixel((0, 0), 254)
    changed.save(sample)
    with _cut_small(b"/* another */"):
        second = build.make_site(build.Project.open(root), lambda message: None)
    return first, second


@contextmanager
def _cut_small(before_scripts: bytes) -> Iterator[None]:
    """The engine and the samples are cut anew, past the cache; weights are small enough as they are."""
    kept, Steps.cut = Steps.cut, lambda self, blob, **_: _cut(blob, before_scripts)  # type: ignore[method-assign]
    whole, chunks.CHUNK_BYTES = chunks.CHUNK_BYTES, CHUNK
    try:
        yield
    finally:
        Steps.cut, chunks.CHUNK_BYTES = kept, whole  # type: ignore[method-assign]


def _cut(blob: Blob, before_scripts: bytes) -> Chunked:
    data = blob.read()
    return chunks.cut(before_scripts + data if data.startswith(b'"use strict"') else data)


def needs(files: Mapping[str, Blob]) -> dict[str, int]:
    """The chunk files that the digits page needs in a browser with SIMD, with their sizes."""
    demo = _config(files)["demo"]
    refs = [demo["engine"]["script"], demo["engine"]["wasm"]["simd"], demo["model"]["graph"], demo["model"]["weights"]]
    refs += [demo["model"]["proof"], *(sample["file"] for sample in demo["samples"])]
    paths = [chunks.path(name) for ref in refs for name, _ in ref["chunks"]]
    return {path: files[path].size for path in paths}


def shell(files: Mapping[str, Blob]) -> dict[str, int]:
    """The site's own files that its worker stores, with their sizes."""
    manifest = offline.manifest(files["sw.js"].read())
    assert manifest
    return {ref["path"]: ref["bytes"] for ref in manifest["shell"]}


def _config(files: Mapping[str, Blob]) -> dict[str, Any]:
    found = re.search(rb'id="sitegen-page">([^<]*)<', files[digits.PAGE].read())
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config
