"""What only Chromium is asked: requests, console, keyboard, old machines, colours."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from sitegen.host import Host
from tests import digits
from tests.browsers import Browser, box, click, wait_for
from tests.browsers.chromium import Chromium, ChromiumTab

Get = Callable[[str], Browser]


@pytest.fixture
def tab(browser: Get) -> Iterator[ChromiumTab]:
    """A tab of Chromium."""
    chromium = browser("chromium")
    assert isinstance(chromium, Chromium)
    opened = chromium.new_tab()
    yield opened
    opened.close()


def listen(page: Page) -> tuple[list[str], list[str]]:
    """Addresses asked for, and what the console was told."""
    requests: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    return requests, said


@pytest.mark.parametrize("world", ["http", "file"])
def test_no_request_leaves(tab: ChromiumTab, output: Path, world: str) -> None:
    with Host(output, "/some/sub/path/") as host:
        base = host.url if world == "http" else output.as_uri() + "/"
        requests, said = listen(tab.page)
        tab.goto(base + "index.html")
        digits.open_page(tab, base + digits.PAGE)
        digits.sample_scores(tab)
        outside = [url for url in requests if not url.startswith((base, "blob:", "data:"))]
        assert outside == []
        assert said == []


def test_a_page_is_small(output: Path) -> None:
    """All that the digits page fetches but its weights, gzipped, or deflated as chunks are."""
    html = (output / digits.PAGE).read_text("utf-8")
    config = json.loads(re.search(r'id="sitegen-page">([^<]*)<', html)[1])  # type: ignore[index]
    demo = config["demo"]
    linked = re.findall(r'(?:src|href)="\.\./(assets/[^"]+\.(?:js|css))"', html)
    # The picture of its card is kept with it, for the front page, which shows it.
    own = {asset["path"] for asset in config["assets"] if "/thumbnail-" not in asset["path"]}
    files = {digits.PAGE, *linked, *own}
    assert len(files) >= 5
    chunked = [demo["engine"]["script"], demo["engine"]["wasm"]["simd"], demo["model"]["graph"]]
    chunked += [sample["file"] for sample in demo["samples"]]
    total = sum(len(gzip.compress((output / name).read_bytes(), 9)) for name in files)
    total += sum(size for ref in chunked for _, size in ref["chunks"])
    assert total <= 200 << 10


def test_the_model_is_asked_for_first(tab: ChromiumTab, output: Path) -> None:
    """On a first visit, before the page's script is there; and each file once, on the next visit none."""
    held: list[Route] = []
    tab.page.route("**/assets/page-*.js", lambda route: held.append(route))
    requests, said = listen(tab.page)
    with Host(output, "/early/") as host:
        tab.page.goto(host.url + digits.PAGE, wait_until="commit")
        model = json.loads(tab.evaluate("document.getElementById('sitegen-page').textContent"))["demo"]["model"]
        [[weights, _]] = model["weights"]["chunks"]
        wait_for(tab, f"performance.getEntriesByType('resource').some((each) => each.name.includes('{weights}'))")
        assert held
        held[0].continue_()
        wait_for(tab, "document.querySelector('sitegen-offline').dataset.state === 'kept'")
        chunks = [url for url in requests if "/chunks/" in url]
        assert len(chunks) == len(set(chunks))
        tab.page.unroute_all()
        requests.clear()
        digits.open_page(tab, host.url + digits.PAGE)
        digits.sample_scores(tab)
        assert not [url for url in requests if "/chunks/" in url]
    assert said == []


@pytest.mark.parametrize("fault", ["cut@100", "stall@100", "503"])
def test_what_was_asked_for_first_may_fail(tab: ChromiumTab, output: Path, fault: str) -> None:
    """A request of the page's head is given up and made again like any other."""
    struck: list[str] = []
    with Host(output, "/fails/", struck=lambda fault, path: struck.append(path)) as host:
        host.fail(f"{fault}x1:chunks/*")
        digits.open_page(tab, host.url + digits.PAGE)
        assert digits.draw(tab, "7") == "7"
    assert len(struck) == 1


