"""What the manifests list, and what lies in the folder: each file of one must be in the other, whole."""

from __future__ import annotations

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from sitegen import chunks, text
from sitegen.check.folder import REBUILD, WEB_MANIFEST, WORKER, Folder
from sitegen.disk import MARKER
from sitegen.errors import SitegenError

# Files that nothing has to lead to: what browsers, builds and people look for by name.
_KNOWN = {"index.html", "licenses.txt", MARKER, WEB_MANIFEST, WORKER}


@dataclass
class Claims:
    """What is said of one file: who lists it, and as what. A chunk's bytes and hash are those of its payload."""

    by: list[str] = field(default_factory=list)
    whole: dict[tuple[int, str], str] = field(default_factory=dict)
    chunk: dict[tuple[int, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """All that is listed: path -> claims; and of files in chunks, (decoded bytes, encoding, chunks) -> who says so."""

    files: dict[str, Claims]
    payloads: dict[tuple[int, str, tuple[tuple[str, int], ...]], str]


def read(folder: Folder) -> Listed:
    """Reads all manifests: site.json, the worker's, and the JSON of every page."""
    listed = Listed(defaultdict(Claims), {})
    for path, (size, sha256) in _entries(folder.marker, "files"):
        listed.files[path].whole[size, sha256] = MARKER
    for path, (size, sha256) in _entries(folder.worker, "pages"):
        # The worker knows pages by their addresses.
        _claim(listed, WORKER, unquote(path)).whole[size, sha256] = WORKER
    _walk(listed, WORKER, folder.worker)
    for path, document in folder.documents.items():
        _walk(listed, path, document.config)
    return listed


def faults(folder: Folder, listed: Listed, linked: Set[str]) -> Iterator[SitegenError]:
    """Manifests that cannot be read; files that are missing, damaged, or there for nothing.

    `linked` are the paths that links name.
    """
    yield from _unreadable(folder)
    for path, claims in listed.files.items():
        by = _names(claims.by or [MARKER])
        if path not in folder.files:
            yield SitegenError(f"is missing: {by} says that the site has it", folder.place(path), REBUILD)
        elif why := _damage(folder, path, claims):
            yield SitegenError(why, folder.place(path), REBUILD)
    for (size, encoding, pieces), by in listed.payloads.items():
        if why := _undecoded(folder, size, encoding, pieces):
            yield SitegenError(f"a file that it lists in chunks {why}", folder.place(by), REBUILD)
    for path in folder.files:
        if path in _KNOWN:
            continue
        if path not in listed.files:
            what = "was not written by sitegen build, and would be deployed with the site"
            yield SitegenError(what, folder.place(path), "move it away, or put it beside the page that links to it")
        elif not listed.files[path].by and path not in linked:
            hint = "sitegen build writes no such file: build again"
            yield SitegenError("is there for nothing: no page and no manifest refers to it", folder.place(path), hint)


def _unreadable(folder: Folder) -> Iterator[SitegenError]:
    manifests = {MARKER: folder.marker, WORKER: folder.worker, WEB_MANIFEST: folder.web_manifest}
    for path, value in manifests.items():
        if path == WORKER and folder.retired:
            continue
        if not isinstance(value, dict):
            yield SitegenError("its manifest is missing, or cannot be read", folder.place(path), REBUILD)
    for path in folder.pages:
        config = folder.documents[path].config
        if not isinstance(config, dict) or config.get("page") != path:
            what = "the JSON for its script cannot be read, or is another page's"
            yield SitegenError(what, folder.place(path), "a theme's base.html has to bring {{ config_json }} as it is")


def _damage(folder: Folder, path: str, claims: Claims) -> str | None:
    size = folder.files[path]
    for (expected, sha256), by in claims.whole.items():
        if size != expected:
            return f"is {text.number(size)} bytes long; {by} says {text.number(expected)}"
        if folder.sha256(path) != sha256:
            return f"holds other bytes than {by} says: its SHA-256 is not the one of the build"
    for (expected, name), by in claims.chunk.items():
        file = folder.read(path)
        try:
            piece = chunks.carried(file)
        except ValueError:
            return f"is no chunk as {by} needs it"
        whole = hashlib.sha256(piece).hexdigest() == name and len(piece) == expected
        if not whole or chunks.script(name, piece) != file:
            return f"carries other bytes than {by} needs: their SHA-256 is not the chunk's name"
    return None


def _undecoded(folder: Folder, size: int, encoding: str, pieces: tuple[tuple[str, int], ...]) -> str | None:
    """What is wrong with a file in chunks; nothing where a chunk is missing or damaged, which is said of the chunk."""
    inflater = zlib.decompressobj(-15) if encoding == "deflate-raw" else None
    found = 0
    try:
        for name, _ in pieces:
            piece = chunks.carried(folder.read(chunks.path(name)))
            if hashlib.sha256(piece).hexdigest() != name:
                return None
            found += len(inflater.decompress(piece) if inflater else piece)
    except (OSError, ValueError):
        return None
    except zlib.error:
        return "cannot be inflated"
    return None if found == size else f"is {text.number(found)} bytes long, and not {text.number(size)}"


def _claim(listed: Listed, by: str, path: str) -> Claims:
    claims = listed.files[path]
    if by not in claims.by:
        claims.by.append(by)
    return claims


def _walk(listed: Listed, by: str, value: Any) -> None:
    """Finds contract.ts' AssetRef and FileRef wherever they stand in a manifest."""
    if isinstance(value, list):
        for inner in value:
            _walk(listed, by, inner)
    if not isinstance(value, dict):
        return
    if {"path", "bytes", "sha256"} <= value.keys():
        _claim(listed, by, value["path"]).whole.setdefault((value["bytes"], value["sha256"]), by)
    elif {"bytes", "encoding", "chunks"} <= value.keys():
        pieces = tuple((name, size) for name, size in value["chunks"])
        listed.payloads.setdefault((value["bytes"], value["encoding"], pieces), by)
        for name, size in pieces:
            _claim(listed, by, chunks.path(name)).chunk.setdefault((size, name), by)
    else:
        for inner in value.values():
            _walk(listed, by, inner)


def _entries(manifest: Any, key: str) -> Iterator[tuple[str, tuple[int, str]]]:
    """Path -> [bytes, SHA-256] of a manifest, where it has such."""
    entries = manifest.get(key) if isinstance(manifest, dict) else None
    if isinstance(entries, dict):
        yield from ((path, (entry[0], entry[1])) for path, entry in entries.items())


def _names(by: list[str]) -> str:
    return by[0] if len(by) == 1 else f"{by[0]} (as others do)"
