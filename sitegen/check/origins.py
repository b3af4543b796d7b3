"""What site.json says that the demos come from, held against the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sitegen.check.folder import REBUILD, Folder
from sitegen.disk import MARKER
from sitegen.errors import SitegenError


def faults(folder: Folder) -> Iterator[SitegenError]:
    """Demos that are listed without a page, or not listed, or not as the page has them; tools without a version."""
    if not isinstance(folder.marker, dict):
        return  # which is said of it as a manifest
    place = folder.place(MARKER)
    tools, demos = folder.marker.get("tools"), folder.marker.get("demos")
    if not _versions(tools):
        yield SitegenError("does not say which versions of its tools made the site", place, REBUILD)
    listed = demos if isinstance(demos, dict) else {}
    pages = {path: demo for path, document in folder.documents.items() if (demo := _demo(document.config))}
    for path in sorted(listed.keys() | pages.keys()):
        if path not in pages:
            yield SitegenError(f"lists a demo of {path}, which has none", place, REBUILD)
        elif path not in listed:
            yield SitegenError(f"does not say where the model of {path} comes from", place, REBUILD)
        elif (why := _unlike(listed[path], pages[path])) is not None:
            yield SitegenError(f"says of {path} another {why} than the page", place, REBUILD)


def _versions(tools: Any) -> bool:
    return isinstance(tools, dict) and "tensorflow" in tools and all(isinstance(v, str) for v in tools.values())


def _demo(config: Any) -> dict[str, Any] | None:
    demo = config.get("demo") if isinstance(config, dict) else None
    return demo if isinstance(demo, dict) and isinstance(demo.get("model"), dict) else None


def _unlike(listed: Any, demo: dict[str, Any]) -> str | None:
    """In what a listed demo is not its page's."""
    if not isinstance(listed, dict) or not listed.get("read"):
        return "model"
    model = demo["model"]
    pairs = {
        "task": (listed.get("task"), demo.get("task")),
        "number of parameters": (listed.get("parameters"), model.get("parameters")),
        "scheme of weights": (listed.get("weights"), model.get("quantization")),
    }
    return next((what for what, (said, shown) in pairs.items() if said != shown), None)
