"""What axe-core finds on the pages: nothing, in both colour schemes, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from axe_playwright_python.sync_playwright import Axe

from sitegen.host import Host
from tests.browsers import Browser, wait_for
from tests.browsers.chromium import ChromiumTab

WAYS = {"desk, light": (1100, "light"), "desk, dark": (1100, "dark"), "phone, light": (360, "light")}
SETTLED = "['ready', undefined].includes(document.querySelector('sitegen-demo')?.dataset.state)"
# The demo has a result, and all that is folded is open.
OPENED = """(async () => {
  document.querySelectorAll('details').forEach((each) => (each.open = true));
  document.querySelector('[data-source=samples]')?.click();
  await new Promise((done) => setTimeout(done, 200));
  document.querySelector('[data-sample]')?.click();
  const { dataset } = document.querySelector('sitegen-demo');
  for (let turn = 0; !dataset.milliseconds && turn < 500; turn++) await new Promise((done) => setTimeout(done, 20));
  return Boolean(dataset.milliseconds);
})()"""


@pytest.mark.parametrize("way", WAYS)
def test_pages(way: str, browser: Callable[[str], Browser], output: Path) -> None:
    width, scheme = WAYS[way]
    tab = cast(ChromiumTab, browser("chromium").new_tab())
    tab.page.set_viewport_size({"width": width, "height": 900})
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    wrong = []
    with Host(output) as host:
        for path in sorted(found.relative_to(output).as_posix() for found in output.rglob("*.html")):
            tab.goto(host.url + path)
            wait_for(tab, SETTLED)
            wrong += [f"{path}: {each}" for each in violations(tab)]
            if tab.evaluate("document.querySelector('sitegen-demo') !== null"):
                assert tab.evaluate(OPENED), path
                wrong += [f"{path}, with a result: {each}" for each in violations(tab)]
    tab.close()
    assert wrong == [], "\n".join(wrong)


def violations(tab: ChromiumTab) -> list[str]:
    """What axe-core holds against a page: rule, impact, and where."""
    found = Axe().run(tab.page).response["violations"]
    return [f"{each['id']} ({each['impact']}): {[node['target'] for node in each['nodes']][:3]}" for each in found]
