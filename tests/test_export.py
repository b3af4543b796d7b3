"""A demo in one file, and in an archive: opened by double-click, in every browser."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from sitegen import build, chunks, export
from sitegen.cli import cli
from sitegen.host import Host
from sitegen.records import Site
from tests import digits
from tests.browsers import NAMES, Browser, wait_for
from tests.browsers.chromium import ChromiumTab

Get = Callable[[str], Browser]


@pytest.fixture(scope="module")
def site(project: Path) -> Site:
    return build.make_site(build.Project.open(project), lambda message: None)


@pytest.fixture(scope="module")
def one(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits in one file, in a folder whose name is no address."""
    target = tmp_path_factory.mktemp("mail") / "for you (é) #1?.html"
    export.export(site, export.find(site, "digits"), "html", target)
    return target


@pytest.mark.parametrize("name", NAMES)
def test_one_file(name: str, browser: Get, one: Path, project: Path) -> None:
    tab = browser(name).new_tab()
    digits.open_page(tab, "file://" + quote(str(one)))
    digits.check(tab, project / "content/digits")
    assert "All in this file" in tab.evaluate("document.querySelector('sitegen-offline').textContent")
    tab.close()


def test_one_file_asks_for_nothing(browser: Get, one: Path, project: Path) -> None:
    """By file and from any host: no request, no word in the console, under a policy that allows nothing else."""
    tab = browser("chromium").new_tab()
    assert isinstance(tab, ChromiumTab)
    asked: list[str] = []
    said: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.on("console", lambda message: said.append(message.text))
    digits.open_page(tab, "file://" + quote(str(one)))
    digits.check(tab, project / "content/digits")
    with Host(one.parent) as host:
        digits.open_page(tab, host.url + quote(one.name))
    fetched = [url for url in asked if not url.startswith(("blob:", "data:"))]
    assert len(fetched) == 2, fetched
    assert said == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', one.read_text("utf-8"))
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1]
    assert "self" not in policy[1]
    tab.close()


def test_pieces_and_overhead(site: Site, one: Path) -> None:
    """No piece is longer than WebKit takes quickly, and base64 with its elements costs little more than a third."""
    pieces = re.findall(r"<script[^>]*data-chunk[^>]*>[^<]*</script>\n", one.read_text("utf-8"))
    assert max(map(len, pieces)) <= 384 * 1024 + 200
    bundle = export.find(site, "digits")
    names = set(re.findall(r'data-chunk="(\w+)"', "".join(pieces)))
    assert names < set(bundle.chunks), "variants are left out"
    payload = sum(bundle.chunks[name].size for name in names)
    assert sum(map(len, pieces)) <= 1.36 * payload + 120 * len(pieces)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A demo of 16 MB of weights in one file, and the bytes of what it holds."""
    import keras

    root = tmp_path_factory.mktemp("large")
    (root / "content/large").mkdir(parents=True)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((2048,)), keras.layers.Dense(2048, use_bias=False)])
    model.save(root / "content/large/large.keras")
    (root / "content/large/index.md").write_text(
        "---\ntitle: Large\ntask: tensors\nmodel: large.keras\nquantize: none\n---\n{{ demo }}\n"
    )
    made = build.make_site(build.Project.open(root), lambda message: None)
    bundle = export.find(made, "large")
    export.export(made, bundle, "html", root / "large.html")
    held = [blob for name, blob in bundle.chunks.items() if name not in bundle.spare]
    payload = sum(len(chunks.carried(blob.read())) for blob in held)
    assert bundle.packed.weight_bytes >= 16 << 20
    return root / "large.html", payload


@pytest.mark.parametrize("name", NAMES)
def test_a_large_model_in_one_file(name: str, browser: Get, large: tuple[Path, int]) -> None:
    """It opens, and comes to its golden numbers; all that makes it a page is no more than 36 % of its payload."""
    path, payload = large
    assert path.stat().st_size <= 1.36 * payload
    tab = browser(name).new_tab()
    tab.goto(path.as_uri())
    wait_for(tab, "document.querySelector('sitegen-demo').dataset.state", 60)
    tab.evaluate("document.querySelector('sitegen-demo').dispatchEvent(new Event('sitegen-prove'))")
    wait_for(tab, "document.querySelector('sitegen-demo').dataset.proof === 'passed'", 60)
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_archive_of_a_page(name: str, browser: Get, site: Site, project: Path, tmp_path: Path) -> None:
    target = tmp_path / "digits.zip"
    export.export(site, export.find(site, "digits/index.html"), "zip", target)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    assert folder.name == "handwritten-digits"
    assert {each.name for each in folder.iterdir()} == {"index.html", "README.txt", "licenses.txt", "assets", "chunks"}
    assert "double-click" in (folder / "README.txt").read_text("utf-8-sig")
    tab = browser(name).new_tab()
    digits.open_page(tab, "file://" + quote(str(folder / "index.html")))
    digits.check(tab, project / "content/digits")
    with Host(folder, "/elsewhere/") as host:
        digits.open_page(tab, host.url + "index.html")
        assert "keeps nothing on your device" in tab.evaluate("document.querySelector('sitegen-offline').textContent")
    tab.close()


def test_archive_of_the_site(browser: Get, site: Site, project: Path, tmp_path: Path) -> None:
    target = tmp_path / "site.zip"
    export.export(site, None, "zip", target)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    files = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}
    assert files == {*site.files, "README.txt"}
    tab = browser("chromium").new_tab()
    tab.goto("file://" + quote(str(folder / "index.html")))
    wait_for(tab, "document.querySelector('.card h2 a')")
    digits.open_page(tab, "file://" + quote(str(folder / digits.PAGE)))
    tab.close()


def test_the_same_each_time(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = export.find(site, "content/digits/index.md")
    made = []
    for number in range(2):
        for form in export.FORMS:
            export.export(site, bundle, form, tmp_path / f"{number}.{form}")
        made.append([(tmp_path / f"{number}.{form}").read_bytes() for form in export.FORMS])
    assert made[0] == made[1]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    export.export(site, None, "zip", tmp_path / "dated.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "dated.zip").read_bytes())) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(2023, 11, 14)}


def test_what_cannot_be(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear error, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.html").write_text("<p>mine</p>")
    (tmp_path / "folder").mkdir()
    cases = {
        ("digitz", "--as", "html"): 'there is no page "digitz"\n  hint: did you mean "digits"?',
        ("--as", "html"): "a whole site does not go into one page",
        ("digits", "--as", "html", "-o", "mine.html"): "mine.html is there already, and no export wrote it",
        ("digits", "--as", "zip", "-o", "folder"): "folder is a folder",
    }
    for arguments, expected in cases.items():
        result = CliRunner().invoke(cli, ["export", *arguments, "--project", str(project)])
        assert result.exit_code in (1, 2)
        assert expected in result.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "mine.html"]
    result = CliRunner().invoke(cli, ["export", "digits", "--as", "html", "--project", str(project)])
    assert result.exit_code == 0
    again = CliRunner().invoke(cli, ["export", "digits", "--as", "html", "--project", str(project)])
    assert again.exit_code == 0, "what an export wrote, an export may write again"
