"""Opens pages as visitors do, in four ways, and listens to everything that goes wrong meanwhile."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sitegen.check import browser as browsers
from sitegen.check.ears import Ears, Problem
from sitegen.check.folder import Folder
from sitegen.check.result import Opened
from sitegen.errors import SitegenError, first_line
from sitegen.host import Host

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# How people know them -> the base path of a host, or none.
WAYS = {"http": "/", "sub-path": "/some/sub/path/", "offline": "/", "file": None}

_SHOWN = "JSON.parse(document.getElementById('sitegen-page')?.textContent ?? '{}').page"
# The demo's numbers when they are there; asks for them once it listens.
_PROVE = """(() => {
  const demo = document.querySelector('sitegen-demo');
  if (!demo?.dataset.state) return null;
  if (!demo.dataset.proof) demo.dispatchEvent(new Event('sitegen-prove'));
  return ['passed', 'failed', 'none'].includes(demo.dataset.proof) ? {...demo.dataset} : null;
})()"""
# What came of keeping the page; a page without the panel gets one.
_KEEP = """(() => {
  let panel = document.querySelector('sitegen-offline');
  if (!panel) {
    panel = document.createElement('sitegen-offline');
    panel.hidden = true;
    document.body.append(panel);
  }
  const { state } = panel.dataset;
  if (state === 'not-kept') panel.dispatchEvent(new Event('sitegen-keep'));
  const text = panel.querySelector('[role=status]')?.textContent;
  return ['kept', 'none', 'failed'].includes(state) ? {state, text} : null;
})()"""


def all_of(
    folder: Folder, paths: list[str], browser: str, seconds: float, progress: Callable[[str], None]
) -> tuple[dict[str, dict[str, Opened]], list[SitegenError]]:
    """Opens pages in every way; how each went, and what was wrong, each thing once with the ways that it shows in."""
    pages: dict[str, dict[str, Opened]] = {}
    heard: dict[tuple[str, Problem], list[str]] = {}
    with browsers.launched(browser) as running:
        for path in paths:
            pages[path] = {}
            for way in WAYS:
                progress(f"opening {path} ({way})")
                pages[path][way], problems = _opened(running, folder, path, way, seconds)
                for problem in problems:
                    heard.setdefault((path, problem), []).append(way)
    errors = []
    for (path, problem), ways in heard.items():
        inside = problem.file in folder.files and problem.file != path
        place = folder.place(problem.file or path, problem.line) if inside else folder.place(path)
        what = f"{path} ({', '.join(ways)}): {problem.what}" if inside else f"({', '.join(ways)}) {problem.what}"
        errors.append(SitegenError(what, place, problem.hint))
    return pages, errors


class _Wrong(Exception):
    """What ends a visit."""

    def __init__(self, what: str, hint: str | None = None) -> None:
        super().__init__(what)
        self.problem = Problem(what, hint)


class _Visit:
    """One page while it is open, which may take so many seconds in all."""

    def __init__(self, page: Page, path: str, seconds: float) -> None:
        self.page = page
        self._path = path
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def load(self, address: str | None = None) -> None:
        """Loads an address, or again what is there; raises _Wrong where another page is shown."""
        from playwright.sync_api import Error

        try:
            if address is None:
                self.page.reload(timeout=self._left())
            else:
                self.page.goto(address, timeout=self._left())
        except Error as error:
            # A page that is to be isolated loads itself again, which may come in between and is as good.
            if not any(sign in str(error) for sign in ("ABORTED", "interrupted by another navigation")):
                raise
        found = self.until(f"{_SHOWN} ?? ''", "it is not there")
        if found != self._path:
            raise _Wrong(f"{found or 'something else'} is shown in its place")

    def until(self, expression: str, else_: str) -> Any:
        """The value of an expression as soon as it is not null; a page that loads itself again is waited for."""
        from playwright.sync_api import Error

        while True:
            with contextlib.suppress(Error):
                # Of a page whose script never ends, evaluate would wait for ever; this does not.
                self.page.wait_for_selector("html", state="attached", timeout=self._left())
                if (value := self.page.evaluate(expression)) is not None:
                    return value
            if time.monotonic() > self._end:
                raise _Wrong(f"{else_} within {self._seconds:g} seconds", "--seconds gives each page more time")
            self.page.wait_for_timeout(50)

    def _left(self) -> float:
        """Milliseconds."""
        return max(1.0, (self._end - time.monotonic()) * 1000)


def _opened(browser: Browser, folder: Folder, path: str, way: str, seconds: float) -> tuple[Opened, list[Problem]]:
    from playwright.sync_api import Error

    config = folder.documents[path].config
    config = config if isinstance(config, dict) else {}
    if way == "offline" and config.get("offline") == "never":
        return Opened("skipped"), []
    opened = Opened("failed")
    with _served(folder, WAYS[way]) as (base, stop), contextlib.closing(browser.new_context()) as context:
        ears = Ears(context, base)
        visit = _Visit(context.new_page(), path, seconds)
        try:
            visit.load(base + path)
            if way == "offline":
                _keep(visit)
                ears.cut()
                stop()
                visit.load()
            opened = _proven(visit, ears) if config.get("demo") else Opened("ok")
        except _Wrong as wrong:
            ears.add(wrong.problem)
        except Error as error:
            ears.add(Problem(f"cannot be opened: {first_line(error)}"))
        problems = ears.close()
    return replace(opened, state="failed" if problems else opened.state), problems


@contextlib.contextmanager
def _served(folder: Folder, base: str | None) -> Iterator[tuple[str, Callable[[], None]]]:
    """The site's address, and what ends whoever answers there."""
    if base is None:
        yield folder.root.resolve().as_uri() + "/", lambda: None
        return
    host = Host(folder.root, base)
    try:
        yield host.url, host.stop
    finally:
        host.stop()


def _keep(visit: _Visit) -> None:
    """Keeps the page on the device, as its visitor would."""
    found = visit.until(_KEEP, "it is not kept offline")
    if found["state"] != "kept":
        raise _Wrong(f"it is not kept offline: {found['text']}", "every file that it needs has to be there, whole")


def _proven(visit: _Visit, ears: Ears) -> Opened:
    """Has the demo run its golden inputs."""
    found = visit.until(_PROVE, "its demo does not come to a result")
    if found["proof"] == "none":
        return Opened("ok")
    if found.get("proofError"):
        raise _Wrong(f"its demo does not run: {found['proofError'].rstrip('.')}")
    apart = float(found["proofApart"])
    if found["proof"] == "failed":
        off = f"{apart:.0e} off" if math.isfinite(apart) else "far off"
        hint = "sitegen build makes golden numbers and weights that belong together; else it is this browser that errs"
        ears.add(Problem(f"its demo computes other numbers than TensorFlow: {off}", hint))
    return Opened("ok", apart if math.isfinite(apart) else None, float(found["proofMilliseconds"]))
