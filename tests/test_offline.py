"""The service worker: updates, keeping and removing, and whose caches are whose."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen.host import Host
from tests import digits
from tests.browsers import NAMES, Browser, click, wait_for
from tests.conftest import make

Get = Callable[[str], Browser]
STATE = "document.querySelector('sitegen-offline')?.dataset.state"
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
        click(tab, "sitegen-offline button")
        wait_for(tab, f"{STATE} === 'kept'")
        host.stop()
        tab.goto(host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        wait_for(tab, f"{STATE} === 'kept'")
        click(tab, "sitegen-offline button")
        wait_for(tab, f"{STATE} === 'not-kept'")
        assert tab.evaluate("caches.open('sitegen|/ask/|models').then((c) => c.keys()).then((k) => k.length)") == 0
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
        click(tab, "sitegen-offline button")
        wait_for(tab, f"{STATE} === 'not-kept'")
        host.stop()
        # The removed page took nothing that the other one needs.
        digits.open_page(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        tab.close()


def test_nothing_is_cut_off(browser: Get, copy: Path) -> None:
    """A host that serves a chunk cut off: the page says so, nothing of it is kept, and a later try works."""
    # The largest chunk has to be one that this page needs.
    shutil.rmtree(copy / "content/scenes")
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
        click(tab, "sitegen-offline button")
        wait_for(tab, f"{STATE} === 'kept'")
        assert digits.draw(tab, "7") == "7"
        tab.close()
