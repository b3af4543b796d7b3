"""The preview server: the same build, served from memory, and a browser that follows every save.

A thread builds whenever the project changes (watch.py). What comes of it goes to the open pages as server-sent events
(runtime/src/preview/main.ts): a new build, new style sheets only, or what was wrong. Nothing is written to output/.

With faults it is no preview: the site is served as a static host would (host.py), service worker and all, so that an
author sees what visitors do when things go wrong; what is saved is then a deploy.
"""

from __future__ import annotations

import asyncio
import html
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from sitegen import build, runtime
from sitegen.errors import BuildFailed, Kind, SitegenError
from sitegen.host import Fault, Host, media_type
from sitegen.offline import ISOLATION
from sitegen.records import Site
from sitegen.report import Reporter
from sitegen.watch import Watcher

_FRESH = {"Cache-Control": "no-store"}
# Below this, an idle connection is not yet taken for dead by anything between.
_HEARTBEAT = 15.0


class Preview:
    """What the server shows now: the last site that could be built, and what is wrong since."""

    def __init__(self) -> None:
        self.site: Site | None = None
        self.errors: str | None = None
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def built(self, site: Site) -> None:
        """Takes a new site, and tells the open pages of it. Called by the thread that builds."""
        renamed = renamed_styles(self.site, site) if self.site and self.errors is None else None
        self.site, self.errors = site, None
        self._tell({"kind": "styles", "build": site.build, "renamed": renamed} if renamed else self.state())

    def failed(self, text: str) -> None:
        """Takes what is wrong with the project now."""
        self.errors = text
        self._tell(self.state())

    def state(self) -> dict[str, Any]:
        """What a page is told when it starts to listen."""
        if self.errors is not None or self.site is None:
            return {"kind": "failed", "text": self.errors or ""}
        return {"kind": "ready", "build": self.site.build}

    def _tell(self, message: dict[str, Any]) -> None:
        if self._loop is None:
            return
        for queue in list(self._listeners):
            self._loop.call_soon_threadsafe(queue.put_nowait, message)

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events, without end (HTML standard, 9.2)."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield _event(self.state())
            while True:
                try:
                    yield _event(await asyncio.wait_for(queue.get(), _HEARTBEAT))
                except asyncio.TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._listeners.discard(queue)


def _event(message: dict[str, Any]) -> str:
    return f"data: {json.dumps(message)}\n\n"


def renamed_styles(old: Site, new: Site) -> dict[str, str] | None:
    """Old path -> new path of every style sheet, when nothing but style sheets has changed; else None."""
    before, after = _styles(old), _styles(new)
    if before.keys() != after.keys():
        return None
    renamed = {before[name]: after[name] for name in before if before[name] != after[name]}

    def rest(site: Site) -> dict[str, str]:
        own = {*_styles(site).values(), "sw.js", "site.json"}
        return {path: blob.sha256 for path, blob in site.files.items() if path not in own}

    first, second = rest(old), rest(new)
    if not renamed or first.keys() != second.keys():
        return None
    for path in first:
        if first[path] != second[path]:
            text = old.files[path].read()
            for was, now in renamed.items():
                text = text.replace(was.encode(), now.encode())
            if not path.endswith(".html") or text != new.files[path].read():
                return None
    return renamed


def _styles(site: Site) -> dict[str, str]:
    """Name of each style sheet without its hash -> its path."""
    return {path.rpartition("-")[0]: path for path in site.files if path.endswith(".css")}


def application(preview: Preview, base: str) -> Starlette:
    """The server as an ASGI application; `base` begins and ends with a slash."""
    compiled = runtime.load()

    async def events(_: Request) -> Response:
        return StreamingResponse(preview.events(), media_type="text/event-stream", headers=_FRESH)

    async def own(request: Request) -> Response:
        name = compiled.index[request.path_params["name"]]
        return Response(compiled.read(name).read(), media_type=media_type(name), headers=_FRESH)

    async def page(request: Request) -> Response:
        path = request.path_params["path"]
        if preview.site is None:
            return Response(_broken(base), 500, _FRESH, "text/html")
        if path == "" or path.endswith("/"):
            path += "index.html"
        elif f"{path}/index.html" in preview.site.files:
            return RedirectResponse(f"{base}{path}/")
        return _file(preview.site, path)

    async def elsewhere(_: Request) -> Response:
        return RedirectResponse(base)

    routes = [
        Route("/__sitegen__/events", events),
        Route("/__sitegen__/{name:str}", own),
        Route("/{path:path}", page),
    ]
    mounted = [Mount(base.rstrip("/"), routes=routes)]
    return Starlette(routes=mounted if base == "/" else [*mounted, Route("/", elsewhere)])


