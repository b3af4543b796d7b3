"""Sites with `threads`: pages are isolated by their worker, and run on several cores where that is faster."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route

from sitegen.host import Host
from sitegen.offline import ISOLATION
from tests import digits
from tests.browsers import Browser, Tab, click, wait_for
from tests.browsers.chromium import ChromiumTab
from tests.conftest import make
from tests.test_gpu import FORGE, IDLE, ROWS, SAID, remembered
from tests.test_page import listen
from tests.test_serve import Serving

Get = Callable[[str], Browser]
KEPT = "document.querySelector('sitegen-offline')?.dataset.state === 'kept'"
ISOLATED = "globalThis.crossOriginIsolated"
READY = "document.querySelector('sitegen-demo')?.dataset.state === 'ready'"
MEASURED = f"{IDLE} && {SAID}.startsWith('Measured')"


@pytest.fixture(scope="module")
def threaded(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with `threads`, built. Tests read it; they change copies."""
    root = tmp_path_factory.mktemp("threads") / "project"
    shutil.copytree(project, root, symlinks=True)
    shutil.rmtree(root / "content/scenes", ignore_errors=True)
    switch(root, True)
    return root


@pytest.fixture
def tab(browser: Get) -> Iterator[ChromiumTab]:
    """A tab of Chromium."""
    opened = browser("chromium").new_tab()
    assert isinstance(opened, ChromiumTab)
    yield opened
    opened.close()


def switch(root: Path, on: bool) -> None:
    """Builds the project with threads or without."""
    settings = root / "pyproject.toml"
    text = re.sub(r"threads = \w+\n", "", settings.read_text("utf-8"))
    added = "[tool.sitegen]\nthreads = true\n" if on else "[tool.sitegen]\n"
    settings.write_text(text.replace("[tool.sitegen]\n", added), "utf-8")
    make(root)


def first_visit(tab: Tab, url: str) -> None:
    """Opens the page for the first time: its worker isolates it by loading it once more."""
    tab.goto(url)
    wait_for(tab, f"{ISOLATED} && {READY}")
    assert tab.evaluate("Object.keys(sessionStorage).some((key) => key.endsWith('|isolating'))")


def prefer(tab: Tab, backend: str) -> None:
    """Has the next load start a backend, whichever was faster."""
    tab.evaluate(FORGE % json.dumps(backend))


def threads_of(name: str) -> int:
    """How many threads of browsers that this process has started are called so (Linux)."""
    parents, names = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            parents[int(folder.name)] = int(status.rpartition(")")[2].split()[1])
            names += [(int(folder.name), (task / "comm").read_text().strip()) for task in folder.glob("task/*")]
        except OSError:
            continue

    def ours(process: int) -> bool:
        while process not in (0, os.getpid()):
            process = parents.get(process, 0)
        return process == os.getpid()

    return sum(said.startswith(name) and ours(process) for process, said in names)


@pytest.mark.parametrize("base", ["/", "/some/sub/"])
def test_chromium(tab: ChromiumTab, threaded: Path, base: str) -> None:
    requests, said = listen(tab.page)
    with Host(threaded / "output", base) as host:
        url = host.url + digits.PAGE
        tab.goto(url)
        # It works whether the page is isolated yet or not.
        wait_for(tab, READY)
        wait_for(tab, f"{ISOLATED} && {READY} && {KEPT}")
        assert digits.facts(tab)["backend"] == "wasm-simd"
        assert digits.draw(tab, "7") == "7"
        check_comparison(tab)
        prefer(tab, "wasm-threads")
        digits.open_page(tab, url, "wasm-threads")
        digits.check(tab, threaded / "content/digits")
        assert tab.evaluate(SAID) == ""
        assert said == []
        host.stop()
        digits.open_page(tab, url, "wasm-threads")
        assert tab.evaluate(ISOLATED)
        digits.check(tab, threaded / "content/digits")
    assert said == []
    loads = [address for address in requests if address == url]
    assert len(loads) == 4, "once, and once more to be isolated"


def check_comparison(tab: Tab) -> None:
    """Both were measured without being asked for, no GPU was, and the faster one is in use and remembered."""
    wait_for(tab, MEASURED)
    rows = tab.evaluate(ROWS)
    assert {way: check for way, (_, check) in rows.items()} == {"wasm": "passed", "wasm-threads": "passed"}
    one, several = (float(time.removesuffix(" ms")) for time, _ in rows.values())
    backend = digits.facts(tab)["backend"]
    # As far as the table tells.
    if abs(several - 0.9 * one) > 0.1:
        assert backend == ("wasm-threads" if several < 0.9 * one else "wasm-simd")
    assert remembered(tab) == backend.removesuffix("-simd")


