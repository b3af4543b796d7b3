"""Tables: rows as CSV and as tensors, and the numbers of classifiers and regressors in three browsers."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from sitegen import frontmatter, inspection, newpage
from sitegen.host import Host
from sitegen.look import Asked
from sitegen.models.options import Options
from sitegen.tasks import tables
from tests import scripts
from tests.browsers import NAMES, Browser, Tab, click, wait_for
from tests.browsers.chromium import Chromium
from tests.conftest import REPOSITORY, build, make

HEAD = "---\ntitle: {title}\ntask: {task}\nquantize: none\n"
# Three numbers and a choice of three, which is three numbers for the model.
FLOWERS = """model: flowers.keras
input:
  columns:
    - {name: length, unit: cm, min: 0, max: 10, default: 4, mean: 5.5, std: 2.25}
    - {name: width, min: -1, max: 1, step: 0.01}
    - {name: colour, choices: [red, white, "blue, pale"], default: white}
    - {name: height, min: 100, max: 900, mean: 400}
labels: [iris, rose, tulip]
samples: samples.csv
---
"""
SAMPLES = """length,width,colour,height,label
5.1,-0.25,red,123,iris
9.99,1,"blue, pale",899.5,tulip
0,0.333,white,400,rose
"""
SIZES = """model: named.keras
input:
  columns:
    - {name: Age, min: 0, max: 4, mean: 1, std: 2}
    - {name: colour, choices: [red, white], encode: index}
