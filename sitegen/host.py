"""A static host as plain as they come: files below a base path, an index for a folder, byte ranges, entity tags.

It also fails as asked. A fault is `KIND[@N][xCOUNT]:GLOB`, as in `cut@65536x2:*.js`: what goes wrong, at which byte,
how many times (without COUNT: every time), and with which files, as paths in the site; `*` matches slashes too.
"""

from __future__ import annotations

import contextlib
import fnmatch
import gzip
import hashlib
import http.server
import mimetypes
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from sitegen.errors import Kind, SitegenError
from sitegen.records import Blob

# Kind -> what N is (none, a byte, optional, or signed), and what happens.
KINDS = {
    "cut": ("byte", "the connection is closed at byte N of the body"),
    "short": ("byte", "the body ends at byte N, without Content-Length, as though that were all"),
    "head": ("none", "the connection is closed within the headers"),
    "stall": ("byte", "nothing comes after byte N, and the connection stays open"),
    "corrupt": ("byte", "byte N is another one"),
    "length": ("signed", "Content-Length is wrong by +N or -N bytes"),
    "range": ("none", "a byte range is not the one that its Content-Range says"),
    "norange": ("none", "byte ranges are ignored"),
    "gone": ("optional", "nobody is there: the connection is reset, from the request after the first N on"),
}
_SPEC = re.compile(r"(?P<kind>[a-z]+|\d+)(?:@(?P<at>[+-]?\d+))?(?:x(?P<count>\d+))?:(?P<glob>.+)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".webp": "image/webp"}
_PACKED = {".html", ".css", ".js", ".json", ".wasm", ".svg", ".webmanifest"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with files of a pattern; `kind` is one of KINDS or a status code, `count` None is every time."""

    kind: str
    at: int
    count: int | None
    glob: str

    def __str__(self) -> str:
        needs = KINDS.get(self.kind, ("none",))[0]
        at = {"none": "", "signed": f"@{self.at:+}"}.get(needs, f"@{self.at}")
        return f"{self.kind}{at}{f'x{self.count}' if self.count else ''}:{self.glob}"


def parse(spec: str) -> Fault:
    """A fault as it is written. Raises SitegenError."""
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise _wrong(spec, "it is not KIND[@N][xCOUNT]:GLOB", 'such as "cut@65536:*.js" or "404x2:chunks/*"')
    kind, at, count = found["kind"], found["at"], found["count"]
    if kind.isdigit():
        if not 400 <= int(kind) <= 599:
            raise _wrong(spec, f"{kind} is no status of an error", "400 to 599")
        needs = "none"
    elif kind in KINDS:
        needs = KINDS[kind][0]
    else:
        raise _wrong(spec, f'there is no kind "{kind}"', f"{', '.join(KINDS)}, or a status such as 404")
    if needs == "none" and at is not None:
        raise _wrong(spec, f"{kind} takes no @N", f"{kind}:{found['glob']}")
    if needs in ("byte", "signed") and at is None:
        raise _wrong(spec, f"{kind} needs @N", f"{kind}@{'+' if needs == 'signed' else ''}1000:{found['glob']}")
    if at is not None and (at[0] in "+-") != (needs == "signed"):
        raise _wrong(spec, f"{kind} takes {'+N or -N' if needs == 'signed' else 'N without a sign'}", KINDS[kind][1])
    if count is not None and int(count) == 0:
        raise _wrong(spec, "zero times is never", "leave it out for every time")
    return Fault(kind, int(at or 0), int(count) if count else None, found["glob"])


def _wrong(spec: str, why: str, hint: str) -> SitegenError:
    return SitegenError(f'the fault "{spec}" cannot be: {why}', hint=hint, kind=Kind.USAGE)


def media_type(path: str) -> str:
    """The media type of a file of the site."""
    known = _TYPES.get(PurePosixPath(path).suffix)
    return known or mimetypes.guess_type(path)[0] or "application/octet-stream"


@dataclass(frozen=True)
class Answer:
    """What came of a request: the path in the site, the bytes of the body that were sent, and whether that was all."""

    path: str
    status: int
    sent: int
    whole: bool


class Host:
    """Serves `root`, a folder or a site's files, under `base` until it is stopped; port 0 is any free one.

    `root` may be changed or exchanged meanwhile, as a deploy does, and faults set and cleared. With `packed` it gzips
    what hosts gzip: texts, scripts and WebAssembly. `headers` go along with every answer, which the plainest hosts do
    not offer. `struck` is told of each fault that strikes. Raises OSError when it cannot listen.
    """

    def __init__(
        self,
        root: Path | Mapping[str, Blob],
        base: str = "/",
        port: int = 0,
        packed: bool = False,
        headers: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
        struck: Callable[[Fault, str], None] = lambda fault, path: None,
    ) -> None:
        self.root = root
        self.base = base
        self.packed = packed
        self.headers = dict(headers or {})
        self.requests: list[str] = []
        # Which addresses are not answered for now.
        self.stalled: Callable[[str], bool] = lambda address: False
        self.answers: list[Answer] = []
        self.over = threading.Event()
        self.connections: list[socket.socket] = []
        self._told = struck
        self._faults: tuple[Fault, ...] = ()
        self._seen: Counter[Fault] = Counter()
        self._guard = threading.Lock()

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            request_queue_size = 128
            # A browser that goes away in the middle is nobody's error.
            handle_error = lambda self, request, client_address: None  # noqa: E731

        self._server = Server((address, port), type("Bound", (_Handler,), {"host": self}))
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the site is, on this machine."""
        return f"http://localhost:{self.port}{self.base}"

    def fail(self, *faults: Fault | str) -> None:
        """From now on these go wrong, and nothing else; of several that match a request, the first."""
        parsed = tuple(parse(fault) if isinstance(fault, str) else fault for fault in faults)
        with self._guard:
            self._faults, self._seen = parsed, Counter()

    def fails(self, fault: Fault) -> bool:
        """Whether that fault is still asked for."""
        return fault in self._faults

    def strike(self, path: str, size: int, ranged: bool) -> Fault | None:
        """The fault that this request meets; one with a byte N strikes bodies that are longer than that."""
        with self._guard:
            for fault in self._faults:
                needs = KINDS.get(fault.kind, ("none",))[0]
                if not fnmatch.fnmatchcase(path, fault.glob) or (needs == "byte" and fault.at >= size):
                    continue
                if fault.kind in ("range", "norange") and not ranged:
                    continue
                self._seen[fault] += 1
                nth = self._seen[fault] - (fault.at if fault.kind == "gone" else 0)
                if nth >= 1 and (fault.count is None or nth <= fault.count):
                    self._told(fault, path)
                    return fault
        return None

    def path_of(self, address: str) -> str | None:
        """The path in the site that a request is for, None when it is not below the base path."""
        plain = unquote(re.split(r"[?#]", address)[0])
        if not plain.startswith(self.base):
            return None
        path = plain[len(self.base) :]
        return f"{path}index.html" if path == "" or path.endswith("/") else path

    def read(self, path: str) -> bytes | None:
        """A file of the site, None where there is none."""
        if not isinstance(self.root, Path):
            blob = self.root.get(path)
            return blob.read() if blob else None
        if ".." in path.split("/"):
            return None
        try:
            return (self.root / path).read_bytes()
        except (OSError, ValueError):
            return None

    def stop(self) -> None:
        """Ends it: from now on nobody answers at this address."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        # A connection that is kept alive would go on being answered.
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Heads and bodies are written apart, which would otherwise wait for one another.
    disable_nagle_algorithm = True
    host: Host

    def setup(self) -> None:
        self.host.connections.append(self.request)
        super().setup()

    def do_GET(self) -> None:
        self.host.requests.append(self.path)
        while self.host.stalled(self.path) and not self.host.over.wait(0.02):
            pass
        path = self.host.path_of(self.path)
        if path is None:
            self._say(404)
            return
        try:
            self._answer(path)
        except OSError:
            self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, path: str) -> None:
        host = self.host
        data = host.read(path)
        packed = data is not None and host.packed and PurePosixPath(path).suffix in _PACKED
        if data is not None and packed:
            data = gzip.compress(data, 9, mtime=0)
        asked = self.headers.get("Range")
        fault = host.strike(path, len(data or b""), asked is not None)
        kind = fault.kind if fault else ""
        if kind == "gone":
            # Closing without lingering sends a reset instead of an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.socket(fileno=self.connection.detach()).close()
            self._close(path, 0)
        elif kind == "head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/ja")
            self._close(path, 200)
        elif kind.isdigit():
            self._say(int(kind))
        elif data is None and host.read(f"{path}/index.html") is not None:
            self._say(301, {"Location": f"{host.base}{path}/"})
        elif data is None:
            self._say(404)
        else:
            self._file(path, data, asked if kind != "norange" else None, fault, packed)

    def _close(self, path: str, status: int) -> None:
        self.close_connection = True
        self.host.answers.append(Answer(path, status, 0, False))

    def _say(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        body = f"{status} {self.responses.get(status, ('',))[0]}\n".encode()
        self._head(status, {"Content-Type": "text/plain", "Content-Length": str(len(body)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, **self.host.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _file(self, path: str, data: bytes, asked: str | None, fault: Fault | None, packed: bool) -> None:
        tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        if fault is None and self.headers.get("If-None-Match") == tag:
            self._head(304, {"ETag": tag})
            return
        headers = {"Content-Type": media_type(path), "ETag": tag, "Accept-Ranges": "bytes"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        status, body = 200, data
        part = _part(asked, len(data)) if self.headers.get("If-Range") in (None, tag) else None
        if part is not None:
            first, last = part
            if first > last:
                self._say(416, {"Content-Range": f"bytes */{len(data)}"})
                return
            status, body = 206, data[first : last + 1]
            shift = 1 if fault and fault.kind == "range" else 0
            headers["Content-Range"] = f"bytes {first + shift}-{last + shift}/{len(data)}"
        self._body(path, status, headers, body, fault)

    def _body(self, path: str, status: int, headers: dict[str, str], body: bytes, fault: Fault | None) -> None:
        kind, at = (fault.kind, fault.at) if fault else ("", 0)
        sent = body
        if kind in ("cut", "short", "stall"):
            sent = body[:at]
        elif kind == "corrupt" and at < len(body):
            sent = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        length = len(body) + (at if kind == "length" else 0)
        if kind == "short":
            headers["Connection"] = "close"
        else:
            headers["Content-Length"] = str(max(0, length))
        self._head(status, headers)
        if self.command == "HEAD":
            return
        whole = False
        try:
            self.wfile.write(sent)
            whole = len(sent) == len(body)
        finally:
            self.host.answers.append(Answer(path, status, len(sent), whole))
        if kind in ("cut", "short", "stall", "length"):
            self.close_connection = True
        if kind == "stall" and fault:
            while self.host.fails(fault) and not self.host.over.wait(0.1):
                pass

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _part(asked: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a range (RFC 9110, 14.1.2); one that cannot be given has its first after its last."""
    found = _RANGE.fullmatch(asked or "")
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        return max(0, size - int(found[2])) if int(found[2]) else size, size - 1
    first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    return first, last
