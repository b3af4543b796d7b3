"""A project is begun, and its site pushed to a repository: a bare one on this machine that git takes for GitHub's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sitegen import build, deploy
from sitegen.cli import cli
from sitegen.errors import BuildFailed, SitegenError
from sitegen.host import Host
from sitegen.records import Blob
from tests import digits
from tests.browsers import Browser

REMOTE = "https://github.com/Somebody/demos.git"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def pages(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["deploy", "github-pages", "--project", str(root), *arguments])


@pytest.fixture
def begun(tmp_path: Path, shared_cache: Path) -> Path:
    """A new project under git, whose remote is a bare repository."""
    root = tmp_path / "my-demos"
    result = CliRunner().invoke(cli, ["new", "site", str(root)])
    assert result.exit_code == 0, result.output
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    with (root / "sitegen.toml").open("a") as settings:
        settings.write('\nquantize = "float16"\n')
    git(tmp_path, "init", "--quiet", "--bare", "there.git")
    git(root, "init", "--quiet", "--initial-branch", "main")
    for key, value in {
        "user.name": "Somebody",
        "user.email": "somebody@example.org",
        f"url.{tmp_path / 'there.git'}.insteadOf": REMOTE,
        # Whatever a machine is set to, files arrive as they are.
        "core.autocrlf": "true",
    }.items():
        git(root, "config", key, value)
    git(root, "remote", "add", "origin", REMOTE)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "Begun")
    return root


def test_from_nothing_to_a_page(begun: Path, browser: Callable[[str], Browser], tmp_path: Path) -> None:
    done = pages(begun)
    assert done.exit_code == 0, done.output
    assert "gh-pages: pushed, for https://somebody.github.io/demos/" in done.output
    assert git(begun, "status", "--short") == "", "the project is as it was"
    git(tmp_path, "clone", "--quiet", "--branch", "gh-pages", str(tmp_path / "there.git"), "published")
    built = {path.relative_to(begun / "output").as_posix(): path for path in (begun / "output").rglob("*")}
    files = git(tmp_path / "published", "ls-files").split("\n")
    assert {*files} == {name for name, path in built.items() if path.is_file()} | {".nojekyll"}
    assert all((tmp_path / "published" / name).read_bytes() == built[name].read_bytes() for name in files[1:])
    tab = browser("chromium").new_tab()
    with Host(tmp_path / "published", "/demos/") as host:
        digits.open_page(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
    tab.close()
    # Once more, with and without something new.
    assert "it is there already" in pages(begun).output
    (begun / "content/more.md").write_text("---\ntitle: More\n---\nText.\n")
    assert "pushed" in pages(begun).output
    assert git(tmp_path / "there.git", "rev-list", "--count", "gh-pages") == "2"


def test_what_cannot_be(begun: Path, tmp_path: Path, shared_cache: Path) -> None:
    """One clear error, and nothing is pushed."""
    alone = tmp_path / "alone"
    CliRunner().invoke(cli, ["new", "site", str(alone)])
    (alone / build.CACHE_FOLDER).symlink_to(shared_cache)
    (alone / "sitegen.toml").write_text('quantize = "float16"\n')
    assert "is not in a git repository\n  hint: git init" in pages(alone).output
    assert (
        'the repository has no remote "orign"\n  hint: did you mean "origin"?'
        in pages(begun, "--remote", "orign").output
    )
    git(begun, "remote", "add", "elsewhere", "https://example.org/demos.git")
    assert "the remote is not on GitHub: https://example.org" in pages(begun, "--remote", "elsewhere").output
    assert "main is the branch that the project itself is on" in pages(begun, "--branch", "main").output
    git(begun, "push", "--quiet", "origin", "main:gh-pages")
    assert "gh-pages of origin holds what sitegen did not put there" in pages(begun).output
    assert git(tmp_path / "there.git", "rev-list", "--count", "gh-pages") == "1"
    again = CliRunner().invoke(cli, ["new", "site", str(begun)])
    assert again.exit_code == 2
    assert "is there already" in again.output


def test_what_github_refuses() -> None:
    small = Blob.of(b"x")
    large = Blob("0" * 64, deploy.FILE_LIMIT + 1, data=b"")
    deploy.check({"a": small})
    with pytest.raises(BuildFailed, match="no file over 100 MiB: b has 105 MB"):
        deploy.check({"a": small, "b": large})
    with pytest.raises(BuildFailed, match="no site over 1 GB"):
        deploy.check({str(n): Blob("0" * 64, deploy.FILE_LIMIT, data=b"") for n in range(10)})


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://github.com/Somebody/demos", "https://somebody.github.io/demos/"),
        ("https://token@github.com/somebody/demos.git", "https://somebody.github.io/demos/"),
        ("git@github.com:somebody/Demos.git", "https://somebody.github.io/Demos/"),
        ("ssh://git@github.com/somebody/some.demos.git", "https://somebody.github.io/some.demos/"),
        ("git@github.com:somebody/somebody.github.io.git", "https://somebody.github.io/"),
    ],
)
def test_addresses(remote: str, url: str) -> None:
    assert deploy.address(remote) == url


def test_addresses_elsewhere() -> None:
    with pytest.raises(SitegenError, match="not on GitHub"):
        deploy.address("https://github.com.example.org/a/b")
