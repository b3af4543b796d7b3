"""The panel of a page that can be kept: what it lists, and what its buttons do."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sitegen import text
from sitegen.host import Host
from tests import digits
from tests.browsers import NAMES, Browser, Tab, click, wait_for
from tests.browsers.chromium import Chromium
from tests.conftest import make
from tests.test_media import tone

Get = Callable[[str], Browser]
STATE = "document.querySelector('sitegen-offline')?.dataset.state"
SAID = "document.querySelector('sitegen-offline [role=status]').textContent"


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """The project, to be changed."""
    root = tmp_path / "project"
    shutil.copytree(project, root, symlinks=True)
    return root


@pytest.fixture
def asking(copy: Path) -> Path:
    """A project whose page of digits waits to be asked."""
    page = copy / "content/digits/index.md"
    page.write_text(page.read_text("utf-8").replace("offline: auto", "offline: ask"), "utf-8")
    make(copy)
    return copy


def configuration(page: Path) -> dict[str, Any]:
    """What a built page tells its script."""
    found = re.search(r'id="sitegen-page">([^<]*)<', page.read_text("utf-8"))
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config


def needed(config: dict[str, Any]) -> dict[str, int]:
    """The files that such a page needs besides the site's shell, where there is SIMD: path -> bytes of content."""
    demo = config["demo"]
    files = [demo["engine"]["script"], demo["engine"]["wasm"]["simd"]]
    files += [demo["model"][key] for key in ("graph", "weights", "proof")]
    files += [sample["file"] for sample in demo["samples"]]
    chunks = {f"chunks/{name}.js": size for file in files for name, size in file["chunks"]}
    return chunks | {asset["path"]: asset["bytes"] for asset in config["assets"]}


def stored(tab: Tab, base: str) -> set[str]:
    """The paths in a site's store of kept files."""
    keys = f"caches.open('sitegen|{base}|models').then((c) => c.keys()).then((k) => k.map((r) => r.url))"
    return {url.partition(base)[2] for url in tab.evaluate(keys)}


def test_what_is_listed_is_what_is_kept(browser: Get, asking: Path) -> None:
    needs = needed(configuration(asking / "output" / digits.PAGE))
    assert any(path.startswith("assets/thumbnail-") for path in needs)
    with Host(asking / "output", "/listed/") as host:
        tab = browser("chromium").new_tab()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'not-kept'")
        total = text.size(sum(needs.values()))
        assert tab.evaluate(SAID) == f"{total} to keep on this device"
        click(tab, "sitegen-offline summary")
        wait_for(tab, "document.querySelector('sitegen-offline tfoot tr:last-child td').textContent")
        rows = dict(
            tab.evaluate(
                "[...document.querySelectorAll('sitegen-offline tr')].map((r) => [...r.cells].map((c) => c.innerText))"
            )
        )
        assert rows["Together"] == total
        assert re.fullmatch(r"[\d.]+ [MG]B", rows["Space left for this site"])
        assert {"Engine (2 files)", "Model (2 files)", "Samples (10 files)"} <= set(rows)
        assert len(rows) == 5 + len([path for path in needs if path.startswith("assets/")]) + 1
        click(tab, "[data-action=keep]")
        wait_for(tab, f"{STATE} === 'kept'")
        # The front page has its pictures kept too, but was not visited.
        assert stored(tab, "/listed/") == set(needs)
        tab.close()


