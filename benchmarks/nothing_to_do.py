"""What a build costs when nothing has changed: CPU seconds of the whole process, start of Python included.

    python benchmarks/nothing_to_do.py [PROJECT] [RUNS]

Beside it, in turn, the bare start of Python and the import of pydantic, jinja2 and markdown, which a build needs: the
difference is what sitegen itself does.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "python": ["-c", "pass"],
    "libraries": ["-c", "import click, jinja2, markdown, pydantic, yaml"],
    "sitegen build": ["-m", "sitegen", "build"],
}


def cpu_seconds(arguments: list[str], project: Path) -> float:
    """User and system time of one run of Python, in seconds."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], cwd=project, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Prints minimum and median of each, measured in turn."""
    project = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    cpu_seconds(COMMANDS["sitegen build"], project)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, arguments in COMMANDS.items():
            times[name].append(cpu_seconds(arguments, project))
    for name, measured in times.items():
        print(f"{name:15} min {min(measured):.3f} s, median {statistics.median(measured):.3f} s of CPU")


if __name__ == "__main__":
    main()
