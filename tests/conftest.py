"""What all tests share."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Test processes that import TensorFlow do as the build's workers do.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TFDF_DISABLE_WELCOME_MESSAGE="1")
# As in the build's own processes.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

from sitegen import build
from sitegen.records import Site
from tests.browsers import Browser, launch

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build cache for the whole run: a model is converted once, whichever test builds with it first."""
    base = tmp_path_factory.getbasetemp()
    # Processes of one run have folders beside one another.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """A folder beside the repository with published models and pictures, which are not ours to ship."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared")
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """A copy of the repository's own project, built into output/. Tests read it; they change copies.

    Pages whose models lie behind addresses are not in it.
    """
    root = tmp_path_factory.mktemp("project")
    # Pages of models that others publish would fetch them; they have tests of their own.
    ignored = shutil.ignore_patterns("__pycache__", "max-*")
    shutil.copytree(REPOSITORY / "content", root / "content", ignore=ignored)
    # Near enough to the model as it was for tests to compare numbers, and made in no time.
    settings = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    (root / "pyproject.toml").write_text(settings.replace("[tool.sitegen]\n", '[tool.sitegen]\nquantize = "float16"\n'))
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    with (shared_cache / "lock").open("w") as lock:
        # The others find in the cache what the first has made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        build.build(build.Project.open(root), lambda message: None, jobs=2)
    return root


@pytest.fixture(scope="session")
def output(project: Path) -> Path:
    """The repository's own site, built."""
    return project / "output"


def make(root: Path) -> Site:
    """Builds a project."""
    return build.build(build.Project.open(root), lambda message: None)[0]


@pytest.fixture(scope="session")
def browser() -> Iterator[Callable[[str], Browser]]:
    """Gives the session's browser of a name, started when it is first asked for."""
    running: dict[str, Browser] = {}

    def get(name: str) -> Browser:
        if name not in running:
            running[name] = launch(name)
        return running[name]

    yield get
    for each in running.values():
        each.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the matrix of faults, whose rows their tests have recorded."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    rows = [value for report in reports for name, value in report.user_properties if name == "matrix"]
    if rows:
        terminalreporter.section("faults")
        terminalreporter.line(
            f"{'browser':9} {'what goes wrong':31} {'visits':>6} {'points':>6} {'alone':>6} {'resumed':>7} "
            f"{'again kB':>8} {'in flight':>9} {'s':>6}"
        )
        for row in sorted(rows):
            terminalreporter.line(str(row))