class FewChunks:
    """Stalls every chunk but the first three, until it is told to let go."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.holds = True

    def __call__(self, path: str) -> bool:
        if "/chunks/" not in path:
            return False
        if path not in self.first and len(self.first) < 3:
            self.first.append(path)
        return self.holds and path not in self.first


@pytest.mark.parametrize("name", NAMES)
def test_pause_and_resume(name: str, browser: Get, asking: Path) -> None:
    total = text.size(sum(needed(configuration(asking / "output" / digits.PAGE)).values()))
    with Host(asking / "output", "/paused/") as host:
        host.stalled = stalled = FewChunks()
        tab = browser(name).new_tab()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'not-kept'")
        click(tab, "[data-action=keep]")
        count = "document.querySelector('.sg-offline-count').textContent"
        wait_for(tab, f"{count}.endsWith(' of {total}') && !{count}.startsWith('0 B')")
        chunks = "k.filter(({ url }) => url.includes('/chunks/'))"
        wait_for(
            tab, f"caches.open('sitegen|/paused/|models').then((c) => c.keys()).then((k) => {chunks}.length === 3)"
        )
        click(tab, "[data-action=pause]")
        wait_for(tab, f"{STATE} === 'paused'")
        assert re.fullmatch(rf"Paused: .+ of {total} are on this device", tab.evaluate(SAID))
        before = stored(tab, "/paused/") - {f"{digits.PAGE}?coming"}
        assert len([path for path in before if path.startswith("chunks/")]) == 3
        # Said at the next visit, too.
        tab.goto("about:blank")
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'not-kept'")
        assert re.fullmatch(rf"{total} to keep on this device, of which .+ are here", tab.evaluate(SAID))
        stalled.holds = False
        host.requests.clear()
        click(tab, "[data-action=keep]")
        wait_for(tab, f"{STATE} === 'kept'")
        again = {path.removeprefix("/paused/") for path in host.requests}
        assert not before & again
        host.stop()
        tab.goto(host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_that_was_removed_stays_so(name: str, browser: Get, project: Path) -> None:
    """Although it says `offline: auto`."""
    with Host(project / "output", "/removed/") as host:
        tab = browser(name).new_tab()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'kept'")
        click(tab, "[data-action=remove]")
        wait_for(tab, f"{STATE} === 'not-kept'")
        tab.goto("about:blank")
        digits.open_page(tab, host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'not-kept'")
        # The picture of its card is the front page's.
        assert all(path.startswith("assets/thumbnail-") for path in stored(tab, "/removed/"))
        click(tab, "[data-action=keep]")
        wait_for(tab, f"{STATE} === 'kept'")
        tab.goto("about:blank")
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'kept'")
        tab.close()


def test_the_limit_of_the_settings(browser: Get, copy: Path) -> None:
    """Above it pages wait to be asked, those too that only show or play something."""
    settings = copy / "pyproject.toml"
    said = settings.read_text("utf-8")
    settings.write_text(said.replace("[tool.sitegen]\n", '[tool.sitegen]\noffline_limit = "500 kB"\n'), "utf-8")
    (copy / "content/tone.wav").write_bytes(tone())
    (copy / "content/clip.md").write_text('---\ntitle: A clip\n---\n<audio controls src="tone.wav"></audio>\n', "utf-8")
    make(copy)
    with Host(copy / "output", "/limit/") as host:
        tab = browser("chromium").new_tab()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'kept'")
        tab.goto(host.url + "clip/index.html")
        wait_for(tab, f"{STATE} === 'not-kept'")
        assert tab.evaluate(SAID) == "640 kB to keep on this device"
        click(tab, "[data-action=keep]")
        wait_for(tab, f"{STATE} === 'kept'")
        tab.close()


def test_persistence_is_asked_for_and_not_awaited(project: Path) -> None:
    """Asked when the visitor wants the page kept, never for a mere visit: some browsers ask the visitor in turn."""
    fresh = Chromium()
    try:
        fresh.context.add_init_script(
            "globalThis.asked = 0; navigator.storage.persist = () => { asked += 1; return new Promise(() => {}); }"
        )
        with Host(project / "output") as host:
            tab = fresh.new_tab()
            tab.goto(host.url + digits.PAGE)
            wait_for(tab, f"{STATE} === 'kept'")
            assert tab.evaluate("asked") == 0
            click(tab, "[data-action=remove]")
            click(tab, "[data-action=keep]")
            wait_for(tab, f"{STATE} === 'kept'")
            assert tab.evaluate("asked") == 1
    finally:
        fresh.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_can_be_used_by_anyone(scheme: str, browser: Get, asking: Path) -> None:
    """On a narrow phone, by keyboard, with names for what is not text."""
    chromium = browser("chromium")
    assert isinstance(chromium, Chromium)
    with Host(asking / "output", f"/panel-{scheme}/") as host:
        tab = chromium.new_tab()
        page = tab.page
        page.set_viewport_size({"width": 320, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'not-kept'")
        panel = page.locator("sitegen-offline")
        panel.get_by_text("What is kept").focus()
        page.keyboard.press("Enter")
        assert panel.get_by_role("rowheader", name="Together").is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
        panel.get_by_role("button", name="Keep offline").focus()
        page.keyboard.press("Enter")
        wait_for(tab, f"{STATE} === 'kept'")
        assert panel.get_by_role("status").inner_text().startswith("Kept on this device")
        # Whoever pressed the button is not thrown back to the top of the page.
        assert tab.evaluate("document.activeElement.dataset.action") == "remove"
        assert tab.evaluate("document.querySelector('sitegen-offline progress').ariaLabel") is not None
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_asked_for_goes_on(name: str, browser: Get, asking: Path) -> None:
    """At the next visit, after a new version and another page's removal too, with what had come by then."""
    with Host(asking / "output", "/on/") as host:
        host.stalled = stalled = FewChunks()
        tab = browser(name).new_tab()
        tab.goto(host.url + digits.PAGE)
        click(tab, "[data-action=keep]")
        keys = "caches.open('sitegen|/on/|models').then((c) => c.keys())"
        wait_for(tab, f"{keys}.then((all) => all.filter((r) => r.url.includes('chunks')).length === 3)")
        before = stored(tab, "/on/")
        tab.goto("about:blank")
        stalled.holds = False
        (asking / "content/more.md").write_text("---\ntitle: More\n---\n", "utf-8")
        make(asking)
        # The worker of the new version takes over where nobody is at work, and sweeps.
        tab.goto(host.url + "scenes/index.html")
        wait_for(tab, "navigator.serviceWorker.getRegistration().then((r) => r.waiting || !r.installing)")
        tab.goto("about:blank")
        tab.goto(host.url + "scenes/index.html")
        wait_for(tab, f"{STATE} === 'kept'")
        click(tab, "[data-action=remove]")
        wait_for(tab, f"{STATE} === 'not-kept'")
        assert before <= stored(tab, "/on/")
        host.requests.clear()
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'kept'")
        again = {path.removeprefix("/on/") for path in host.requests}
        assert not {path for path in before if path.startswith("chunks/")} & again
        assert not any(path.endswith("?coming") for path in stored(tab, "/on/"))
        tab.close()


def test_the_front_page_says_what_is_on_the_device(browser: Get, copy: Path) -> None:
    """Of a page that was visited; after it was removed it is as before, also for who comes back by the back button."""
    told = "document.querySelector('.card sitegen-keeping[href$=\"digits/index.html\"]').textContent"
    with Host(copy / "output", "/cards/") as host:
        tab = browser("chromium").new_tab()
        tab.goto(host.url + "index.html")
        assert tab.evaluate(told) == "works offline"
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, f"{STATE} === 'kept'")
        tab.goto(host.url + "index.html")
        wait_for(tab, f"{told} === 'on this device'")
        others = "[...document.querySelectorAll('sitegen-keeping:not([data-kept])')].map((e) => e.textContent)"
        assert set(tab.evaluate(others)) == {"works offline"}
        # By a link, so that there is a way back.
        tab.evaluate("document.querySelector('.card [href$=\"digits/index.html\"]').click()")
        wait_for(tab, f"{STATE} === 'kept'")
        click(tab, "sitegen-offline summary")
        click(tab, "[data-action=remove]")
        wait_for(tab, f"{STATE} === 'not-kept'")
        tab.evaluate("void history.back()")
        wait_for(tab, f"{told} === 'works offline'")
        tab.close()