output: {unit: kg}
samples: rows.csv
---
"""
SIZE_ROWS = "colour,Age,target\nwhite,3.5,7\nred,0.125,-1.5\n"
LOOP = """model: loop
input: {columns: [{name: a, min: 0, max: 2}, {name: b, min: 0, max: 1}]}
---
"""
SCORES = "[...document.querySelectorAll('[data-score]')].map((bar) => Number(bar.dataset.score))"
LINES = """[...document.querySelectorAll('.sg-plot polyline')].map((line) =>
  line.getAttribute('points').split(' ').map((point) => 1 - Number(point.split(',')[1]) / 60))"""
RESULT = "Number(document.querySelector('[data-result]')?.dataset.result)"


def flowers() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def loop() -> keras.Model:
    """Two numbers, over and over: a loop has no plan."""
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((2,)), layers.RepeatVector(5), layers.SimpleRNN(3, recurrent_initializer="ones"), layers.Dense(1)]
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    root = tmp_path_factory.mktemp("tables")
    for name, task, page in (
        ("flowers", "tabular-classification", FLOWERS),
        ("sizes", "tabular-regression", SIZES),
        ("loop", "tabular-regression", LOOP),
    ):
        (root / "content" / name).mkdir(parents=True)
        (root / "content" / name / "index.md").write_text(HEAD.format(title=name, task=task) + page)
    keras.utils.set_random_seed(5)
    flowers().save(root / "content/flowers/flowers.keras")
    (root / "content/flowers/samples.csv").write_text(SAMPLES)
    shutil.copy(REPOSITORY / "tests/models/named.keras", root / "content/sizes")
    (root / "content/sizes/rows.csv").write_text(SIZE_ROWS)
    # Of a Keras file the layer would be unrolled.
    loop().export(str(root / "content/loop/loop"), format="tf_saved_model", verbose=False)
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def flower(row: dict[str, Any]) -> list[float]:
    """What the model is given of a row."""
    colours = [float(row["colour"] == colour) for colour in ("red", "white", "blue, pale")]
    return [(float(row["length"]) - 5.5) / 2.25, float(row["width"]), *colours, float(row["height"]) - 400]


def predicted(site: Path, given: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    model = keras.saving.load_model(site.parent / "content/flowers/flowers.keras", compile=False)
    found: NDArray[np.float32] = model.predict(np.float32([flower(row) for row in given]), verbose=0)
    return found


def open_page(tab: Tab, url: str) -> None:
    """Opens a page, and waits for the result that it begins with."""
    tab.goto(url)
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'", 60)
    if url.startswith("http"):
        # What the page says of being kept moves what stands below it, from under the pointer.
        wait_for(tab, "document.querySelector('sitegen-offline')?.dataset.state === 'kept'", 60)
    settled(tab)


def settled(tab: Tab) -> None:
    """Waits until the model has said all of the row that is shown."""
    wait_for(tab, "document.querySelector('.sg-answer').ariaBusy === 'false' && document.querySelector('.sg-chart')")


def choose(tab: Tab, sample: int) -> None:
    click(tab, f"[data-sample='{sample}']")
    wait_for(tab, f"document.querySelector('[data-sample=\"{sample}\"]').ariaPressed === 'true'")
    settled(tab)


def put(tab: Tab, feature: str, kind: str, value: object) -> None:
    """Sets a field as its visitor would."""
    tab.evaluate(
        f"(() => {{ const field = document.querySelector('[data-feature={json.dumps(feature)}] {kind}');"
        f" field.value = {json.dumps(value)}; field.dispatchEvent(new Event('input', {{ bubbles: true }}));"
        " field.dispatchEvent(new Event('change', { bubbles: true })); })()"
    )
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    settled(tab)


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_pythons(name: str, browser: Callable[[str], Browser], site: Path) -> None:
    """Defaults, samples, and what changes with one feature, in every world."""
    tab = browser(name).new_tab()
    with Host(site) as host:
        for url in (host.url + "flowers/index.html", (site / "flowers/index.html").as_uri()):
            open_page(tab, url)
            first: dict[str, Any] = {"length": 4, "width": 0, "colour": "white", "height": 500}
            assert np.abs(tab.evaluate(SCORES) - predicted(site, [first])[0]).max() < 1e-5
            expected = predicted(site, rows(SAMPLES))
            for number, row in enumerate(rows(SAMPLES)):
                choose(tab, number + 1)
                assert np.abs(tab.evaluate(SCORES) - expected[number]).max() < 1e-5
                assert row["label"] in tab.evaluate("document.querySelector('.sg-truth').textContent")
            put(tab, "height", "[type=range]", 300)
            row = {**rows(SAMPLES)[-1], "height": 300}
            assert np.abs(tab.evaluate(SCORES) - predicted(site, [row])[0]).max() < 1e-5
            assert tab.evaluate("document.querySelector('.sg-truth').textContent.trim()") == ""
            over = predicted(site, [{**row, "height": value} for value in np.linspace(100, 900, 32)])
            best_first = np.argsort(-predicted(site, [row])[0])
            assert np.abs(np.array(tab.evaluate(LINES)) - over[:, best_first].T).max() < 1e-5
            put(tab, "colour", "select", "2")
            row["colour"] = "blue, pale"
            assert np.abs(tab.evaluate(SCORES) - predicted(site, [row])[0]).max() < 1e-5
            wait_for(tab, "document.querySelectorAll('.sg-axis span').length === 3")
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_pythons(name: str, browser: Callable[[str], Browser], site: Path) -> None:
    """A model with an input for each column, one of them the index of a choice."""
    model = keras.saving.load_model(REPOSITORY / "tests/models/named.keras", compile=False)
    tab = browser(name).new_tab()
    with Host(site) as host:
        open_page(tab, host.url + "sizes/index.html")
        for number, row in enumerate(rows(SIZE_ROWS)):
            choose(tab, number + 1)
            given = {"age": np.float32([[(float(row["Age"]) - 1) / 2]])}
            given["colour"] = np.int32([[["red", "white"].index(row["colour"])]])
            assert abs(tab.evaluate(RESULT) - model.predict(given, verbose=0)[0, 0]) < 1e-5
            assert tab.evaluate("document.querySelector('.sg-truth').dataset.truth") == row["target"]
        assert tab.evaluate("document.querySelector('.sg-answer').textContent.endsWith(' kg')")
    tab.close()


def test_models_without_a_plan_are_given_all_rows_at_once(browser: Callable[[str], Browser], site: Path) -> None:
    tab = browser("chromium").new_tab()
    with Host(site) as host:
        open_page(tab, host.url + "loop/index.html")
        assert tab.evaluate("document.querySelector('sitegen-demo').dataset.engine") == "graph"
        put(tab, "a", "[type=number]", "0.25")
        model = tf.saved_model.load(site.parent / "content/loop/loop")
        expected = model.serve(tf.constant([[0.25, 0.5], [0.25, 0], [0.25, 1]])).numpy()[:, 0]
        assert abs(tab.evaluate(RESULT) - expected[0]) < 1e-5
        runs = """(async () => {
          let runs = 0;
          const seen = new MutationObserver((all) => { runs += all.length; });
          seen.observe(document.querySelector('sitegen-demo'), { attributeFilter: ['data-milliseconds'] });
          const field = document.querySelector('[data-feature=b] [type=range]');
          field.value = 0.75;
          field.dispatchEvent(new Event('input', { bubbles: true }));
          await new Promise((done) => setTimeout(done, 1500));
          return runs;
        })()"""
        assert tab.evaluate(runs) == 2
        (line,) = tab.evaluate(LINES)
        assert len(line) == 32
        # The chart is as high as its line has been.
        steps = np.array(line)[[0, -1]]
        assert np.abs(np.diff(steps)[0]) > 0.1
    tab.close()


def test_the_form_is_for_keyboards_and_screen_readers(site: Path) -> None:
    running = Chromium()
    try:
        with Host(site) as host:
            tab = running.new_tab()
            open_page(tab, host.url + "flowers/index.html")
            page = tab.page
            slider, number = page.get_by_role("slider", name="length, cm"), page.get_by_label("length, cm, as a number")
            slider.press("ArrowRight")
            assert number.input_value() == "4.1"
            # What is outside of the range is no value, and is gone when the field is left.
            number.fill("11")
            assert number.get_attribute("aria-invalid") == "true"
            assert slider.input_value() == "4.1"
            number.press("Tab")
            assert number.input_value() == "4.1"
            assert number.get_attribute("aria-invalid") == "false"
            number.fill("7.25")
            settled(tab)
            row = {"length": 7.25, "width": 0, "colour": "white", "height": 500}
            assert np.abs(tab.evaluate(SCORES) - predicted(site, [row])[0]).max() < 1e-5
            page.get_by_label("colour").select_option("blue, pale")
            page.get_by_role("img", name="colour from red to blue, pale").wait_for()
            page.set_viewport_size({"width": 320, "height": 600})
            assert page.evaluate("document.documentElement.scrollWidth") == 320
    finally:
        running.close()


def test_cells_are_read_alike() -> None:
    """The page's reader and Python's own agree on quotes, line ends and blanks."""
    text = '\ufeffa,"b ""x""",label\r\n1, red ,"x, y"\r\n\r\n-2.5e-1,"","say ""no"""\n+.5,red,\n'
    features = [
        {"kind": "choice", "name": 'b "x"', "choices": ["red", ""]},
        {"kind": "number", "name": "a"},
    ]
    body = "return script.samplesIn(given[0].replace(/^\\ufeff/, ''), given[1]);"
    found = scripts.call("widgets/tables/csv.ts", body, [text, features])
    plain = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if row][1:]
    assert [sample["truth"] for sample in found] == [row[2] for row in plain] == ["x, y", 'say "no"', ""]
    assert [sample["row"] for sample in found] == [[0, 1], [1, -0.25], [0, 0.5]]


