"""The wheel: built as anybody would, installed elsewhere, and a site made with it in an empty folder, without Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import digits
from tests.browsers import Browser
from tests.conftest import REPOSITORY

HERE = Path(__file__).parent
SOURCES = ("pyproject.toml", "README.md", "sitegen", "themes", "docs", "content")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Fails with what the command printed."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the sources as they are committed: nothing that was compiled or fetched before."""
    source = tmp_path_factory.mktemp("source")
    built = {"node_modules", "dist", "__pycache__"}
    for name in SOURCES:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, source / name, ignore=lambda _, names: built & set(names))
        else:
            shutil.copyfile(REPOSITORY / name, source / name)
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, ".", cwd=source)
    (made,) = folder.glob("*.whl")
    return made


def test_what_is_in_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("themes/default/page.html", "themes/README.md", "starter/digits.keras", "starter/samples/7.png"):
        assert f"sitegen/{name}" in names
    for name in ("runtime.json", "graph.js", "plan.js", "encode.cjs", "record.cjs", "round.cjs", "run.cjs"):
        assert f"sitegen/runtime/dist/{name}" in names
    assert [n for n in names if n.endswith((".ts", ".tsx", ".mjs", "package-lock.json")) or "node_modules" in n] == []
    assert wheel.stat().st_size < 1_630_000


def test_a_site_from_it(wheel: Path, tmp_path: Path, browser: Callable[[str], Browser]) -> None:
    # The dependencies, a gigabyte of them, are those of this environment.
    venv.create(tmp_path / "venv", symlinks=True, system_site_packages=False, with_pip=False)
    python = tmp_path / "venv/bin/python"
    site_packages = next((tmp_path / "venv/lib").glob("python*/site-packages"))
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel, cwd=tmp_path)
    (site_packages / "dependencies.pth").write_text(f"{Path(pytest.__file__).parent.parent}\n")
    project = tmp_path / "project"
    run(python, "-m", "sitegen", "new", "site", project, cwd=tmp_path)
    nothing = tmp_path / "bin"
    nothing.mkdir()
    where = run(python, "-c", "import sitegen; print(sitegen.__file__)", cwd=project).strip()
    assert Path(where).is_relative_to(site_packages)
    said = run(python, "-m", "sitegen", "build", cwd=project, PATH=str(nothing))
    assert "built output/: 2 pages" in said
    tab = browser("chromium").new_tab()
    digits.open_page(tab, (project / "output" / digits.PAGE).as_uri())
    assert digits.draw(tab, "7") == "7"
    tab.close()
