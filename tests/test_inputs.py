"""Every case of tests/inputs: projects with errors, whose whole message is held, and pages, whose HTML is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sitegen import build
from sitegen.errors import BuildFailed
from tests.cases import Case, named


def built(root: Path, shared_cache: Path) -> build.Site:
    """Builds the project with the models that other tests have converted already."""
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    project = build.Project.open(root)
    return build.build(project, lambda message: None)[0]


@pytest.mark.parametrize("path", named("err_*.txt"), ids=lambda path: path.stem)
def test_errors(path: Path, tmp_path: Path, shared_cache: Path) -> None:
    case = Case.read(path)
    root = case.lay(tmp_path)
    with pytest.raises(BuildFailed) as caught:
        built(root, shared_cache)
    case.check(str(caught.value).replace(str(root), "ROOT") + "\n")
    assert not (root / "output").exists()


@pytest.mark.parametrize("path", named("ok_*.txt"), ids=lambda path: path.stem)
def test_pages(path: Path, tmp_path: Path, shared_cache: Path) -> None:
    case = Case.read(path)
    root = case.lay(tmp_path)
    site = built(root, shared_cache)
    pages = [f"--- {page.path}\n{page.body}\n{page.toc}" for page in site.pages]
    case.check(re.sub(r"\n\n+", "\n", "\n".join(pages)).rstrip() + "\n")
