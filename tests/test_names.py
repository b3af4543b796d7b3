"""Names of files in a site: it can be copied to FAT32, exFAT and Windows, and served from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sitegen import names
from sitegen.errors import BuildFailed
from tests.conftest import make


@pytest.mark.parametrize(
    "path",
    [
        "aux",
        "AUX.txt",
        "files/1/nul.tar.gz",
        "con/index.html",
        "lpt9.md",
        "com¹",
        "a?.png",
        "a*b",
        "a:b",
        'a"b',
        "a|b",
        "a\\b",
        "tab\there",
        "100%.png",
        "c#.txt",
        "dot.",
        "space ",
        "folder./a.txt",
        "x" * 256,
        "ü" * 128,
        "/".join(["folder"] * 40),
    ],
)
def test_what_cannot_be_copied_everywhere(path: str) -> None:
    assert names.flaw(path)


@pytest.mark.parametrize(
    "path",
    ["index.html", "auxiliary/index.html", "com10.txt", "größe/a b.png", ".nojekyll", "ü" * 100, "it's (1), [2] & {3}"],
)
def test_what_can(path: str) -> None:
    assert names.flaw(path) is None


def test_clashes() -> None:
    assert list(names.clashes(["a/B.png", "a/b.png"])) == [("a/B.png", "a/b.png")]
    assert list(names.clashes(["caf\u00e9", "cafe\u0301"])) == [("cafe\u0301", "caf\u00e9")]
    assert list(names.clashes(["a", "A/b/c"])) == [("a", "A/b/c")]
    assert list(names.clashes(["a/b", "a/c", "ab"])) == []


def test_every_file_of_a_site(output: Path) -> None:
    paths = [path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()]
    assert len(paths) > 30
    assert [path for path in paths if names.flaw(path)] == []
    assert list(names.clashes(paths)) == []


def test_files_that_no_page_is_to_blame_for(tmp_path: Path) -> None:
    """Of a theme, and of equal content, so that their folder is the same."""
    (tmp_path / "content").mkdir()
    for name in ("A.txt", "a.txt"):
        (tmp_path / "content" / name).write_text("The same.")
    (tmp_path / "content/page.md").write_text("---\ntitle: T\n---\n[One](A.txt), [two](a.txt)\n")
    with pytest.raises(BuildFailed, match=r"files/\w+/A.txt and files/\w+/a.txt cannot both be there"):
        make(tmp_path)
    (tmp_path / "content/page.md").write_text("---\ntitle: T\n---\n")
    (tmp_path / "themes/default").mkdir(parents=True)
    (tmp_path / "themes/default/a?.png").write_text("x")
    (tmp_path / "themes/default/page.html").write_text(
        '{% extends "default/page.html" %}{% block body %}{{ asset("a?.png") }}{% endblock %}'
    )
    with pytest.raises(BuildFailed, match=r'has a "\?"\n  hint: rename it'):
        make(tmp_path)
