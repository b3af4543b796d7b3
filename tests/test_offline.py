"""The service worker: updates, keeping and removing, and whose caches are whose."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen import build
from sitegen.host import Host
from tests import digits
from tests.browsers import NAMES, Browser, click, wait_for
from tests.conftest import make

Get = Callable[[str], Browser]
STATE = "document.querySelector('sitegen-offline')?.dataset.state"
BUTTON = "sitegen-offline button:not([hidden])"
CACHES = "caches.keys().then((names) => names.sort())"


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """The project, to be changed."""
    root = tmp_path / "project"
    shutil.copytree(project, root, symlinks=True)
    return root


@pytest.mark.parametrize("name", NAMES)
def test_new_version(name: str, browser: Get, copy: Path) -> None:
    with Host(copy / "output", "/site/") as host:
        tab = browser(name).new_tab()
        digits.open_page(tab, host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'kept'")
        tab.evaluate("Promise.all(['/', '/site/sub/'].map((s) => caches.open(`sitegen|${s}|models`)))")
        tab.evaluate("caches.open('other|/site/|shell|1')")
        old = [c for c in tab.evaluate(CACHES) if c.startswith("sitegen|/site/|shell|")]
        assert len(old) == 1
        page = copy / "content/digits/index.md"
        page.write_text(page.read_text("utf-8").replace("Draw one digit, large.", "Draw one big digit."), "utf-8")
        make(copy)
        digits.open_page(tab, host.url + digits.PAGE)
        # The old version as a whole, until the visitor takes the new one.
        assert "Draw one digit, large." in tab.evaluate("document.body.innerText")
        wait_for(tab, "document.querySelector('.sg-update button')")
        click(tab, ".sg-update button")
        wait_for(tab, "document.body?.innerText.includes('Draw one big digit.')")
        wait_for(tab, f"{STATE} === 'kept'")
        new = [c for c in tab.evaluate(CACHES) if c.startswith("sitegen|/site/|shell|")]
        assert len(new) == 1
        assert new != old
        others = {"sitegen|/|models", "sitegen|/site/sub/|models", "other|/site/|shell|1"}
        assert others <= set(tab.evaluate(CACHES))
        host.stop()
        digits.open_page(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        tab.close()


def test_a_name_in_other_letters_is_kept_by_the_next_version(browser: Get, tmp_path: Path) -> None:
    page = tmp_path / "content/größe.md"
    page.parent.mkdir()
    page.write_text("---\ntitle: Größe\n---\nBefore.\n", "utf-8")
    make(tmp_path)
    with Host(tmp_path / "output", "/letters/") as host:
        tab = browser("chromium").new_tab()
        tab.goto(host.url + "größe/index.html")
        wait_for(tab, "caches.match(location.href)")
        page.write_text("---\ntitle: Größe\n---\nAfter.\n", "utf-8")
        make(tmp_path)
        tab.goto(host.url + "größe/index.html")
        click(tab, ".sg-update button")
        wait_for(tab, "document.body?.innerText.includes('After.')")
        host.stop()
        tab.goto(host.url + "größe/index.html")
        assert "After." in tab.evaluate("document.body.innerText")
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_keep_and_remove(name: str, browser: Get, copy: Path) -> None:
    page = copy / "content/digits/index.md"
    page.write_text(page.read_text("utf-8").replace("offline: auto", "offline: ask"), "utf-8")
    make(copy)
    with Host(copy / "output", "/ask/") as host:
        tab = browser(name).new_tab()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'not-kept'")
        # Nobody asked for the model yet: it was not fetched.
        assert tab.evaluate("document.querySelector('sitegen-demo').dataset.state") == "idle"
        assert digits.draw(tab, "7") == "7"
        assert tab.evaluate("caches.open('sitegen|/ask/|models').then((c) => c.keys()).then((k) => k.length)") == 0
        click(tab, BUTTON)
        wait_for(tab, f"{STATE} === 'kept'")
        host.stop()
        tab.goto(host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        wait_for(tab, f"{STATE} === 'kept'")
        click(tab, BUTTON)
        wait_for(tab, f"{STATE} === 'not-kept'")
        # The picture of its card is the front page's.
        left = tab.evaluate(
            "caches.open('sitegen|/ask/|models').then((c) => c.keys()).then((k) => k.map((r) => r.url))"
        )
        assert all("/assets/thumbnail-" in url for url in left)
        tab.goto(host.url + digits.PAGE)
        assert "no network" in tab.evaluate("document.querySelector('h1').textContent")
        tab.close()


def test_two_demos_share(browser: Get, copy: Path) -> None:
    shutil.copytree(copy / "content/digits", copy / "content/again")
    site = make(copy)
    listed = json.loads((copy / "output/site.json").read_text())["files"]
    assert len({blob.sha256 for path, blob in site.files.items() if path.startswith("chunks/")}) == sum(
        path.startswith("chunks/") for path in listed
    )
    with Host(copy / "output", "/two/") as host:
        tab = browser("chromium").new_tab()
        for page in ("digits/index.html", "again/index.html"):
            digits.open_page(tab, host.url + page)
            wait_for(tab, f"{STATE} === 'kept'")
        click(tab, BUTTON)
        wait_for(tab, f"{STATE} === 'not-kept'")
        host.stop()
        # The removed page took nothing that the other one needs.
        digits.open_page(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        tab.close()


def test_nothing_is_cut_off(browser: Get, copy: Path) -> None:
    """A host that serves a chunk cut off: the page says so, nothing of it is kept, and a later try works."""
    # The largest chunk has to be one that this page needs.
    for other in (copy / "content").iterdir():
        if other.is_dir() and other.name != "digits":
            shutil.rmtree(other)
    make(copy)
    chunks = sorted((copy / "output/chunks").iterdir(), key=lambda path: path.stat().st_size)
    whole = chunks[-1].read_bytes()
    chunks[-1].write_bytes(whole[: len(whole) // 2])
    with Host(copy / "output", "/cut/") as host:
        tab = browser("chromium").new_tab()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, "document.querySelector('sitegen-demo').dataset.state === 'failed'")
        assert "could not be loaded" in tab.evaluate("document.querySelector('.sg-status').innerText")
        wait_for(tab, f"{STATE} === 'failed'")
        chunks[-1].write_bytes(whole)
        click(tab, ".sg-status button")
        wait_for(tab, "document.querySelector('sitegen-demo').dataset.state === 'ready'")
        click(tab, BUTTON)
        wait_for(tab, f"{STATE} === 'kept'")
        assert digits.draw(tab, "7") == "7"
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_there_is_without_a_network(name: str, browser: Get, project: Path) -> None:
    """A page that is not kept is stood in for by one that lists those that are, looks as it should, and leads back."""
    with Host(project / "output", "/gone/") as host:
        tab = browser(name).new_tab()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'kept'")
        host.stop()
        tab.goto(host.url + "scenes/index.html")
        wait_for(tab, "document.querySelector('sitegen-kept li a')")
        assert tab.evaluate("document.querySelector('h1').textContent") == "There is no network"
        listed = "[...document.querySelectorAll('sitegen-kept li a')].map((a) => [a.textContent, a.href])"
        assert tab.evaluate(listed) == [["Handwritten digits", host.url + digits.PAGE]]
        assert tab.evaluate("[...document.styleSheets].every((sheet) => sheet.cssRules.length > 0)")
        assert tab.evaluate("document.querySelector('.home img').naturalWidth") > 0
        # The way to what is kept, and to the front page, with the picture of the card.
        click(tab, "sitegen-kept li a")
        wait_for(tab, f"{STATE} === 'kept'")
        assert digits.draw(tab, "7") == "7"
        click(tab, ".home")
        wait_for(tab, "document.querySelector('.card h2 a')")
        shown = "[...document.images].filter((i) => i.closest('.card:has([href$=\"digits/index.html\"])'))[0]"
        wait_for(tab, f"{shown}.naturalWidth > 0")
        # The way back, once there is a network.
        tab.goto(host.url + "scenes/index.html")
        wait_for(tab, "document.querySelector('sitegen-kept li a')")
        with Host(project / "output", "/gone/", port=host.port):
            click(tab, "sitegen-kept p a")
            wait_for(tab, "location.pathname.endsWith('/scenes/index.html')")
            wait_for(tab, "document.querySelector('sitegen-demo')")
        tab.close()


def test_the_way_back_stays_in_the_site(browser: Get, project: Path) -> None:
    with Host(project / "output", "/back/") as host:
        tab = browser("chromium").new_tab()
        for page in ("https%3A%2F%2Fexample.org%2F", "%2Fother%2F", "javascript%3Aalert(1)", "..%2Fother"):
            tab.goto(f"{host.url}offline.html?page={page}")
            wait_for(tab, "document.querySelector('sitegen-kept p')")
            assert tab.evaluate("document.querySelector('sitegen-kept a')") is None
        tab.goto(f"{host.url}offline.html?page=digits%2Findex.html%3Fa%3D1")
        wait_for(tab, "document.querySelector('sitegen-kept a')")
        assert tab.evaluate("document.querySelector('sitegen-kept a').href") == f"{host.url}{digits.PAGE}?a=1"
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_retired_worker(name: str, browser: Get, copy: Path) -> None:
    """Whoever has the old one gets rid of it, and of this site's caches alone, by opening any page, kept or not."""
    for page in (digits.PAGE, "index.html"):
        base = f"/retired/{Path(page).parent.name}x/"
        make(copy)
        with Host(copy / "output", base) as host:
            tab = browser(name).new_tab()
            tab.goto(host.url + digits.PAGE)
            wait_for(tab, f"{STATE} === 'kept'")
            others = ["other", "sitegen|/retired/|models", f"sitegen|{base}sub/|models"]
            tab.evaluate(f"Promise.all({others}.map((name) => caches.open(name)))")
            tab.evaluate(f"localStorage.setItem('sitegen|{base}sub/|models', 'in use')")
            build.build(build.Project.open(copy), lambda message: None, retired=True)
            tab.goto(host.url + page)
            wait_for(
                tab, f"navigator.serviceWorker.getRegistrations().then((r) => !r.some((x) => x.scope === '{host.url}'))"
            )
            ours = f"caches.keys().then((all) => all.filter((name) => name.startsWith('sitegen|{base}|')))"
            wait_for(tab, f"{ours}.then((left) => left.length === 0)")
            # The page that was open shows what the host has now.
            wait_for(tab, "JSON.parse(document.getElementById('sitegen-page').textContent).retired")
            tab.goto("about:blank")
            tab.goto(host.url + digits.PAGE)
            wait_for(tab, f"{STATE} === 'none'")
            assert digits.draw(tab, "7") == "7"
            assert "keeps nothing" in tab.evaluate("document.querySelector('sitegen-offline').innerText")
            assert tab.evaluate("navigator.serviceWorker.controller") is None
            assert tab.evaluate(ours) == []
            assert set(others) <= set(tab.evaluate(CACHES))
            kept = f"Object.keys(localStorage).filter((key) => key.startsWith('sitegen|{base}'))"
            assert tab.evaluate(kept) == [f"sitegen|{base}sub/|models"]
            tab.close()
