"""The task tensors: what people type, what is wrong with it and where, and the model's numbers in three browsers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sitegen.host import Host
from tests import scripts
from tests.browsers import NAMES, Browser, Tab, wait_for
from tests.conftest import REPOSITORY, build, make
from tests.parity import engine

TABLE = REPOSITORY / "tests/models/table.keras"
PAGE = "---\ntitle: Numbers\ntask: tensors\nmodel: table.keras\nquantize: none\n---\n"
SPECS = [{"name": "a", "dtype": "float32", "shape": [2, 3]}, {"name": "b", "dtype": "int32", "shape": [-1]}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "line 1, column 6: there should be a , or ] here, not the end"),
        ("[1,\n 2,]", 'line 2, column 4: there should be a number or a list here, not "]"'),
        ('{"a": 1\n "b": 2}', 'line 2, column 2: there should be a , or } here, not ""b""'),
        ("{a: 1}", 'line 1, column 2: there should be a name in "quotes" here, not "a"'),
        ('{"a: 1}', 'line 1, column 2: there should be a name in "quotes" here, not """'),
        ("[.5]", 'line 1, column 2: there should be a number or a list here, not ".5"'),
        ("[1] 2", 'line 1, column 5: there should be the end here, not "2"'),
        ("", "line 1, column 1: there should be a number or a list here, not the end"),
    ],
)
def test_what_is_no_json(text: str, said: str) -> None:
    body = "try { script.parse(given); } catch (error) { return error.message; }"
    assert scripts.call("widgets/tensors/json.ts", body, text) == said


@pytest.mark.parametrize("value", [[], {}, [1, -2.5e-3, [0]], {"a": {"b": [True, None, "x\\ny"]}}, 7])
def test_json_is_read_as_it_is(value: object) -> None:
    texts = [json.dumps(value), json.dumps(value, indent=3)]
    body = "return given.map((text) => script.parse(text));"
    assert scripts.call("widgets/tensors/json.ts", body, texts) == [value, value]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": [[1, 2, 3]], "b": []}, "a has 1 items, and should have 2"),
        ({"a": [[1, 2, 3], [1, 2]], "b": []}, "a[1] has 2 items, and should have 3"),
        ({"a": [[1, 2, 3], 4], "b": []}, "a[1] has to be a list: a is [2, 3]"),
        ({"a": [[1, 2, 3], [4, "5", 6]], "b": []}, 'a[1][1] has to be a number, not "5"'),
        ({"a": 1, "b": [1, 1.5]}, "b[1] has to be a whole number, not 1.5"),
        ({"a": 1, "b": 1}, "b has to be a list: its size is open"),
        ({"a": 1}, 'the input "b" is missing'),
        ({"a": 1, "b": [], "c": 1}, 'there is no input "c", but "a", "b"'),
        ([1], 'name the inputs: {"a": ..., "b": ...}'),
    ],
)
def test_what_does_not_fit(given: object, said: str) -> None:
    body = "try { script.tensorsOf(given[0], given[1]); } catch (error) { return error.message; }"
    assert scripts.call("widgets/tensors/tensors.ts", body, [given, SPECS]) == said


def test_numbers_there_and_back() -> None:
    body = "return script.jsonOf(script.tensorsOf(given[0], given[1]));"
    given = {"a": [[0.1, 1e-20, 3], [-1 / 3, 16777217, 0]], "b": [1, -2]}
    back = json.loads(scripts.call("widgets/tensors/tensors.ts", body, [given, SPECS]))
    assert np.array_equal(np.float32(back["a"]), np.float32(given["a"]))
    assert back["b"] == given["b"]
    assert json.dumps(back["a"][0][0]) == "0.1"


def test_the_example_fits() -> None:
    body = """
      const read = JSON.parse(script.example(given));
      return Object.values(script.tensorsOf(read, given)).map((tensor) => tensor.shape);
    """
    specs = [*SPECS, {"name": "c", "dtype": "bool", "shape": [1, 300, 300, 3]}]
    assert scripts.call("widgets/tensors/tensors.ts", body, specs) == [[2, 3], [1], [1, 300, 300, 3]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    root = tmp_path_factory.mktemp("tensors")
    (root / "content").mkdir()
    (root / "content/numbers.md").write_text(PAGE)
    shutil.copy(TABLE, root / "content")
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def told(tab: Tab, text: str) -> str:
    """What the page says of an input: the model's JSON, or what is wrong."""
    tab.evaluate(
        f"(() => {{ const area = document.querySelector('textarea'); area.value = {text!r};"
        " area.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    tab.evaluate("document.querySelector('[data-action=run]').click()")
    said = (
        "(document.querySelector('#sg-wrong').textContent || document.querySelector('.sg-copyable pre')?.textContent)"
    )
    wait_for(tab, f"!document.querySelector('[data-action=run]').disabled && {said}")
    return str(tab.evaluate(said))


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_pythons(name: str, browser: Callable[[str], Browser], site: Path) -> None:
    given = [[0.5, -1.25, 3, 0.1]]
    (expected,) = engine.tensorflow(engine.load(TABLE), {"input_layer_1:0": np.float32(given)})
    tab = browser(name).new_tab()
    with Host(site) as host:
        for url in (host.url + "numbers/index.html", (site / "numbers/index.html").as_uri()):
            tab.goto(url)
            wait_for(tab, "document.querySelector('textarea')?.value.includes('[[0, 0.1, 0.2, 0.3]]')")
            wait_for(tab, "document.querySelector('sitegen-demo').dataset.state === 'ready'")
            for text in (json.dumps(given), json.dumps({"input_layer_1:0": given})):
                (found,) = json.loads(told(tab, text)).values()
                assert np.abs(np.array(found) - expected).max() < 1e-5
            assert told(tab, "[[1, 2]]") == "input_layer_1:0[0] has 2 items, and should have 4"
    tab.close()
