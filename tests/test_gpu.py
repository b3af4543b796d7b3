"""GPUs: the same plans on WebGL and WebGPU, and how a page finds out whether they are worth it. In software here."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Error

from sitegen import build
from sitegen.host import Host
from sitegen.models.options import Options
from sitegen.records import GraphModel
from sitegen.weights import engine as engines
from tests import digits
from tests.browsers import Browser, Tab, click, wait_for
from tests.browsers.chromium import Chromium, ChromiumTab
from tests.conftest import REPOSITORY, make
from tests.parity import engine, table
from tests.parity.chromium import Arena, shaped
from tests.test_parity import randomized

# Chromium has WebGPU without a GPU only where it is told to.
WEBGPU = "--enable-unsafe-webgpu"
BACKENDS = ("webgl", "webgpu")
# The proof's (shared/proof.ts).
TOLERANCE = 1e-4
MODELS = (table.cnn, table.depthwise, table.residual, table.multi_output, table.attention, table.embedding, table.lstm)
# SwiftShader loses its WebGPU device over one of them, which pages tell as any other failure.
CASES = [(backend, make) for backend in BACKENDS for make in MODELS if (backend, make) != ("webgpu", table.residual)]
PUBLISHED = [row for row in table.PUBLISHED if row[0].endswith(".h5") or row[0].startswith("kws")]

Given = Mapping[str, NDArray[Any]]


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    """One for each test: a browser's GPU process has room for some models only."""
    root = tmp_path / "arena"
    root.mkdir()
    with Arena(root, [WEBGPU]) as made:
        yield made


def compare(arena: Arena, backend: str, model: GraphModel, given: Given) -> None:
    """Plays a model's plan: to WebAssembly's numbers, and leaving nothing behind."""
    weights = engine.exact(model)
    made = engine.recorded(model, given, weights)
    assert made.file is not None, made.why
    ((run,),) = engines.run(model, [weights], [given], made.file)
    arena.enter(backend, model, [given], plan=made.file, weights=weights, variant=backend)
    runs = [arena.run(backend) for _ in range(3)]
    for found, expected in zip(shaped(runs[-1], run.outputs), run.outputs, strict=True):
        largest = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * largest)
    assert len({run.tensors for run in runs}) == 1


