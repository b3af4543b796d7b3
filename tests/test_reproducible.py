"""The same content gives the same bytes, whatever the folder, the date and the machine's ways."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

# Pages of pictures under `auto`, of a table, and what is beside them.
PAGES = ("digits", "wine", "index.md", "cards.py", "training.py")
# Comes before anything else in every Python process, those of the build's workers too.
LATER = "import time\nreal = time.time\ntime.time = lambda: real() + 400 * 86400\n"


def project(root: Path, younger: float) -> Path:
    """A copy of a part of the repository's project, whose files are so many seconds younger."""
    (root / "content").mkdir(parents=True)
    for name in PAGES:
        source = REPOSITORY / "content" / name
        if source.is_dir():
            shutil.copytree(source, root / "content" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / "content" / name)
    for path in root.rglob("*"):
        times = (path.stat().st_atime - younger, path.stat().st_mtime - younger)
        os.utime(path, times)
    return root


def build(root: Path, later: Path | None, **ways: str) -> subprocess.Popen[str]:
    """A build from nothing, under way; `later` is a folder whose processes live in another year."""
    paths = [str(later)] if later else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, str(REPOSITORY)]), **ways}
    command = [sys.executable, "-m", "sitegen", "build", "--project", str(root)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def sums(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_bytes_on_two_paths_and_dates(tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.mkdir()
    (later / "sitecustomize.py").write_text(LATER)
    one = project(tmp_path / "one", 0)
    other = project(tmp_path / "an other place (é)", 3e7)
    builds = [
        build(one, None, PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="1700000000"),
        build(other, later, PYTHONHASHSEED="2", TZ="Asia/Tokyo", LC_ALL="C", SOURCE_DATE_EPOCH="1"),
    ]
    for each in builds:
        said, _ = each.communicate(timeout=900)
        assert each.returncode == 0, said
    found = sums(one / "output")
    assert len(found) > 20
    assert found == sums(other / "output")
    told = json.loads((one / "output/site.json").read_text())
    assert told["files"].keys() == found.keys() - {"site.json"}
    assert {path: sha256 for path, (_, sha256) in told["files"].items()} == {
        path: found[path] for path in told["files"]
    }
    digits = told["demos"]["digits/index.html"]
    model = (one / "content/digits/digits.keras").read_bytes()
    assert digits["read"] == {"digits.keras": hashlib.sha256(model).hexdigest()}
    assert (digits["model"], digits["license"]) == ("content/digits/digits.keras", "Apache-2.0")
    assert told["tools"].keys() >= {"python", "tensorflow", "keras", "tensorflowjs", "@tensorflow/tfjs-backend-wasm"}
