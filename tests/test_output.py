"""The output folder: what is not the build's own is never touched, and whoever is stopped leaves the old one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen import build
from sitegen.disk import Output
from sitegen.errors import BuildFailed
from sitegen.records import Blob
from tests.conftest import make

PAGE = "---\ntitle: A page\n---\nText.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of one page."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content/a.md").write_text(PAGE)
    return tmp_path


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def foreign_folder(root: Path) -> None:
    (root / "output").mkdir()
    (root / "output/thesis.txt").write_text("the only copy")


def foreign_file(root: Path) -> None:
    make(root)
    (root / "output/thesis.txt").write_text("the only copy")


def a_file(root: Path) -> None:
    (root / "output").write_text("the only copy")


def a_link(root: Path) -> None:
    (root / "elsewhere").mkdir()
    (root / "elsewhere/thesis.txt").write_text("the only copy")
    (root / "output").symlink_to(root / "elsewhere")


@pytest.mark.parametrize("lay", [foreign_folder, foreign_file, a_file, a_link])
def test_what_is_not_ours_is_left(root: Path, lay: Callable[[Path], None]) -> None:
    lay(root)
    before = snapshot(root)
    with pytest.raises(BuildFailed) as caught:
        make(root)
    assert "hint: move" in str(caught.value)
    after = snapshot(root)
    assert {name: after[name] for name in before if not name.startswith(".sitegen-cache")} == {
        name: data for name, data in before.items() if not name.startswith(".sitegen-cache")
    }


@pytest.mark.parametrize("folder", [".", "content/.."])
def test_not_over_the_project(root: Path, folder: str) -> None:
    project = build.Project.open(root, root / folder)
    with pytest.raises(BuildFailed, match="holds the project itself"):
        build.build(project, lambda message: None)
    assert (root / "content/a.md").read_text() == PAGE


def test_a_failed_build_leaves_the_old(root: Path) -> None:
    make(root)
    before = snapshot(root / "output")
    (root / "content/a.md").write_text(PAGE.replace("title", "titel"))
    with pytest.raises(BuildFailed):
        make(root)
    assert snapshot(root / "output") == before


def test_pages_that_are_gone_are_gone(root: Path) -> None:
    (root / "content/b.md").write_text(PAGE)
    make(root)
    (root / "content/b.md").unlink()
    make(root)
    assert not (root / "output/b").exists()


def test_nothing_to_do_writes_nothing(root: Path) -> None:
    make(root)
    before = (root / "output").stat().st_ino
    project = build.Project.open(root)
    assert build.build(project, lambda message: None)[1] is False
    assert (root / "output").stat().st_ino == before


def test_a_changed_file_is_mended(root: Path) -> None:
    make(root)
    page = root / "output/a/index.html"
    whole = page.read_bytes()
    page.write_bytes(whole[:-1])
    make(root)
    assert page.read_bytes() == whole


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_build_leaves_the_old(tmp_path: Path, number: signal.Signals) -> None:
    """Killed at any point while it writes, the folder is the old site or the new one, whole."""
    folder = tmp_path / "output"
    sites = [{f"{n}.txt": Blob.of(version * 20_000) for n in range(200)} for version in (b"a", b"b")]
    for files in sites:
        files["site.json"] = Blob.of(
            json.dumps({"generator": "sitegen", "files": {n: [b.size, b.sha256] for n, b in files.items()}}).encode()
        )
    Output(folder, tmp_path).write(sites[0])
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from sitegen.disk import Output; from sitegen.records import Blob\n"
        "old = {p.name: p.read_bytes() for p in Path(sys.argv[2]).iterdir()}\n"
        "new = {n: Blob.of(d.replace(b'a' * 20000, b'b' * 20000)) for n, d in old.items()}\n"
        "print('writing', flush=True); Output(Path(sys.argv[2]), Path(sys.argv[2]).parent).write(new); print('done')"
    )
    repository = str(Path(__file__).resolve().parent.parent)
    for delay in (0.0, 0.004, 0.008, 0.012, 0.016, 0.03, 0.05):
        process = subprocess.Popen(
            [sys.executable, "-c", program, repository, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        time.sleep(delay)
        process.send_signal(number)
        process.wait()
        process.stdout.close()
        contents = {path.read_bytes()[:1] for path in folder.glob("*.txt")}
        assert len(list(folder.glob("*.txt"))) == 200
        assert contents in ({b"a"}, {b"b"})
        Output(folder, tmp_path).write(sites[0])


def test_a_swap_that_was_cut_in_two_is_mended(tmp_path: Path) -> None:
    """Where the system cannot exchange two folders, a build killed between its two renames leaves the old one aside."""
    folder = tmp_path / "output"
    Output(folder, tmp_path).write({"site.json": Blob.of(b'{"generator": "sitegen", "files": {}}')})
    folder.rename(tmp_path / ".output-old")
    Output(folder, tmp_path).check()
    assert (folder / "site.json").exists()


def test_left_overs_are_swept(tmp_path: Path) -> None:
    left = tmp_path / ".output-new-abc"
    left.mkdir()
    os.utime(left, (0, 0))
    young = tmp_path / ".output-new-def"
    young.mkdir()
    Output(tmp_path / "output", tmp_path).check()
    assert not left.exists()
    assert young.exists()


def test_a_lost_cache_costs_only_time(root: Path) -> None:
    first = make(root)
    shutil.rmtree(root / build.CACHE_FOLDER, ignore_errors=True)
    assert make(root).build == first.build


def test_cards_stand_where_pages_say(root: Path) -> None:
    """Those that say nothing come last, by path."""
    for name, order in (("b", "order: 2\n"), ("c", "order: 1\n"), ("d", "")):
        (root / f"content/{name}.md").write_text(f"---\ntitle: Page {name}\n{order}---\n")
    front = make(root).files["index.html"].read().decode()
    assert re.findall(r'<h2><a href="./(\w)/index.html">', front) == ["c", "b", "a", "d"]
