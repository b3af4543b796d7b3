"""A site of a thousand pages: visitors fetch and keep those that they open, and its worker stays small."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from sitegen import offline
from sitegen.host import Host
from tests.browsers import Browser, click, wait_for
from tests.conftest import make

Get = Callable[[str], Browser]
PAGES = 1000
KEPT = "caches.match(location.href)"


def lay(root: Path, text: str) -> None:
    """Writes and builds it."""
    (root / "content").mkdir(exist_ok=True)
    for n in range(PAGES):
        head = f"---\ntitle: Page {n}\nsummary: One page of a thousand, number {n}.\n---\n"
        (root / f"content/page-{n:04}.md").write_text(f"{head}{text} {n}.\n")
    make(root)


def test_a_thousand_pages(browser: Get, tmp_path: Path) -> None:
    lay(tmp_path, "The text of page")
    output = tmp_path / "output"
    worker = (output / "sw.js").read_bytes()
    # Path, length and hash of each page, half of which is hash, and does not pack.
    assert len(worker) <= 10_000 + 110 * PAGES
    assert len(gzip.compress(worker, 9)) <= 5_000 + 50 * PAGES
    manifest = offline.manifest(worker)
    assert len(manifest["pages"]) == PAGES + 1
    shell = {ref["path"]: ref["bytes"] for ref in manifest["shell"]}
    assert [path for path in shell if path.endswith(".html")] == ["index.html", "offline.html"]
    assert sum(shell.values()) - shell["index.html"] <= 69_500
    with Host(output, "/large/") as host:
        tab = browser("chromium").new_tab()
        tab.goto(host.url + "page-0007/index.html")
        wait_for(tab, KEPT)
        assert {path for path in host.requests if "page-" in path and "assets" not in path} == {
            "/large/page-0007/index.html"
        }
        assert len(host.requests) <= 2 * len(shell) + 5
        # A new version of every page is a new version of the one that is kept.
        lay(tmp_path, "The new text of page")
        host.requests.clear()
        tab.goto(host.url + "page-0007/index.html")
        click(tab, ".sg-update button")
        wait_for(tab, "document.body?.innerText.includes('The new text of page 7.')")
        assert len(host.requests) <= 2 * len(shell) + 5
        host.stop()
        tab.goto(host.url + "page-0007/index.html")
        assert "The new text of page 7." in tab.evaluate("document.body.innerText")
        tab.goto(host.url + "page-0008/index.html")
        wait_for(tab, "document.querySelector('sitegen-kept li a')?.textContent === 'Page 7'")
        tab.goto(host.url + "index.html")
        assert tab.evaluate("document.querySelectorAll('.card').length") == PAGES
        tab.close()
