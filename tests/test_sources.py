"""Models behind addresses and in archives, through a whole build."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from sitegen import build
from sitegen.errors import BuildFailed
from sitegen.host import Host
from sitegen.records import Site

HERE = Path(__file__).parent
TINY = (HERE / "models/tiny.keras").read_bytes()
PAGE = "---\ntitle: T\ntask: image-classification\nmodel: {source: %s}\nquantize: float16\n---\n"


def page(root: Path, source: str, more: str = "") -> None:
    """Writes the project's one demo, and a page without."""
    (root / "content").mkdir(exist_ok=True)
    (root / "content/demo.md").write_text(PAGE % (source + more))
    (root / "content/text.md").write_text("---\ntitle: Text\n---\n")


def make(root: Path, *, offline: bool = False, strict: bool = False) -> Site:
    """Builds the project."""
    return build.build(build.Project.open(root), lambda message: None, offline=offline, strict=strict)[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty project."""
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the host serves: a model, and archives of it."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "tiny.keras").write_bytes(TINY)
    with zipfile.ZipFile(folder / "one.zip", "w") as archive:
        archive.writestr("release/tiny.keras", TINY)
        archive.writestr("release/README.txt", "read me")
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a/tiny.keras", TINY)
        archive.writestr("b/tiny.keras", TINY)
    (folder / "page.keras").write_text("<!doctype html><p>Please log in")
    return folder


def test_fetched_once_and_locked(root: Path, files: Path) -> None:
    with Host(files) as host:
        address = f"{host.url}tiny.keras"
        page(root, address)
        first = make(root)
        assert make(root).build == first.build
        assert host.requests == ["/tiny.keras"]
    locked = json.loads((root / "sitegen.lock").read_text())["files"]
    assert locked == {address: {"sha256": hashlib.sha256(TINY).hexdigest(), "bytes": len(TINY)}}
    # Nobody answers any more, and nobody has to.
    assert make(root).build == first.build
    assert make(root, offline=True).build == first.build


def test_another_file_than_locked(root: Path, files: Path) -> None:
    with Host(files) as host:
        page(root, f"{host.url}tiny.keras")
        lock = {"version": 1, "files": {f"{host.url}tiny.keras": {"sha256": "0" * 64, "bytes": len(TINY)}}}
        (root / "sitegen.lock").write_text(json.dumps(lock))
        with pytest.raises(BuildFailed) as caught:
            make(root)
        (error,) = caught.value.errors
        assert str(error.where) == "content/demo.md:4:17"
        assert "0" * 64 in error.what
        assert hashlib.sha256(TINY).hexdigest() in error.what


def test_a_web_page_instead(root: Path, files: Path) -> None:
    with Host(files) as host:
        page(root, f"{host.url}page.keras", f", sha256: {'a' * 64}")
        with pytest.raises(BuildFailed, match="a web page"):
            make(root)


@pytest.mark.parametrize("offline", [False, True])
def test_optional(root: Path, offline: bool) -> None:
    page(root, "http://127.0.0.1:9/tiny.keras", ", optional: true")
    site = make(root, offline=offline)
    assert [page.path for page in site.pages] == ["text/index.html"]
    assert "demo/index.html" not in site.files
    (warning,) = site.warnings
    assert warning.startswith("content/demo.md:4:17: the page is left out: ")
    with pytest.raises(BuildFailed):
        make(root, offline=offline, strict=True)


def test_links_to_a_page_that_is_left_out(root: Path) -> None:
    """They become plain text, in the front page too; the others stay."""
    page(root, "http://127.0.0.1:9/tiny.keras", ", optional: true")
    content = root / "content"
    (content / "text.md").write_text("---\ntitle: T\n---\nThe [*demo*](demo.md#how), [more](more.md).\n")
    (content / "more.md").write_text("---\ntitle: M\n---\n")
    (content / "index.md").write_text("---\ntitle: I\n---\n<a class=\"x\" href='demo.md'>A demo</a>, [text](text.md)\n")
    site = make(root, offline=True)
    text, front = (site.files[path].read().decode() for path in ("text/index.html", "index.html"))
    assert 'The <em>demo</em>, <a href="../more/index.html">more</a>.' in text
    assert 'A demo, <a href="text/index.html">text</a>' in front
    assert "demo/index.html" not in text + front
    assert sorted(site.warnings)[1:] == [
        "content/index.md: links to demo/index.html are plain text, as that page is left out",
        "content/text.md: links to demo/index.html are plain text, as that page is left out",
    ]


def test_not_optional(root: Path) -> None:
    page(root, "http://127.0.0.1:9/tiny.keras")
    with pytest.raises(BuildFailed, match=r"^content/demo.md:4:17: "):
        make(root, offline=True)


def test_archives(root: Path, files: Path, shared_cache: Path) -> None:
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    page(root, (files / "one.zip").as_posix())
    plain = make(root)
    with Host(files) as host:
        page(root, f"{host.url}one.zip")
        assert len(make(root).bundles) == len(plain.bundles) == 1
    page(root, (files / "two.zip").as_posix())
    with pytest.raises(BuildFailed, match="member"):
        make(root)
    page(root, (files / "two.zip").as_posix(), ", member: b/tiny.keras")
    assert len(make(root).bundles) == 1
    page(root, (files / "two.zip").as_uri(), ", member: b/tiny.keras")
    assert len(make(root).bundles) == 1
    page(root, (files / "tiny.keras").as_posix(), ", member: x")
    with pytest.raises(BuildFailed, match="is no archive"):
        make(root)


def test_the_hash_of_what_is_in_an_archive(root: Path, files: Path, shared_cache: Path) -> None:
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    hashed = f", member: b/tiny.keras, member_sha512: {hashlib.sha512(TINY).hexdigest()}"
    with Host(files) as host:
        page(root, f"{host.url}two.zip", hashed)
        assert len(make(root).bundles) == 1
    page(root, (files / "two.zip").as_posix(), hashed)
    assert len(make(root).bundles) == 1
    # What can be had and is another is no reason to leave an optional page out.
    page(root, (files / "two.zip").as_posix(), f", member: b/tiny.keras, member_sha512: {'a' * 128}, optional: true")
    with pytest.raises(BuildFailed, match=r"^content/demo.md:4:17: .*!b/tiny.keras: expected sha512 a{128}, got"):
        make(root)
    page(root, (files / "two.zip").as_posix(), f", member: b, member_sha512: {'a' * 128}")
    with pytest.raises(BuildFailed, match="is a folder, and has no hash"):
        make(root)
