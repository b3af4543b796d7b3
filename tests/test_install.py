"""The site as an application: Chromium finds nothing that keeps it from being installed, at any sub-path."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest
from PIL import Image

from sitegen.errors import BuildFailed
from sitegen.host import Host
from tests import digits
from tests.browsers import Browser, wait_for
from tests.browsers.chromium import Chromium
from tests.conftest import make

Get = Callable[[str], Browser]


@pytest.mark.parametrize("page", ["index.html", digits.PAGE])
@pytest.mark.parametrize("base", ["/", "/some/sub/path/"])
def test_installable(base: str, page: str, browser: Get, output: Path) -> None:
    chromium = browser("chromium")
    assert isinstance(chromium, Chromium)
    with Host(output, base) as host:
        tab = chromium.new_tab()
        tools = chromium.context.new_cdp_session(tab.page)
        tab.goto(host.url + page)
        wait_for(tab, "navigator.serviceWorker.getRegistration().then((r) => r?.active)")
        found = tools.send("Page.getAppManifest")
        assert found["url"] == host.url + "site.webmanifest"
        assert found["errors"] == []
        assert tools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        # Two sites on one origin are two applications.
        assert tools.send("Page.getAppId")["appId"] == host.url + "index.html"
        manifest = json.loads(found["data"])
        assert urljoin(found["url"], manifest["start_url"]) == host.url + "index.html"
        assert urljoin(found["url"], manifest["scope"]) == host.url
        assert {(i["sizes"], i["purpose"]) for i in manifest["icons"]} == {
            (size, purpose) for size in ("192x192", "512x512") for purpose in ("any", "maskable")
        }
        for each in manifest["icons"]:
            with urlopen(urljoin(found["url"], each["src"])) as answer:
                picture = Image.open(io.BytesIO(answer.read()))
            assert f"{picture.width}x{picture.height}" == each["sizes"]
            assert picture.format == "PNG"
            # No shape that a maskable one is cut into may show through.
            opaque = picture.convert("RGBA").getchannel("A").getextrema() == (255, 255)
            assert opaque == (each["purpose"] == "maskable")
            if opaque:
                assert picture.convert("RGB").getpixel((0, 0)) == (34, 81, 209)
        tab.close()


def test_a_theme_with_an_icon_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "content/a.md").write_text("---\ntitle: A page\n---\n")
    own = tmp_path / "themes/default"
    own.mkdir(parents=True)
    (own / "icon-512.png").write_bytes(b"no picture")
    with pytest.raises(BuildFailed, match=r"icon-512.png is no picture\n  hint: a PNG of 512"):
        make(tmp_path)
    Image.new("RGB", (512, 300)).save(own / "icon-512.png")
    with pytest.raises(BuildFailed, match=r"icon-512.png has 512 × 300 pixels"):
        make(tmp_path)
    Image.new("RGB", (512, 512), "green").save(own / "icon-512.png")
    site = make(tmp_path)
    drawn = next(blob for path, blob in site.files.items() if path.startswith("assets/icon-maskable-192"))
    assert Image.open(io.BytesIO(drawn.read())).convert("RGB").getpixel((0, 0)) == (0, 128, 0)