def test_nothing_moves_under_a_pointer(tab: ChromiumTab, output: Path) -> None:
    """On a phone, while the demo and what says how far it is kept come in by a slow line."""
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Network.enable")
    line = {"offline": False, "latency": 40, "downloadThroughput": 1e6, "uploadThroughput": 1e6}
    session.send("Network.emulateNetworkConditions", line)
    tab.page.set_viewport_size({"width": 360, "height": 740})
    tab.page.add_init_script(
        "self.moved = []; new PerformanceObserver((list) => moved.push(...list.getEntries().map((e) => e.value)))"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    with Host(output, "/moves/", packed=True) as host:
        tab.goto(host.url + digits.PAGE)
        wait_for(tab, "document.querySelector('sitegen-offline').dataset.state === 'kept'")
        # Google's bound of a good page is 0.1 (Cumulative Layout Shift).
        assert sum(tab.evaluate("moved")) < 0.02


def test_a_press_is_a_click_whatever_comes_meanwhile(tab: ChromiumTab, output: Path) -> None:
    with Host(output, "/press/") as host:
        digits.open_page(tab, host.url + digits.PAGE)
        click(tab, "[data-source=samples]")
        wait_for(tab, "document.querySelector('[data-sample] img')")
        left, top, width, height = box(tab, "[data-sample]")
        tab.page.mouse.move(left + width / 2, top + height / 2)
        tab.page.mouse.down()
        # As when a sample's picture takes the place of its name.
        tab.evaluate(
            "document.querySelectorAll('[data-sample] img').forEach((img) => img.replaceWith(img.cloneNode()))"
        )
        tab.page.mouse.up()
        wait_for(tab, "document.querySelector('sitegen-demo').dataset.milliseconds")


def test_no_address_is_absolute(output: Path) -> None:
    for path in [*output.rglob("*.html"), *output.rglob("*.css"), *output.rglob("*.webmanifest")]:
        text = path.read_text("utf-8")
        for sign in ('="/', "url(/", '":"/'):
            assert sign not in text, path
        assert 'src="http' not in text, path


def test_without_simd(tab: ChromiumTab, output: Path) -> None:
    """An old machine: the browser is given no WebAssembly SIMD, and gets the other build of the backend."""
    tab.page.add_init_script("WebAssembly.validate = () => false")
    tab.goto((output / digits.PAGE).as_uri())
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'")
    assert digits.facts(tab)["backend"] == "wasm"
    assert digits.draw(tab, "7") == "7"


# In the first worker of the page, memory runs out once the model is loaded.
_FULL = """
  const { Blob } = globalThis;
  let first = true;
  globalThis.Blob = function (parts, options) {
    const full = `
      const { instantiate } = WebAssembly;
      WebAssembly.instantiate = async (...given) => {
        const { exports } = await instantiate(...given);
        let loaded = false;
        setTimeout(() => (loaded = true), 500);
        const malloc = (bytes) => (loaded ? 0 : exports.malloc(bytes));
        return { exports: { ...exports, malloc } };
      };
    `;
    const engine = options?.type === 'text/javascript' && first;
    if (engine) first = false;
    return new Blob(engine ? [full, ...parts] : parts, options);
  };
"""


def test_a_device_without_enough_memory(tab: ChromiumTab, output: Path) -> None:
    """It is said, and the page stays usable."""
    tab.page.add_init_script(_FULL)
    digits.open_page(tab, (output / digits.PAGE).as_uri())
    tab.page.wait_for_timeout(600)
    digits.source(tab, "samples")
    click(tab, "[data-sample='4']")
    said = "document.querySelector('.sg-error')?.textContent"
    wait_for(tab, f"{said} === 'The model failed: this device has not enough memory for the model.'")
    click(tab, "[data-sample='5']")
    assert digits.settled(tab) == "5"
    assert tab.evaluate(said) is None


@pytest.mark.parametrize("digit", sorted(digits.STROKES))
def test_digits_are_read(tab: ChromiumTab, output: Path, digit: str) -> None:
    digits.open_page(tab, (output / digits.PAGE).as_uri())
    assert digits.draw(tab, digit) == digit


def test_keyboard(tab: ChromiumTab, output: Path) -> None:
    digits.open_page(tab, (output / digits.PAGE).as_uri())
    tab.page.focus("[data-source=draw]")
    tab.page.keyboard.press("ArrowRight")
    wait_for(tab, "document.activeElement.dataset.source === 'samples'")
    tab.page.keyboard.press("Tab")
    wait_for(tab, "document.activeElement.dataset.sample === '0'")
    tab.page.keyboard.press("Enter")
    assert digits.settled(tab) in "0123456789"
    tab.page.focus("[data-source=samples]")
    tab.page.keyboard.press("ArrowLeft")
    wait_for(tab, "document.activeElement.dataset.source === 'draw'")


def test_upload(tab: ChromiumTab, output: Path, project: Path) -> None:
    digits.open_page(tab, (output / digits.PAGE).as_uri())
    digits.source(tab, "upload")
    tab.page.set_input_files("input[type=file]", project / "content/digits/samples/4.png")
    assert digits.settled(tab) == "4"
    tab.page.set_input_files("input[type=file]", project / "content/digits/index.md")
    wait_for(tab, "document.querySelector('.sg-error')?.textContent.includes('no picture')")
    # A picture that is dropped, after one that was refused.
    tab.page.evaluate(
        """async () => {
          const canvas = document.createElement('canvas');
          canvas.width = canvas.height = 8;
          const paper = canvas.getContext('2d');
          paper.fillStyle = '#fff';
          paper.fillRect(0, 0, 8, 8);
          const blob = await new Promise((done) => canvas.toBlob(done));
          const data = new DataTransfer();
          data.items.add(new File([blob], 'x.png', { type: 'image/png' }));
          document.querySelector('.sg-drop').dispatchEvent(
            new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    digits.settled(tab)
    assert tab.evaluate("document.querySelector('.sg-error')") is None


def test_camera(output: Path, tmp_path: Path) -> None:
    """A camera that films a test pattern, and one that is refused."""
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    filming = Chromium(extra=flags)
    try:
        with Host(output) as host:
            tab = filming.new_tab()
            digits.open_page(tab, host.url + digits.PAGE)
            # What the page says of being kept moves what stands below it, from under the pointer.
            wait_for(tab, "document.querySelector('sitegen-offline')?.dataset.state === 'kept'")
            digits.source(tab, "camera")
            click(tab, "[data-action=camera]")
            wait_for(tab, "document.querySelector('video').videoWidth > 0")
            wait_for(tab, "document.querySelector('.sg-answer strong')")
            click(tab, "[data-action=camera]")
            wait_for(tab, "document.querySelector('video').hidden")
            wait_for(tab, "document.querySelector('video').srcObject.getTracks()[0].readyState === 'ended'")
    finally:
        filming.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_overflows(tab: ChromiumTab, output: Path, width: int, scheme: str) -> None:
    tab.page.set_viewport_size({"width": width, "height": 800})
    tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in ("index.html", digits.PAGE, "offline.html"):
        tab.goto((output / path).as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path


def test_bytes_by_layer(tab: ChromiumTab, output: Path) -> None:
    """On a narrow phone, in both colour schemes: it opens, fits, has a name, and shows two kinds of bars."""
    _, said = listen(tab.page)
    tab.page.set_viewport_size({"width": 320, "height": 800})
    colours = []
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        tab.goto((output / digits.PAGE).as_uri())
        picture = tab.page.get_by_role("img", name="Bytes by layer")
        assert not picture.is_visible()
        tab.page.get_by_text("Bytes by layer").first.click()
        assert picture.is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
        assert tab.evaluate(_CROWDED) == []
        fill = "getComputedStyle(document.querySelector('.layers .{}')).fill"
        colours += [tab.evaluate(fill.format(kind)) for kind in ("before", "after")]
    assert len(set(colours)) == 4
    assert said == []


# Texts of the picture that lie over another, or beyond its edge.
_CROWDED = """(() => {
  const whole = document.querySelector('.layers > svg').getBoundingClientRect();
  const texts = [...document.querySelectorAll('.layers svg text')];
  const boxes = texts.map((text) => [text.textContent, text.getBoundingClientRect()]);
  const over = ([, a], [, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom - 2 && b.top < a.bottom - 2;
  return boxes
    .filter((one) => one[1].left < whole.left - 1 || one[1].right > whole.right + 1
      || boxes.some((other) => other !== one && over(one, other)))
    .map(([said]) => said);
})()"""


def test_contrast(tab: ChromiumTab, output: Path) -> None:
    """WCAG 2.2, 1.4.3: text stands out by at least 4.5 to 1 from what is behind it."""
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in ("index.html", digits.PAGE):
            tab.goto((output / path).as_uri())
            weak = tab.page.evaluate(_CONTRAST)
            assert weak == [], f"{path}, {scheme}"


_CONTRAST = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = numbers(getComputedStyle(e).backgroundColor);
      if ((color[3] ?? 1) > 0) return color;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [luminance(numbers(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return weak;
}"""


def test_a_device_proves_itself(tab: ChromiumTab, output: Path) -> None:
    """Over http and by double-click."""
    with Host(output) as host:
        for base in (host.url, output.as_uri() + "/"):
            digits.open_page(tab, base + digits.PAGE)
            assert proven(tab) == "passed"
            assert "TensorFlow does, to " in tab.page.inner_text(".sg-behind")
            assert "plan on wasm-simd" in tab.page.inner_text(".sg-behind")


def test_what_is_measured_is_shown(tab: ChromiumTab, output: Path) -> None:
    with Host(output) as host:
        digits.open_page(tab, host.url + digits.PAGE)
        tab.page.click(".sg-behind summary")
        assert digits.draw(tab, "7") == "7"
        rows = dict(
            zip(*(tab.page.locator(f".sg-measured {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True)
        )
    assert rows["Engine"] == "plan on wasm-simd"
    assert rows["Weights"] == "float16"
    assert rows["Requests to other origins"] == "0"
    assert re.fullmatch(r"\d+ kB", rows["Model"])
    for name in ("Time a run, median", "95 % are below"):
        assert re.fullmatch(r"\d+\.\d ms", rows[name])
    # A stroke is a stream of pictures.
    assert 0 < float(rows["Frames a second"]) < 200
    told = tab.page.get_attribute(".sg-trace", "aria-label")
    assert told
    points = (tab.page.get_attribute(".sg-trace polyline", "points") or "").split()
    assert told.startswith(f"Times of {len(points)} runs, up to ")


def proven(tab: ChromiumTab) -> str:
    """Opens the panel behind the demo and has the device checked."""
    tab.page.click(".sg-behind summary")
    tab.page.click(".sg-behind > button")
    tab.page.wait_for_selector("sitegen-demo[data-proof]:not([data-proof=running])")
    return str(tab.page.get_attribute("sitegen-demo", "data-proof"))