def test_rows_become_tensors() -> None:
    specs = [{"name": "x", "dtype": "float32", "shape": [-1, 4]}, {"name": "k", "dtype": "int32", "shape": [-1, 1]}]
    number = {"kind": "number", "min": 0, "max": 9, "mean": 1, "std": 4}
    choice = {"kind": "choice", "choices": ["a", "b", "c"]}
    features = [
        {**choice, "name": "one-hot", "oneHot": True, "input": "x", "at": 0},
        {**choice, "name": "index", "oneHot": False, "input": "k", "at": 0},
        {**number, "name": "n", "input": "x", "at": 3},
    ]
    body = """
      const tensors = script.tensorsOf(given[0], given[1], given[2]);
      return Object.values(tensors).map(({ dtype, shape, data }) => [dtype, shape, [...data]]);
    """
    found = scripts.call("widgets/tables/features.ts", body, [[[1, 2, 5], [0, 1, 0]], features, specs])
    assert found == [
        ["float32", [2, 4], [0, 1, 0, 1, 1, 0, 0, -0.25]],
        ["int32", [2, 1], [2, 1]],
    ]


@pytest.mark.parametrize(
    ("model", "task"), [("table", "tabular-classification"), ("named", "tensors"), ("ages", "tabular-regression")]
)
def test_pages_for_tables_are_suggested(model: str, task: str, tmp_path: Path) -> None:
    """What `sitegen new page` writes is right as it stands; nobody can guess what an index is of."""
    path = REPOSITORY / f"tests/models/{model}.keras"
    if model == "ages":
        path = tmp_path / "ages.keras"
        ends = [keras.Input((1,), name=name) for name in ("age", "height")]
        keras.Model(ends, keras.layers.Dense(1)(keras.layers.Concatenate()(ends))).save(path)
    found = inspection.inspect(path, "keras", Options())
    head = newpage.front_matter(found, path.name, Asked(str(path)))
    front, _, errors = frontmatter.parse(head.removeprefix("---\n").removesuffix("---\n"), "index.md")
    assert errors == []
    assert front is not None
    assert front.task == task
    if task != "tensors":
        (tmp_path / "content").mkdir()
        shutil.copy(path, tmp_path / "content")
        (tmp_path / "content/index-of.md").write_text(head + "text\n")
        assert [page.path for page in make(tmp_path).pages] == ["index-of/index.html"]


@pytest.mark.parametrize(
    ("low", "high", "step", "middle"),
    [(0, 1, 0.01, 0.5), (0, 100, 1, 50), (278, 1680, 10, 978), (0.34, 5.08, 0.02, 2.7), (-3, 0, 0.02, -1.5)],
)
def test_steps_are_round(low: float, high: float, step: float, middle: float) -> None:
    assert tables._step(high - low) == step
    assert tables._middle(low, high, step) == middle
