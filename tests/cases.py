"""Test cases as files: a whole project and what the build says of it, in one text.

A case is made of sections. A line `=== path` begins a file of the project; `=== path < models/tiny.keras` copies one of
tests/models; `=== path : base64` holds bytes; the last section, `=== expected`, is the whole message or output.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_SECTION = re.compile(r"^=== (\S+)(?: < (\S+)| : (base64))?\n", re.M)


@dataclass(frozen=True)
class Case:
    """A case that was read; `files` gives the content, or the file under tests/ that is copied."""

    path: Path
    files: dict[str, bytes | Path]
    expected: str

    @staticmethod
    def read(path: Path) -> Case:
        """Raises ValueError when the file does not end in an expected section."""
        parts = _SECTION.split(path.read_text("utf-8"))
        files: dict[str, bytes | Path] = {}
        for name, copied, encoding, text in zip(*(parts[i::4] for i in range(1, 5)), strict=True):
            if copied:
                files[name] = HERE / copied
            else:
                files[name] = base64.b64decode(text) if encoding else text.encode()
        expected = files.pop("expected")
        if not isinstance(expected, bytes):
            raise ValueError(f"{path}: no expected section")
        return Case(path, files, expected.decode())

    def lay(self, root: Path) -> Path:
        """Writes the project under `root`."""
        for name, content in self.files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, target)
            else:
                target.write_bytes(content)
        return root

    def check(self, actual: str) -> None:
        """Compares with what is expected; with SITEGEN_UPDATE=1 in the environment, writes it down instead."""
        if os.environ.get("SITEGEN_UPDATE") == "1":
            text = self.path.read_text("utf-8")
            head = text[: text.rindex("=== expected\n")]
            self.path.write_text(head + "=== expected\n" + actual, "utf-8")
            return
        assert actual == self.expected


def named(pattern: str) -> list[Path]:
    """The cases under tests/inputs whose name matches, in order."""
    found = sorted((HERE / "inputs").glob(pattern))
    assert found, f"no case matches {pattern}"
    return found
