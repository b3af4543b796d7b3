"""A file server that fails as asked: it cuts, stalls, redirects, lies, and forgets how ranges work.

Each path has a list of answers, taken one a request; the last one stays.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Answer = Callable[["Handler"], None]


@dataclass(frozen=True)
class Seen:
    """A request that came; header names are lower case."""

    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class File:
    """An answer with a file, whole unless told otherwise.

    Of the body, `upto` bytes are sent; then the connection is closed (`how="close"`), reset, or left open in silence.
    `length` is the Content-Length to state: None is the true one, -1 none at all.
    """

    data: bytes
    etag: str | None = '"1"'
    modified: str | None = None
    date: str | None = None
    ranges: bool = True
    upto: int | None = None
    how: str = "close"
    length: int | None = None
    chunked: bool = False
    encoding: str | None = None
    # Answers each range as though it began so many bytes later.
    shift: int = 0
    # Takes every If-Range for true.
    credulous: bool = False

    def __call__(self, handler: Handler) -> None:
        start = self._start(handler.headers.get("Range"), handler.headers.get("If-Range"))
        if start is not None and start >= len(self.data):
            handler.send(416, {"Content-Range": f"bytes */{len(self.data)}", "Content-Length": "0"})
            return
        body = self.data[start or 0 :]
        headers = {
            "ETag": self.etag,
            "Last-Modified": self.modified,
            "Date": self.date,
            "Content-Encoding": self.encoding,
            "Transfer-Encoding": "chunked" if self.chunked else None,
            "Content-Length": str(len(body) if self.length is None else self.length),
        }
        if start is not None:
            first = start + self.shift
            headers["Content-Range"] = f"bytes {first}-{len(self.data) - 1}/{len(self.data)}"
        if self.chunked or self.length == -1:
            del headers["Content-Length"]
            headers["Connection"] = "close"
        handler.send(200 if start is None else 206, headers)
        self._send(handler, body)

    def _start(self, asked: str | None, if_range: str | None) -> int | None:
        known = self.credulous or if_range in (None, self.etag, self.modified)
        if asked is None or not self.ranges or not known:
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _send(self, handler: Handler, body: bytes) -> None:
        sent = body if self.upto is None else body[: self.upto]
        handler.write(b"%x\r\n%b\r\n" % (len(sent), sent) if self.chunked and sent else sent)
        if self.upto is None:
            if self.chunked:
                handler.write(b"0\r\n\r\n")
            if self.length is not None:
                handler.close_connection = True
            return
        handler.close_connection = True
        if self.how == "stall":
            handler.faulty.over.wait(30)
        if self.how == "reset":
            # Closing without lingering sends a reset instead of an end.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def status(code: int) -> Answer:
    """An answer without a file."""
    return lambda handler: handler.send(code, {"Content-Length": "0"})


def redirect(target: str) -> Answer:
    """An answer that sends elsewhere."""
    return lambda handler: handler.send(302, {"Location": target, "Content-Length": "0"})


def mute(handler: Handler) -> None:
    """Takes the request and says nothing."""
    handler.close_connection = True
    handler.faulty.over.wait(30)


def hang_up(handler: Handler) -> None:
    """Takes the request and closes."""
    handler.close_connection = True


def babble(handler: Handler) -> None:
    """Speaks something other than HTTP."""
    handler.close_connection = True
    handler.write(b"220 ready when you are\r\n")


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    faulty: Faulty

    def do_GET(self) -> None:
        self.faulty.answer(self)

    def send(self, code: int, headers: dict[str, Any]) -> None:
        """The head of an answer; headers that are None are left out."""
        self.send_response_only(code)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def write(self, data: bytes) -> None:
        """A piece of the body; nobody may be there any more to read it."""
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Faulty:
    """Serves on a free port until it is stopped; with a certificate, over https."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.requests: list[Seen] = []
        self.over = threading.Event()
        self._answers: dict[str, list[Answer]] = {}
        self._guard = threading.Lock()

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            # Clients go away in the middle here: that is what is tested.
            handle_error = lambda self, request, client_address: None  # noqa: E731

        self._server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"faulty": self}))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.origin = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def at(self, path: str, *answers: Answer) -> str:
        """Sets what a path answers; gives its address."""
        self._answers[path] = list(answers)
        return self.origin + path

    def answer(self, handler: Handler) -> None:
        """Called by the handler of each request."""
        with self._guard:
            self.requests.append(Seen(handler.path, {name.lower(): value for name, value in handler.headers.items()}))
            answers = self._answers.get(handler.path, [status(404)])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(handler)

    @property
    def ranges(self) -> list[str | None]:
        """The Range header of each request so far."""
        return [seen.headers.get("range") for seen in self.requests]

    def __enter__(self) -> Faulty:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        with contextlib.suppress(OSError):
            self._server.server_close()
