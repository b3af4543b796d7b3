"""Listens to a page, its workers and the service worker: requests, answers, the console, errors that nobody caught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# What is made in the page itself.
_INSIDE = ("data:", "blob:", "about:")
# The last word of net::ERR_ABORTED, NS_BINDING_ABORTED, cancelled.
_BROKEN_OFF = {"aborted", "cancelled"}
# The console's way of telling of a request that failed, which is heard of with its address anyway.
_ECHO = "Failed to load resource"


@dataclass(frozen=True)
class Problem:
    """Something that went wrong; `file` is the site's file that says so, where that is known, with the line in it."""

    what: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None


class Ears:
    """Hears everything of a browser context, from before its first page; `base` is the site's address."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self._base = base
        self._problems: dict[Problem, None] = {}
        self._failed: set[str] = set()
        self._echoes: list[tuple[str, Problem]] = []
        self._open = True
        self._cut = False
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._request_failed)
        context.on("console", self._console)
        context.on("weberror", self._error)

    def add(self, problem: Problem) -> None:
        """Takes down what was found otherwise; each thing once."""
        if self._open:
            self._problems.setdefault(problem)

    def cut(self) -> None:
        """The host is about to go: that the service worker looks for it once more is no fault."""
        self._cut = True

    def close(self) -> list[Problem]:
        """Everything that was heard; what comes later is the sound of closing."""
        for address, problem in self._echoes:
            if address not in self._failed:
                self.add(problem)
        self._open = False
        return list(self._problems)

    def _request(self, request: Request) -> None:
        if not self._own(request.url):
            hint = "put the file beside the page, or into the theme: pages ask nothing of other origins"
            self.add(Problem(f"asks another origin: {request.method} {request.url}", hint))

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._fail(response.request, str(response.status))

    def _request_failed(self, request: Request) -> None:
        why = request.failure or "no answer"
        # Broken off by the browser: the page was loaded again, or enough of a video is known.
        if why.rpartition("_")[2].lower() not in _BROKEN_OFF:
            self._fail(request, why)

    def _fail(self, request: Request, why: str) -> None:
        if self._cut and request.service_worker:
            return
        self._failed.add(request.url)
        if self._own(request.url):
            self.add(
                Problem(
                    f"a request fails: {self._plain(request.url)} ({why})", "every file of the site has to be there"
                )
            )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        where = message.location
        hint = "the browser's console says more where the page is opened"
        address = where.get("url", "")
        file = self._plain(address) if address.startswith(self._base) else None
        problem = Problem(
            f"an error in the console: {self._plain(message.text)}", hint, file, where.get("lineNumber", 0) + 1
        )
        if message.text.startswith(_ECHO):
            self._echoes.append((address, problem))
        else:
            self.add(problem)

    def _error(self, error: WebError) -> None:
        hint = "a script fails: the browser's console says where, when the page is opened"
        self.add(Problem(f"an error that nothing catches: {self._plain(error.error.message)}", hint))

    def _own(self, address: str) -> bool:
        if address.startswith(_INSIDE):
            return True
        one, other = urlsplit(address), urlsplit(self._base)
        return (one.scheme, one.netloc) == (other.scheme, other.netloc)

    def _plain(self, text: str) -> str:
        """Without what is different each time: the site's address."""
        return text.replace(self._base, "")
