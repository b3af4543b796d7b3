"""The digits demo in three browsers: at the root, under a sub-path, by double-click, and with the network gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from sitegen.host import Host
from tests import digits
from tests.browsers import NAMES, Browser, wait_for

Get = Callable[[str], Browser]
KEPT = "document.querySelector('sitegen-offline')?.dataset.state === 'kept'"
CARD = "document.querySelector('.card [href$=\"digits/index.html\"]')"


@pytest.mark.parametrize("base", ["/", "/some/sub/path/"])
@pytest.mark.parametrize("name", NAMES)
def test_online(name: str, base: str, browser: Get, output: Path, project: Path) -> None:
    with Host(output, base) as host:
        tab = browser(name).new_tab()
        digits.open_page(tab, host.url + digits.PAGE)
        digits.check(tab, project / "content/digits")
        wait_for(tab, KEPT)
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_double_click(name: str, browser: Get, output: Path, project: Path, tmp_path: Path) -> None:
    stick = tmp_path / "USB stick (é)"
    shutil.copytree(output, stick)
    tab = browser(name).new_tab()
    tab.goto("file://" + quote(str(stick / "index.html")))
    wait_for(tab, CARD)
    tab.evaluate(f"{CARD}.click()")
    wait_for(tab, "location.pathname.endsWith('digits/index.html') && document.querySelector('sitegen-demo')")
    digits.open_page(tab, "file://" + quote(str(stick / digits.PAGE)))
    digits.check(tab, project / "content/digits")
    assert "without a network" in tab.evaluate("document.querySelector('sitegen-offline').textContent")
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_offline_after_one_visit(name: str, browser: Get, output: Path, project: Path) -> None:
    with Host(output, "/kept/") as host:
        tab = browser(name).new_tab()
        digits.open_page(tab, host.url + digits.PAGE)
        wait_for(tab, KEPT)
        tab.close()
        host.stop()
        tab = browser(name).new_tab()
        digits.open_page(tab, host.url + digits.PAGE)
        digits.check(tab, project / "content/digits")
        wait_for(tab, KEPT)
        tab.goto(host.url)
        assert tab.evaluate(f"{CARD}.textContent") == "Handwritten digits"
        tab.goto(host.url + "never/visited.html")
        assert "no network" in tab.evaluate("document.querySelector('h1').textContent")
        tab.close()