def _file(site: Site, path: str) -> Response:
    blob = site.files.get(path)
    if blob is None:
        return Response(f"There is no {path} in this site.\n", 404, _FRESH, "text/plain")
    # No worker serves a preview: the headers that it would add come from here.
    headers = _FRESH | (ISOLATION if site.isolated else {})
    if blob.path is not None:
        return FileResponse(blob.path, headers=headers, media_type=media_type(path))
    return Response(blob.read(), headers=headers, media_type=media_type(path))


def _broken(base: str) -> str:
    """What stands under the overlay while no site could be built yet."""
    escaped = html.escape(base)
    own = f"{escaped}__sitegen__/"
    return (
        f'<!doctype html><html lang="en" data-preview-base="{escaped}" data-preview-broken><meta charset="utf-8">'
        f'<title>The build failed</title><link rel="stylesheet" href="{own}style">'
        f'<script src="{own}preview" defer></script><body></body></html>'
    )


def run(project: build.Project, reporter: Reporter, host: str, port: int, base: str) -> None:
    """Previews until interrupted. Raises SitegenError when the address is taken."""
    base = _slashed(base)
    preview = Preview()
    listening = _listen(host, port)
    with listening, Watcher(project.root, project.settings) as watcher:
        _build(project, preview, reporter)
        args = (lambda: _build(project, preview, reporter), watcher)
        threading.Thread(target=_follow, args=args, daemon=True).start()
        reporter.progress(_serving(host, listening.getsockname()[1], base))
        # Pages listen without end: they are not waited for.
        config = uvicorn.Config(application(preview, base), log_level="warning", timeout_graceful_shutdown=1)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            for worker in multiprocessing.active_children():
                worker.terminate()


def run_faulty(
    project: build.Project, reporter: Reporter, host: str, port: int, base: str, faults: Sequence[Fault]
) -> None:
    """Serves as a static host on which these faults happen, until interrupted. Raises SitegenError."""
    base = _slashed(base)

    def struck(fault: Fault, path: str) -> None:
        reporter.progress(f"{fault} struck {path}")

    def deploy() -> None:
        try:
            site = build.make_site(_reopened(project), reporter.progress)
        except BuildFailed as failed:
            reporter.failed(failed.errors)
            return
        served.root = site.files
        reporter.progress(f"deployed build {site.build}")

    try:
        served = Host({}, base, port, address=host, struck=struck)
    except OSError as error:
        raise _taken(host, port, error) from error
    try:
        with served, Watcher(project.root, project.settings) as watcher:
            served.fail(*faults)
            deploy()
            reporter.progress(_serving(host, served.port, base))
            _follow(deploy, watcher)
    finally:
        for worker in multiprocessing.active_children():
            worker.terminate()


def _slashed(base: str) -> str:
    return f"/{base.strip('/')}/".replace("//", "/")


def _serving(host: str, port: int, base: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"serving http://{shown}:{port}{base} (Ctrl-C ends it)"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _taken(host, port, error) from error
    return listening


def _taken(host: str, port: int, error: OSError) -> SitegenError:
    what = f"cannot listen on {host}, port {port}: {error.strerror}"
    return SitegenError(what, hint="--port 0 takes any free port", kind=Kind.USAGE)


def _follow(rebuild: Callable[[], None], watcher: Watcher) -> None:
    while watcher.wait():
        rebuild()


def _reopened(project: build.Project) -> build.Project:
    """The project with its settings as they are now: they may be what has changed."""
    return replace(build.Project.open(project.root), output=project.output)


def _build(project: build.Project, preview: Preview, reporter: Reporter) -> None:
    began = time.monotonic()
    try:
        site = build.make_site(_reopened(project), reporter.progress, preview=True)
    except BuildFailed as failed:
        reporter.failed(failed.errors)
        preview.failed(str(failed))
        return
    except Exception as error:
        # The preview outlives a bug; the terminal shows all of it.
        import traceback

        reporter.progress(traceback.format_exc())
        preview.failed(f"this is a bug in sitegen: {error!r}\nthe terminal shows where")
        return
    if preview.site is None or preview.site.build != site.build or preview.errors is not None:
        preview.built(site)
        reporter.progress(f"built in {time.monotonic() - began:.1f} s")