def test_firefox(browser: Get, threaded: Path) -> None:
    tab = browser("firefox").new_tab()
    with Host(threaded / "output", "/threads/") as host:
        url = host.url + digits.PAGE
        first_visit(tab, url)
        wait_for(tab, KEPT)
        assert digits.draw(tab, "7") == "7"
        check_comparison(tab)
        prefer(tab, "wasm-threads")
        digits.open_page(tab, url, "wasm-threads")
        digits.check(tab, threaded / "content/digits")
        host.stop()
        digits.open_page(tab, url, "wasm-threads")
        assert digits.draw(tab, "3") == "3"
    tab.close()


def test_webkit(browser: Get, threaded: Path) -> None:
    """WebKitGTK isolates pages and gives them no shared memory all the same: one thread."""
    tab = browser("webkit").new_tab()
    with Host(threaded / "output", "/threads/") as host:
        first_visit(tab, host.url + digits.PAGE)
        assert tab.evaluate("typeof SharedArrayBuffer") == "undefined"
        wait_for(tab, KEPT)
        assert digits.facts(tab)["backend"] == "wasm-simd"
        digits.check(tab, threaded / "content/digits")
        assert tab.evaluate(SAID) == ""
        host.stop()
        digits.open_page(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
    tab.close()


@pytest.mark.parametrize(("name", "thread"), [("chromium", "DedicatedWorker"), ("firefox", "DOM Worker")])
def test_no_thread_is_left(browser: Get, threaded: Path, name: str, thread: str) -> None:
    tab = browser(name).new_tab()
    with Host(threaded / "output", "/left/") as host:
        first_visit(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        check_comparison(tab)
        prefer(tab, "wasm-threads")
        digits.open_page(tab, host.url + digits.PAGE, "wasm-threads")
        # The page's hold of its engine's worker, seen when it asks for something.
        tab.evaluate(
            "(() => { const { postMessage } = Worker.prototype; Worker.prototype.postMessage = function (...given) {"
            " globalThis.engineWorker = this; postMessage.apply(this, given); }; })()"
        )
        assert digits.draw(tab, "7") == "7"
        before = settled(thread)
        tab.evaluate("engineWorker.terminate()")
        # The browser may end a thread of its own meanwhile.
        assert before - settled(thread) >= min(os.cpu_count() or 1, 4)
    tab.close()


def settled(thread: str) -> int:
    """How many threads of a name there are, once that stays so: browsers take a moment to end one."""
    last, same = threads_of(thread), 0
    for _ in range(100):
        time.sleep(0.1)
        now = threads_of(thread)
        same = same + 1 if now == last else 0
        last = now
        if same == 30:
            break
    return last


# When the visitor begins: while the page's script is on its way, or when its demo is there.
@pytest.mark.parametrize("early", [True, False])
def test_whoever_has_begun_is_not_disturbed(tab: ChromiumTab, threaded: Path, early: bool) -> None:
    held: list[Route] = []
    with Host(threaded / "output", f"/begun-{early}/") as host:
        if early:
            tab.page.route("**/assets/page-*.js", lambda route: held.append(route))
            tab.page.goto(host.url + digits.PAGE, wait_until="commit")
            wait_for(tab, "performance.getEntriesByName('first-contentful-paint').length")
            tab.page.mouse.click(5, 5)
            held[0].continue_()
            tab.page.unroute_all()
        else:
            tab.page.add_init_script(
                "customElements.whenDefined('sitegen-demo').then(() =>"
                " document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true })))"
            )
            tab.goto(host.url + digits.PAGE)
        wait_for(tab, KEPT)
        assert not tab.evaluate(ISOLATED)
        assert digits.draw(tab, "7") == "7"
        assert tab.evaluate("performance.getEntriesByType('navigation')[0].type") == "navigate"
        # The next visit is isolated from the start.
        digits.open_page(tab, host.url + digits.PAGE)
        assert tab.evaluate(ISOLATED)
        assert tab.evaluate("performance.getEntriesByType('navigation')[0].type") == "navigate"


def test_it_is_loaded_again_once(tab: ChromiumTab, threaded: Path) -> None:
    """A host whose pages cannot be isolated, whatever their worker says."""
    requests, _ = listen(tab.page)
    tab.page.add_init_script("Object.defineProperty(globalThis, 'crossOriginIsolated', { value: false })")
    with Host(threaded / "output", "/once/") as host:
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, KEPT)
        wait_for(tab, f"performance.getEntriesByType('navigation')[0].type === 'reload' && {READY} && {KEPT}")
        tab.evaluate("new Promise((done) => setTimeout(done, 1000))")
        assert requests.count(host.url + digits.PAGE) == 2
        assert digits.facts(tab)["backend"] == "wasm-simd"


def test_a_variant_that_fails(tab: ChromiumTab, threaded: Path) -> None:
    """It was chosen, and is damaged: the page goes on with one thread, and tries once more."""
    tab.page.add_init_script(
        "const { Worker: Real } = globalThis; globalThis.workers = 0;"
        "globalThis.Worker = class extends Real { constructor(url) { super(url); workers++; } }"
    )
    with Host(threaded / "output", "/fails/") as host:
        first_visit(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
        check_comparison(tab)
        assert tab.evaluate("workers") == 2
        # A damaged binary: the chunk is whole, so it is the engine that must fail.
        prefer(tab, "wasm-threads")
        (variant,) = [v for v in variants(threaded / "output") if v["backend"] == "wasm-threads"]
        tab.page.add_init_script(
            "const { postMessage } = Worker.prototype;"
            "Worker.prototype.postMessage = function (message, transfer) {"
            f" if (message.files?.wasm.length === {variant['wasm']['bytes']}) message.files.wasm.fill(0);"
            " postMessage.call(this, message, transfer); };"
        )
        digits.open_page(tab, host.url + digits.PAGE, "wasm-simd")
        assert tab.evaluate(SAID).startswith("wasm-threads is no longer used on this device: ")
        assert tab.evaluate("workers") == 2
        assert remembered(tab) is None
        assert digits.draw(tab, "7") == "7"
        wait_for(tab, MEASURED)
        assert tab.evaluate(ROWS)["wasm-threads"][0] == "–"
        assert remembered(tab) == "wasm"
        digits.open_page(tab, host.url + digits.PAGE, "wasm-simd")
        assert digits.draw(tab, "7") == "7"
        assert tab.evaluate("workers") == 1


def test_without_it_again(tab: ChromiumTab, threaded: Path, tmp_path: Path) -> None:
    """A site that is deployed without threads is isolated no more, and leaves nothing of them behind."""
    root = tmp_path / "project"
    shutil.copytree(threaded, root, symlinks=True)
    with Host(root / "output", "/back/") as host:
        first_visit(tab, host.url + digits.PAGE)
        wait_for(tab, KEPT)
        assert digits.draw(tab, "7") == "7"
        check_comparison(tab)
        stored = "caches.open('sitegen|/back/|models').then((c) => c.keys()).then((k) => k.length)"
        before = tab.evaluate(stored)
        switch(root, False)
        tab.goto(host.url + digits.PAGE)
        click(tab, ".sg-update button")
        wait_for(tab, f"!{ISOLATED} && {READY} && {KEPT}")
        assert tab.evaluate(stored) < before
        digits.open_page(tab, host.url + digits.PAGE)
        assert not tab.evaluate(ISOLATED)
        assert digits.draw(tab, "7") == "7"


def variants(site: Path) -> list[dict[str, Any]]:
    """What the page says of the variants of its engine."""
    html = (site / digits.PAGE).read_text("utf-8")
    config = json.loads(re.search(r'id="sitegen-page">([^<]*)<', html)[1])  # type: ignore[index]
    found: list[dict[str, Any]] = config["demo"]["engine"]["variants"]
    return found


def test_files(output: Path, threaded: Path) -> None:
    """Nothing of it is in a site that does not ask for it; where it is, no page has to have it."""
    usual = [v["backend"] for v in variants(output)]
    assert usual == ["webgl", "webgpu"]
    variant, *others = variants(threaded / "output")
    assert variant["backend"] == "wasm-threads"
    assert [v["backend"] for v in others] == usual
    chunks = [chunk for ref in (variant["script"], variant["wasm"]) for chunk, _ in ref["chunks"]]
    for chunk in chunks:
        assert (threaded / f"output/chunks/{chunk}.js").exists()
        assert not (output / f"chunks/{chunk}.js").exists()
    assert b'"isolated":false' in (output / "sw.js").read_bytes()


def test_from_a_file(tab: ChromiumTab, threaded: Path) -> None:
    _, said = listen(tab.page)
    digits.open_page(tab, (threaded / "output" / digits.PAGE).as_uri())
    assert digits.draw(tab, "7") == "7"
    assert tab.evaluate(SAID) == ""
    assert said == []


def test_preview(tab: ChromiumTab, threaded: Path) -> None:
    serving = Serving(threaded)
    try:
        digits.open_page(tab, serving.url + digits.PAGE)
        assert tab.evaluate(ISOLATED)
        answer = tab.page.request.get(serving.url + digits.PAGE)
        assert {name: answer.headers[name.lower()] for name in ISOLATION} == ISOLATION
        assert digits.draw(tab, "7") == "7"
        check_comparison(tab)
    finally:
        serving.stop()
