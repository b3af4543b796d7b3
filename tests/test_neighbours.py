"""Several sites under one origin, one inside another, and other software: none touches the caches of another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen import build
from sitegen.host import Host
from tests.browsers import NAMES, Browser, Tab, click, wait_for
from tests.conftest import make

Get = Callable[[str], Browser]
SITES = ("/a/", "/a/b/", "/b/")
PAGE = "page/index.html"
# Names that are near to those of the site at /a/, and such as others use.
OTHERS = (
    "sitegen|/|models",
    "sitegen|/a|models",
    "sitegen|/a/b|shell|1",
    "sitegen|/A/|shell|1",
    "sitegen|/a/c/|shell|1",
    "sitegen|/a/%7Cshell|shell|1",
    "sitegen",
    "workbox-precache-v2-http://localhost/a/",
    "|/a/|shell|1",
)
CACHES = """(async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
  [name, (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname).sort()]))))()"""


def lay(root: Path, text: str) -> Path:
    """Builds a project whose one page shows a picture, the same in every site."""
    (root / "content").mkdir(parents=True, exist_ok=True)
    (root / "content/page.md").write_text(f"---\ntitle: A page\n---\n{text}\n\n![A picture](p.svg)\n")
    (root / "content/p.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    make(root)
    return root / "output"


def publish(origin: Path, base: str, output: Path) -> None:
    """Copies a site to where it is served, over the one before."""
    shutil.copytree(output, origin / base.strip("/"), dirs_exist_ok=True)


def of(site: str, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """The caches of one site."""
    return {name: paths for name, paths in found.items() if name.split("|")[:2] == ["sitegen", site]}


def visit(tab: Tab, host: Host, site: str) -> None:
    """Opens a site's page and waits until it is kept."""
    tab.goto(f"{host.url}{site[1:]}{PAGE}")
    kept = f"caches.keys().then((k) => k.find((n) => n.startsWith('sitegen|{site}|shell|')))"
    wait_for(tab, f"{kept}.then((n) => n && caches.open(n)).then((c) => c && c.match(location.href))")
    # The note of what is to be kept goes last.
    wait_for(
        tab,
        f"caches.open('sitegen|{site}|models').then((c) => c.match(location.href + '?coming')).then((note) => !note)",
    )


@pytest.mark.parametrize("name", NAMES)
def test_neighbours(name: str, browser: Get, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    for site in SITES:
        publish(origin, site, lay(tmp_path / "projects" / site.strip("/").replace("/", "-"), f"This is {site}."))
    with Host(origin) as host:
        tab = browser(name).new_tab()
        for site in SITES:
            visit(tab, host, site)
        others = (
            f"Promise.all({list(OTHERS)}.map(async (n) => (await caches.open(n)).put('/a/{PAGE}', new Response('x'))))"
        )
        tab.evaluate(others)
        before = tab.evaluate(CACHES)
        # The site at /a/ sees the pages below it, and keeps none of them.
        for site in SITES:
            own = of(site, before)
            assert len(own) == 2
            paths = {path for paths in own.values() for path in paths}
            assert f"{site}{PAGE}" in paths
            assert any(path.startswith(f"{site}files/") for path in paths)
            assert all(path.startswith(site) for path in paths)
        assert not any(path.startswith("/a/b/") for paths in of("/a/", before).values() for path in paths)

        # A new version of the outer site deletes and sweeps, among its own.
        publish(origin, "/a/", lay(tmp_path / "projects/a", "This is the second /a/."))
        tab.goto(f"{host.url}a/{PAGE}")
        click(tab, ".sg-update button")
        wait_for(tab, "document.body?.innerText.includes('the second /a/')")
        wait_for(tab, "caches.keys().then((k) => k.filter((n) => n.startsWith('sitegen|/a/|shell|')).length === 1)")
        after = tab.evaluate(CACHES)
        assert of("/a/", after).keys() != of("/a/", before).keys()
        assert without("/a/", after) == without("/a/", before)

        # So does one that goes.
        project = build.Project.open(tmp_path / "projects/a")
        build.build(project, lambda message: None, retired=True)
        publish(origin, "/a/", project.output.root)
        tab.goto(f"{host.url}a/{PAGE}")
        wait_for(tab, "caches.keys().then((k) => !k.some((n) => n.startsWith('sitegen|/a/|')))")
        wait_for(tab, "JSON.parse(document.getElementById('sitegen-page').textContent).retired")
        assert tab.evaluate(CACHES) == without("/a/", before)
        wait_for(tab, "navigator.serviceWorker.getRegistrations().then((all) => all.length === 2)")

        # The others work without a network as before, each by its own worker.
        host.stop()
        for site in SITES[1:]:
            tab.goto(f"{host.url}{site[1:]}{PAGE}")
            assert f"This is {site}." in tab.evaluate("document.body.innerText")
            assert tab.evaluate("document.querySelector('article img').naturalWidth") == 9
            wait_for(tab, f"new URL(navigator.serviceWorker.controller.scriptURL).pathname === '{site}sw.js'")
        tab.close()


def without(site: str, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """All caches but those of one site."""
    return {name: paths for name, paths in found.items() if name not in of(site, found)}