@pytest.mark.parametrize(("backend", "make"), CASES, ids=lambda part: getattr(part, "__name__", part))
def test_generated(backend: str, make: Callable[[], keras.Model], arena: Arena, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = make() if make is table.embedding else randomized(make())
    model.save(tmp_path / "model.keras")
    converted = engine.load(tmp_path / "model.keras")
    names = [spec.name for spec in converted.signature.inputs]
    compare(
        arena, backend, converted, dict(zip(names, table.inputs_of(model, np.random.default_rng(2), 1), strict=True))
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row[0])
def test_published(row: Any, backend: str, arena: Arena, shared: Path) -> None:
    name, _, shape, low, high, outputs = row
    converted = engine.load(shared / "models" / name, Options(outputs=outputs))
    value = np.random.default_rng(4).uniform(low, high, (1, *shape[1:])).astype(np.float32)
    compare(arena, backend, converted, {converted.signature.inputs[0].name: value})


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_stays_flat(backend: str, arena: Arena) -> None:
    model = engine.load(REPOSITORY / "content/digits/digits.keras")
    (spec,) = model.signature.inputs
    given = {spec.name: np.zeros((1, *spec.shape[1:]), np.float32)}
    arena.enter(backend, model, [given], plan=engine.recorded(model, given).file, variant=backend)
    assert len({arena.run(backend).tensors for _ in range(100)}) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_that_is_not_there_is_refused_by_name(backend: str, arena: Arena) -> None:
    model = engine.load(REPOSITORY / "content/digits/digits.keras")
    (spec,) = model.signature.inputs
    given = {spec.name: np.zeros((1, *spec.shape[1:]), np.float32)}
    made = engine.recorded(model, given).file
    assert made is not None
    plan = json.loads(made)
    # One that no plan may have, and the GPU engines are built without.
    plan["kernels"][-1] = "Multinomial"
    with pytest.raises(Exception, match="the plan needs the kernel Multinomial, which this engine has not"):
        arena.enter(backend, model, [given], plan=json.dumps(plan).encode(), variant=backend)


# In pages

# A device whose engine on one backend is so many times slower, or computes something else.
_DEVICE = """((slow, factor, wrong) => {
  const Plain = Worker;
  globalThis.Worker = class extends Plain {
    set onmessage(heard) {
      let backend = '';
      super.onmessage = ({ data }) => {
        backend = data.value?.backend ?? backend;
        if (data.value?.milliseconds && backend === slow) data.value.milliseconds *= factor;
        if (data.value?.outputs && backend === wrong)
          for (const { data: numbers } of Object.values(data.value.outputs)) numbers[0] += 0.01;
        heard({ data });
      };
    }
  };
})(%s)"""
IDLE = "document.querySelector('.sg-speed') && !('busy' in document.querySelector('.sg-speed').dataset)"
SAID = "document.querySelector('.sg-speed [role=status]').textContent"
ROWS = """Object.fromEntries([...document.querySelectorAll('.sg-speed tr[data-way]')].map(
  (row) => [row.dataset.way, [...row.querySelectorAll('td')].map((cell) => cell.textContent)]))"""
_KEPT = "Object.keys(localStorage).find((key) => key.startsWith('sitegen|way|'))"
FORGE = f"""((key) => {{
  localStorage.setItem(key, JSON.stringify({{ ...JSON.parse(localStorage.getItem(key)), way: %s }}));
}})({_KEPT})"""
SLOW_WASM = _DEVICE % "'wasm-simd', 1000, ''"
WRONG_WEBGL = _DEVICE % "'wasm-simd', 1000, 'webgl'"


@pytest.fixture
def tab(browser: Callable[[str], Browser]) -> Iterator[ChromiumTab]:
    """A tab of Chromium; it has WebGL, and no WebGPU."""
    chromium = browser("chromium")
    assert isinstance(chromium, Chromium)
    opened = chromium.new_tab()
    yield opened
    with contextlib.suppress(Error):
        opened.page.evaluate("localStorage.clear()")
    opened.close()


@pytest.fixture(params=["http", "file"])
def page(request: pytest.FixtureRequest, output: Path) -> Iterator[str]:
    """The digits page, over http and from a file."""
    with Host(output) as host:
        yield (host.url if request.param == "http" else output.as_uri() + "/") + digits.PAGE


def ready(tab: ChromiumTab, url: str) -> str:
    """Opens a page; gives the backend that it begins on."""
    tab.goto(url)
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'")
    return digits.facts(tab)["backend"]


def race(tab: ChromiumTab) -> dict[str, list[str]]:
    """Presses the button; gives the table."""
    click(tab, ".sg-behind summary")
    # What the browser lacks is written into the list, which moves the button.
    wait_for(tab, "!document.querySelector('.sg-speed select').disabled")
    click(tab, ".sg-speed .sg-button")
    wait_for(tab, f"{IDLE} && {SAID}.startsWith('Measured')", 120)
    rows: dict[str, list[str]] = tab.evaluate(ROWS)
    return rows


def remembered(tab: Tab) -> str | None:
    way: str | None = tab.evaluate(f"JSON.parse(localStorage[{_KEPT}] ?? '{{}}').way ?? null")
    return way


def test_a_slower_gpu_is_not_used(tab: ChromiumTab, page: str) -> None:
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    assert ready(tab, page) == "wasm-simd"
    assert digits.draw(tab, "7") == "7"
    before = len(asked)
    rows = race(tab)
    # Loaded by the race, and not with the page.
    assert len([url for url in asked[before:] if "/chunks/" in url]) >= 1
    assert rows["webgl"][1] == rows["wasm"][1] == "passed"
    assert rows["webgpu"] == ["–", "this browser has no WebGPU here"]
    assert tab.evaluate(SAID) == "Measured on this device: wasm stays."
    assert digits.facts(tab)["backend"] == "wasm-simd"
    assert remembered(tab) == "wasm"


def test_a_faster_gpu_is_used_and_remembered(tab: ChromiumTab, page: str) -> None:
    tab.page.add_init_script(SLOW_WASM)
    ready(tab, page)
    race(tab)
    assert digits.facts(tab)["backend"] == "webgl"
    assert digits.draw(tab, "3") == "3"
    assert ready(tab, page) == "webgl"
    assert digits.draw(tab, "7") == "7"
    tensors = digits.facts(tab)["tensors"]
    assert digits.draw(tab, "3") == "3"
    assert digits.facts(tab)["tensors"] == tensors
    click(tab, ".sg-behind summary")
    wait_for(tab, "!document.querySelector('.sg-speed select').disabled")
    tab.page.select_option(".sg-speed select", "wasm")
    wait_for(tab, f"{SAID} === 'The demo runs on wasm now.'")
    assert remembered(tab) == "wasm"
    assert digits.draw(tab, "7") == "7"
    assert digits.facts(tab)["backend"] == "wasm-simd"


def test_wrong_numbers_are_not_used(tab: ChromiumTab, output: Path) -> None:
    tab.page.add_init_script(WRONG_WEBGL)
    ready(tab, (output / digits.PAGE).as_uri())
    rows = race(tab)
    assert rows["webgl"] == ["–", "its numbers are wrong (1e-2 off)"]
    assert digits.facts(tab)["backend"] == "wasm-simd"
    tab.page.select_option(".sg-speed select", "webgl")
    wait_for(tab, f"{SAID} === 'That did not work: its numbers are wrong (1e-2 off).'")
    assert digits.facts(tab)["backend"] == "wasm-simd"
    assert tab.evaluate("document.querySelector('.sg-speed select').value") == "wasm"


@pytest.mark.parametrize(
    ("way", "device", "said"),
    [
        ("webgl", WRONG_WEBGL, "webgl is no longer used on this device: its numbers are wrong (1e-2 off)."),
        ("webgpu", SLOW_WASM, "webgpu is no longer used on this device: this browser has no WebGPU here."),
        ("nothing", SLOW_WASM, ""),
    ],
    ids=["wrong", "absent", "unknown"],
)
def test_a_choice_that_does_not_hold(tab: ChromiumTab, output: Path, way: str, device: str, said: str) -> None:
    """Someone else's, or one of before a driver was updated."""
    page = (output / digits.PAGE).as_uri()
    tab.page.add_init_script(device)
    ready(tab, page)
    race(tab)
    tab.evaluate(FORGE % json.dumps(way))
    assert remembered(tab) == way
    assert ready(tab, page) == "wasm-simd"
    assert tab.evaluate(SAID) == said
    assert digits.draw(tab, "7") == "7"
    if said:
        assert remembered(tab) is None


def test_a_gpu_that_goes_away_while_it_runs(tab: ChromiumTab, output: Path) -> None:
    tab.page.add_init_script(SLOW_WASM)
    page = (output / digits.PAGE).as_uri()
    ready(tab, page)
    race(tab)
    assert digits.facts(tab)["backend"] == "webgl"
    # The next answer is an error.
    tab.evaluate(
        """(() => {
          const post = Worker.prototype.postMessage;
          Worker.prototype.postMessage = function (message, ...rest) {
            Worker.prototype.postMessage = post;
            post.call(this, { ...message, inputs: {} }, ...rest);
          };
        })()"""
    )
    assert digits.draw(tab, "7") == "7"
    assert digits.facts(tab)["backend"] == "wasm-simd"
    assert tab.evaluate(SAID).startswith("webgl failed and is no longer used: the model takes")
    assert remembered(tab) is None


def test_a_device_that_stores_nothing(tab: ChromiumTab, output: Path) -> None:
    refuse = "Object.defineProperty(globalThis, 'localStorage', { get() { throw new Error('refused') } })"
    tab.page.add_init_script(refuse)
    tab.page.add_init_script(SLOW_WASM)
    page = (output / digits.PAGE).as_uri()
    ready(tab, page)
    race(tab)
    assert digits.facts(tab)["backend"] == "webgl"
    assert ready(tab, page) == "wasm-simd"


def test_what_was_chosen_is_kept_with_the_page(tab: ChromiumTab, output: Path) -> None:
    tab.page.add_init_script(SLOW_WASM)
    kept = "document.querySelector('sitegen-offline').dataset.state === 'kept'"
    size = "document.querySelector('sitegen-offline [role=status]').textContent"
    with Host(output) as host:
        page = host.url + digits.PAGE
        ready(tab, page)
        wait_for(tab, kept)
        before = tab.evaluate(size)
        race(tab)
        assert remembered(tab) == "webgl"
    # Nobody answers any more.
    assert ready(tab, page) == "webgl"
    assert digits.draw(tab, "7") == "7"
    wait_for(tab, kept)
    assert tab.evaluate(size) == before
    tab.evaluate(
        """(async () => {
          const config = JSON.parse(document.getElementById('sitegen-page').textContent);
          const [[id]] = config.demo.engine.variants[0].script.chunks;
          for (const name of await caches.keys())
            await (await caches.open(name)).delete(new URL(`../chunks/${id}.js`, location.href));
        })()"""
    )
    # Hashed files are good for ever: the browser's own cache would do as well.
    tab.page.context.new_cdp_session(tab.page).send("Network.clearBrowserCache")
    assert ready(tab, page) == "wasm-simd"
    assert tab.evaluate(SAID) == ""
    assert remembered(tab) == "webgl"


def test_a_page_can_ask_for_it(tab: ChromiumTab, project: Path, tmp_path: Path) -> None:
    """backend: auto: nothing when the page is opened, a race after the first result."""
    shutil.copytree(project / "content", tmp_path / "content", ignore=shutil.ignore_patterns("scenes*"))
    shutil.copy(project / "pyproject.toml", tmp_path)
    (tmp_path / build.CACHE_FOLDER).symlink_to((project / build.CACHE_FOLDER).resolve())
    source = tmp_path / "content/digits/index.md"
    source.write_text(source.read_text("utf-8").replace("---\n", "---\nbackend: auto\n", 1), "utf-8")
    make(tmp_path)
    tab.page.add_init_script(SLOW_WASM)
    page = (tmp_path / "output" / digits.PAGE).as_uri()
    assert ready(tab, page) == "wasm-simd"
    assert remembered(tab) is None
    assert digits.draw(tab, "7") == "7"
    wait_for(tab, "document.querySelector('sitegen-demo').dataset.backend === 'webgl'", 120)
    assert remembered(tab) == "webgl"


def test_webgpu_in_a_page(output: Path) -> None:
    browser = Chromium([WEBGPU])
    try:
        tab = browser.new_tab()
        tab.page.add_init_script(_DEVICE % "'wasm-simd', 100000, ''")
        ready(tab, (output / digits.PAGE).as_uri())
        rows = race(tab)
        assert [cells[1] for cells in rows.values()] == ["passed"] * 3
        tab.page.select_option(".sg-speed select", "webgpu")
        wait_for(tab, f"{SAID} === 'The demo runs on webgpu now.'", 60)
        assert digits.draw(tab, "7") == "7"
        assert ready(tab, (output / digits.PAGE).as_uri()) == "webgpu"
        assert digits.draw(tab, "3") == "3"
    finally:
        browser.close()
