"""The command as people and scripts call it: what it prints, where, and its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen import build

PAGE = "---\ntitle: A page\n---\nText.\n"
DEMO = "---\ntitle: A demo\ntask: image-classification\nmodel: tiny.keras\nquantize: float16\n---\n"
HERE = Path(__file__).parent


def sitegen(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a project."""
    return subprocess.run(
        [sys.executable, "-m", "sitegen", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )


def nobody_left(group: int) -> bool:
    """Whether all processes of a group end within half a minute."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    return False


@pytest.fixture
def root(tmp_path: Path, shared_cache: Path) -> Path:
    """A project with a page and a demo, whose model may be converted already."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content/a.md").write_text(PAGE)
    (tmp_path / "content/demo.md").write_text(DEMO)
    (tmp_path / "content/tiny.keras").write_bytes((HERE / "models/tiny.keras").read_bytes())
    (tmp_path / build.CACHE_FOLDER).symlink_to(shared_cache)
    return tmp_path


def test_lines_when_piped(root: Path) -> None:
    done = sitegen(root, "build")
    assert done.returncode == 0
    first, last = done.stdout.splitlines()
    assert first == "demo/index.html: image-classification, weights 200 B -> 104 B (float16, 17.3 bits each)"
    assert last.startswith("built output/: 2 pages, ")
    assert "\x1b" not in done.stdout + done.stderr
    again = sitegen(root, "build")
    assert again.stdout.splitlines()[-1].startswith("output/ is up to date: 2 pages, ")
    assert again.stderr == ""


def test_json(root: Path) -> None:
    done = sitegen(root, "build", "--json")
    result = json.loads(done.stdout)
    assert result["ok"] is True
    assert [page["page"] for page in result["pages"]] == ["a/index.html", "demo/index.html"]
    # 48 numbers, halved, and the two integers of the pooling's axes, which stay.
    assert (result["pages"][1]["weight_bytes_before"], result["pages"][1]["weight_bytes"]) == (200, 104)
    assert result["pages"][1]["bits_per_weight"] == pytest.approx(8 * 104 / 48)
    assert [layer[1:] for layer in result["pages"][1]["layers"]] == [[144, 72], [48, 24], [8, 8]]
    (root / "content/a.md").write_text(PAGE.replace("title", "titel"))
    failed = sitegen(root, "build", "--json")
    assert failed.returncode == 1
    errors = json.loads(failed.stdout)["errors"]
    assert errors[1] == {
        "what": 'unknown key "titel"',
        "file": "content/a.md",
        "line": 2,
        "column": 1,
        "hint": 'did you mean "title"?',
    }


def test_author_errors_exit_with_1(root: Path) -> None:
    (root / "content/a.md").write_text("no front matter\n")
    done = sitegen(root, "build")
    assert done.returncode == 1
    assert done.stdout == ""
    # Before that it may say what it converts.
    error, hint, count = done.stderr.splitlines()[-3:]
    assert error == "content/a.md:1:1: the page has no front matter"
    assert hint.startswith("  hint: ")
    assert count == "1 error"


@pytest.mark.parametrize(
    "arguments", [["biuld"], ["build", "--jsn"], ["build", "--project", "nowhere"], ["serve", "-x"]]
)
def test_usage_exits_with_2(root: Path, arguments: list[str]) -> None:
    done = sitegen(root, *arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr


def test_bugs_exit_with_3(root: Path) -> None:
    """A step of the build that breaks in a way nobody foresaw."""
    (root / "sitecustomize.py").write_text("import sitegen.config as c\nc.load = lambda root: 1 / 0\n")
    done = sitegen(root, "build", PYTHONPATH=str(root))
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
    assert "this is a bug in sitegen" in done.stderr


@pytest.fixture
def converting(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A build in the middle of a conversion, leader of a process group of its own."""
    (root / build.CACHE_FOLDER).unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "sitegen", "build"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert "converting" in process.stderr.readline()
    time.sleep(1.5)
    yield process
    process.communicate()


def test_interrupted_exits_with_130(root: Path, converting: subprocess.Popen[str]) -> None:
    """Ctrl-C while a model is converted: nothing is written and no process stays."""
    os.killpg(converting.pid, signal.SIGINT)
    out, err = converting.communicate(timeout=60)
    assert converting.returncode == 130, err
    assert "interrupted" in err
    assert out == ""
    assert not (root / "output").exists()
    assert nobody_left(converting.pid)


def test_a_killed_build_leaves_no_worker(root: Path, converting: subprocess.Popen[str]) -> None:
    converting.kill()
    converting.wait()
    assert nobody_left(converting.pid)
    assert not (root / "output").exists()


def test_a_build_with_nothing_to_do_imports_no_tensorflow(root: Path) -> None:
    sitegen(root, "build")
    done = sitegen(root, "build", PYTHONPROFILEIMPORTTIME="1")
    assert "up to date" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "sitegen.build" in imported
    heavy = {"tensorflow", "keras", "tensorflowjs", "numpy", "PIL.Image", "rich.console", "uvicorn"}
    assert heavy & imported == set()


def test_what_is_shown_on_a_terminal(root: Path) -> None:
    """A spinner while it works and a table at the end, in a real pseudo-terminal."""
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sitegen", "build"],
        cwd=root,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    assert process.wait() == 0
    text = shown.decode()
    assert "demo/index.html" in text
    assert "200 B → 104 B" in text
    assert "built output/: 2 pages" in text


def test_help_names_every_verb() -> None:
    done = sitegen(HERE, "--help")
    for verb in ("build", "check", "serve"):
        assert verb in done.stdout
