"""A static host as dumb as they come: files below a base path, an index for a folder, and nothing else."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_PACKED = {".html", ".css", ".js", ".json", ".wasm", ".svg", ".webmanifest"}


class Host:
    """Serves `root` under `base` on a free port until it is stopped; `root` may be changed meanwhile.

    With `packed` it gzips what hosts gzip: texts, scripts and WebAssembly. `headers` go along with every answer, which
    the dumbest hosts do not offer.
    """

    def __init__(
        self,
        root: Path,
        base: str = "/",
        port: int = 0,
        packed: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.root = root
        self.base = base
        self.requests: list[str] = []
        # Which paths are not answered for now.
        self.stalled: Callable[[str], bool] = lambda path: False
        self._connections: list[socket.socket] = []
        host = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                host._connections.append(self.request)
                super().setup()

            def translate_path(self, path: str) -> str:
                plain = urllib.parse.unquote(path.partition("?")[0])
                if not plain.startswith(host.base):
                    return str(host.root / "not-below-the-base-path")
                return str(host.root / plain.removeprefix(host.base))

            def do_GET(self) -> None:
                host.requests.append(self.path)
                while host.stalled(self.path):
                    time.sleep(0.02)
                path = Path(self.translate_path(self.path))
                if packed and path.suffix in _PACKED and path.is_file():
                    self.send_packed(path)
                else:
                    super().do_GET()

            def send_packed(self, path: Path) -> None:
                body = gzip.compress(path.read_bytes(), 9)
                self.send_response(200)
                self.send_header("Content-Type", self.guess_type(str(path)))
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def end_headers(self) -> None:
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                super().end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            # A browser that goes away in the middle is nobody's error.
            handle_error = lambda self, request, address: None  # noqa: E731

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the site is."""
        return f"http://localhost:{self.port}{self.base}"

    def stop(self) -> None:
        """Ends it: from now on nobody answers at this address."""
        self._server.shutdown()
        self._server.server_close()
        # A connection that is kept alive would go on being answered.
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
