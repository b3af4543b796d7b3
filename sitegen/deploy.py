"""A built site onto GitHub Pages: a commit of its files on a branch of their own, and a push.

The project's own branches, index and working tree are left alone. What the branch held before has to be a site of ours;
it becomes the new commit's parent, so that a deploy can be undone, and unchanged files are not sent again.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sitegen import text
from sitegen.disk import MARKER
from sitegen.errors import BuildFailed, Kind, SitegenError, did_you_mean
from sitegen.records import Blob

# Limits of GitHub: of a file that is pushed, and of a published site (docs.github.com, "GitHub Pages limits").
FILE_LIMIT = 100 * 1024 * 1024
SITE_LIMIT = 1_000_000_000
_REMOTE = re.compile(
    r"(?:https?://(?:[^@/]+@)?github\.com/|(?:ssh://)?git@github\.com[:/])(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/?"
)
# Without it GitHub takes what begins with an underscore for its own generator's.
_NO_JEKYLL = ".nojekyll"


@dataclass(frozen=True)
class Deployed:
    """Where the site will be; `commit` is None when it was there already."""

    url: str
    branch: str
    commit: str | None


def address(remote: str) -> str:
    """The address of the pages of a repository on GitHub. Raises SitegenError where it is none."""
    found = _REMOTE.fullmatch(remote)
    if found is None:
        raise SitegenError(f"the remote is not on GitHub: {remote}", hint="name another with --remote")
    owner, name = found["owner"].lower(), found["name"]
    if name.lower() == f"{owner}.github.io":
        return f"https://{owner}.github.io/"
    return f"https://{owner}.github.io/{name}/"


def check(files: Mapping[str, Blob]) -> None:
    """Raises BuildFailed with everything that GitHub would refuse."""
    errors = [
        SitegenError(f"GitHub takes no file over 100 MiB: {path} has {text.size(blob.size)}")
        for path, blob in sorted(files.items())
        if blob.size > FILE_LIMIT
    ]
    whole = sum(blob.size for blob in files.values())
    if whole > SITE_LIMIT:
        what = f"GitHub Pages takes no site over 1 GB: this one is {text.size(whole)}"
        errors.append(SitegenError(what, hint="make models smaller with quantize, or leave some out"))
    if errors:
        raise BuildFailed(errors)


def deploy(project: Path, output: Path, files: Mapping[str, Blob], remote: str, branch: str) -> Deployed:
    """Pushes the site `files`, which lie in `output`, to a branch of a remote. Raises SitegenError, BuildFailed."""
    git = _Git(project)
    url = address(git.remote(remote))
    check(files)
    if git.try_out("rev-parse", "--abbrev-ref", "HEAD") == branch:
        hint = "name another with --branch"
        raise SitegenError(f"{branch} is the branch that the project itself is on", hint=hint)
    parent = git.tip(remote, branch)
    tree = git.tree(output)
    if parent and git.out("rev-parse", f"{parent}^{{tree}}") == tree:
        return Deployed(url, branch, None)
    commit = git.out("commit-tree", tree, *(["-p", parent] if parent else []), "-m", "The site, built by sitegen")
    git.push(remote, commit, branch)
    return Deployed(url, branch, commit)


class _Git:
    """The project's repository."""

    def __init__(self, project: Path) -> None:
        self._project = project
        try:
            self.out("rev-parse", "--git-dir")
        except FileNotFoundError as error:
            raise SitegenError("git is not installed", hint="install git, and put the project under it") from error
        except SitegenError as error:
            hint = "git init, and git remote add origin with the address of a repository on GitHub"
            raise SitegenError(f"{project} is not in a git repository", hint=hint) from error

    def remote(self, name: str) -> str:
        """The address of a remote, as it is written down: git may take another in its place."""
        found = self.try_out("config", "--get", f"remote.{name}.url")
        if found:
            return found
        known = self.out("remote").split()
        hint = did_you_mean(name, known) if known else "git remote add origin ADDRESS"
        raise SitegenError(f'the repository has no remote "{name}"', hint=hint, kind=Kind.USAGE)

    def tip(self, remote: str, branch: str) -> str | None:
        """The commit that the branch is at, if there is one. Raises SitegenError where it is no site of ours."""
        if not self.out("ls-remote", "--heads", remote, f"refs/heads/{branch}"):
            return None
        self.out("fetch", "--quiet", "--no-tags", remote, f"refs/heads/{branch}")
        tip = self.out("rev-parse", "FETCH_HEAD")
        if MARKER not in self.out("ls-tree", "--name-only", tip).split("\n"):
            hint = "name another with --branch, or delete it"
            raise SitegenError(f"the branch {branch} of {remote} holds what sitegen did not put there", hint=hint)
        return tip

    def tree(self, folder: Path) -> str:
        """A tree object of a folder's files, whatever git is told to ignore."""
        with tempfile.TemporaryDirectory(prefix="sitegen-") as aside:
            more = {"GIT_INDEX_FILE": str(Path(aside) / "index"), "GIT_WORK_TREE": str(folder)}
            self.out("-c", "core.autocrlf=false", "add", "--all", "--force", ".", env=more, cwd=folder)
            empty = self.out("hash-object", "-w", "--stdin")
            self.out("update-index", "--add", "--cacheinfo", f"100644,{empty},{_NO_JEKYLL}", env=more)
            return self.out("write-tree", env=more)

    def push(self, remote: str, commit: str, branch: str) -> None:
        """Raises SitegenError, with what git says."""
        self.out("push", "--quiet", remote, f"{commit}:refs/heads/{branch}")

    def try_out(self, *arguments: str) -> str | None:
        """What git prints; None where it fails."""
        try:
            return self.out(*arguments)
        except SitegenError:
            return None

    def out(self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
        """What git prints. Raises SitegenError with what it says where it fails; it asks nobody for passwords."""
        settled = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})}
        if cwd is not None:
            settled["GIT_DIR"] = self.out("rev-parse", "--absolute-git-dir")
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self._project,
            env={**os.environ, **settled},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode:
            said = [line for line in done.stderr.strip().split("\n") if line] or [f"exit code {done.returncode}"]
            raise SitegenError(f"git {arguments[0]} failed: {said[-1]}", hint="\n".join(said[:-1]) or None)
        return done.stdout.strip()
