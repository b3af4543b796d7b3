"""A static host as dumb as they come, for as long as a page is looked at: files below a base path, and nothing else."""

from __future__ import annotations

import http.server
import io
import threading
from pathlib import Path
from typing import Any


class Host:
    """Serves a folder under a base path on a free port of this machine, until it is stopped."""

    def __init__(self, root: Path, base: str) -> None:
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *given: Any) -> None:
                super().__init__(*given, directory=str(root))

            def translate_path(self, path: str) -> str:
                inside = path.startswith(base)
                return super().translate_path("/" + path[len(base) :] if inside else "/not-below-the-base-path")

            def list_directory(self, path: Any) -> io.BytesIO | None:
                self.send_error(404)
                return None

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A browser that goes away in the middle is nobody's error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}{base}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """From now on nobody answers at this address; connections were ended with each answer."""
        self._server.shutdown()
        self._server.server_close()
