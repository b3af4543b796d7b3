"""A page's engines next to TF.js as it comes: how long a model takes, and how long until a page has its first result.

    python benchmarks/latency.py [--turns N] [--opens N] [MODEL ...]

Without names it is all models of ../shared/models that convert, and content/digits. Runs are measured in one
Chromium, each engine in a worker of its own, in turn: the plan engine, the graph engine, and TF.js 4.22 on its
WebAssembly backend with SIMD. Times are from the input's numbers to the output's.

First results are those of whole pages, from the click on a link until the scores of a picture are there, each in a
Chromium that has never seen the page: one as the documentation of TF.js has it (core, converter and WebAssembly backend
bundled and minified by esbuild, model.json and one file of float32 weights), one that sitegen built with the same
weights, and one that it built when it was told nothing of them, as TF.js's converter was not.
All are served from this machine, gzipped as hosts do: first as fast as that is, which shows what the browser does,
then by way of Chromium's emulation of a line (10 Mbit/s, 40 ms there and back).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
from PIL import Image
from race import HERE, Entrant, Result, close, race

from sitegen import build
from sitegen.host import Host
from sitegen.models.options import Options
from sitegen.records import GraphModel, Signature, TensorSpec
from sitegen.runtime.node import executable
from sitegen.weights import container
from tests.browsers.chromium import Chromium
from tests.parity import engine

_ROOT = HERE.parent
_RUNTIME = _ROOT / "sitegen/runtime"
_SHARED = _ROOT.parent / "shared/models"


@dataclass(frozen=True)
class Case:
    """A model, the whole shape of its input, and the range of its numbers.

    `scale` is set where a page can have it; `outputs` where some would do.
    """

    path: Path
    shape: tuple[int, ...]
    low: float
    high: float
    scale: float | None = None
    outputs: tuple[str, ...] = ()


_DETECTIONS = ("tower_0/detections",)
CASES = {
    "digits": Case(_ROOT / "content/digits/digits.keras", (1, 28, 28, 1), 0, 1, 1 / 255),
    "resnet8": Case(_SHARED / "resnet8_cifar10.h5", (1, 32, 32, 3), 0, 255, 1),
    "vww96": Case(_SHARED / "vww96_mobilenet_v1_025.h5", (1, 96, 96, 3), 0, 1, 1 / 255),
    "autoencoder": Case(_SHARED / "ad01_autoencoder.h5", (1, 640), -40, 10),
    "dscnn": Case(_SHARED / "kws_dscnn_saved_model", (1, 49, 10, 1), -20, 20),
    "blazeface": Case(_SHARED / "blazeface_tfjs/blazeface.json", (1, 256, 256, 3), -1, 1),
    "centernet": Case(_SHARED / "centernet_tfjs/centernet.json", (1, 512, 512, 3), 0, 255, None, _DETECTIONS),
    "ssd": Case(_SHARED / "ssd_mobilenet_v1_tf1_frozen.pb", (1, 300, 300, 3), 0, 255),
}
# Bytes a second, and milliseconds.
_LINE = {"latency": 40, "downloadThroughput": 10e6 / 8, "uploadThroughput": 10e6 / 8}
_LINES = {"first result": None, "first result by a line": _LINE}
# Milliseconds since the page was asked for, as soon as it has a first result.
_OURS = """
  window.first = new Promise((done) => {
    addEventListener('DOMContentLoaded', () => {
      const demo = document.querySelector('sitegen-demo');
      let clicked = false;
      const look = () => {
        const sample = document.querySelector('[data-sample]');
        if (demo.dataset.milliseconds) done(performance.now());
        else if (sample && !clicked) sample.click(), (clicked = true);
        else if (!sample) document.querySelector('[data-source=samples]')?.click();
      };
      new MutationObserver(look).observe(demo, { attributes: true, childList: true, subtree: true });
      look();
    });
  });
"""
_STOCK = """<!doctype html>
<meta charset="utf-8" />
<title>stock</title>
<script src="tf.js"></script>
<script>
  async function first({ size: [height, width, channels], scale }) {
    tf.setWasmPaths('./');
    const [model, picture] = await Promise.all([
      tf.setBackend('wasm').then(() => tf.loadGraphModel('model.json')),
      new Promise((done, fail) => {
        const image = new Image();
        image.onload = () => done(image);
        image.onerror = fail;
        image.src = 'sample.png';
      }),
    ]);
    const x = tf.tidy(() => {
      const pixels = tf.browser.fromPixels(picture, channels);
      return tf.expandDims(tf.mul(tf.image.resizeBilinear(pixels, [height, width]), scale));
    });
    const scores = await model.predict(x).data();
    return scores.length && performance.now();
  }
  window.first = first(INPUT);
</script>
"""
# What the documentation imports; nothing of it is left out or mended.
_ENTRY = """
  export * from '@tensorflow/tfjs-core';
  export { loadGraphModel } from '@tensorflow/tfjs-converter';
  export { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
"""
_BUNDLE = """
  import { build } from 'esbuild';
  const [contents, outfile] = process.argv.slice(2);
  const external = ['fs', 'path', 'crypto', 'util', 'worker_threads', 'perf_hooks', 'os', 'string_decoder'];
  await build({
    stdin: { contents, resolveDir: '.' }, outfile, external, bundle: true, minify: true, format: 'iife',
    globalName: 'tf', platform: 'browser', target: ['es2021'], logLevel: 'error',
  });
"""


def latency(case: Case, turns: int) -> dict[str, Result]:
    """Each engine's times, checked to be of the same numbers."""
    model = _headed(engine.load(case.path, Options(case.outputs)))
    (spec,) = model.signature.inputs
    value = np.random.default_rng(0).uniform(case.low, case.high, case.shape).astype(np.float32)
    if spec.dtype == "int32":
        value = value.astype(np.int32)
    given = {spec.name: value}
    plan = engine.recorded(model, given)
    entrants = {"plan": Entrant(model, given, plan=plan.file)} if plan.file else {}
    if not plan.file:
        print(f"{'':12} no plan: {plan.why}")
    entrants["graph"] = Entrant(model, given)
    entrants["stock"] = Entrant(model, given, "wasm")
    results = race(entrants, turns)
    assert all(close(result, results["stock"]) < 1e-3 * (case.high - case.low) for result in results.values())
    return results


def _headed(model: GraphModel) -> GraphModel:
    """A detector up to its heads: of what comes after them TF.js has nothing."""
    ends = tuple(TensorSpec(end, "float32", ()) for end in model.ends)
    return replace(model, detection=None, signature=Signature(model.signature.inputs, ends))


def told(name: str, results: Mapping[str, Result]) -> None:
    """A line for each engine."""
    stock = results["stock"]
    for which, result in results.items():
        least, median = min(result.times), statistics.median(result.times)
        line = f"{name:12} {which:6} min {least:8.2f} ms, median {median:8.2f} ms"
        if result is not stock:
            by_least = least / min(stock.times)
            by_median = median / statistics.median(stock.times)
            line += f"; of stock's {by_least:.2f} by minima, {by_median:.2f} by medians"
        print(line, flush=True)


def pages(case: Case, folder: Path) -> dict[str, tuple[Path, str]]:
    """Sites of one page each with the same model and picture, and the page's path in it.

    One is stock TF.js's; of sitegen's, one has the same float32 weights, and one those that it makes when not told.
    """
    _, height, width, channels = case.shape
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (height, width) if channels == 1 else (height, width, 3)).astype(np.uint8)
    sites = {}
    for which, scheme in (("ours, float32", "none"), ("ours", "auto")):
        project = folder / scheme
        content = project / "content/demo"
        content.mkdir(parents=True)
        shutil.copy(case.path, content)
        Image.fromarray(pixels).save(content / "sample.png")
        text = f"task: image-classification\nmodel: {case.path.name}\nsamples: sample.png\nquantize: {scheme}\n"
        text += f"input: {{scale: {case.scale}, sources: [samples]}}\n"
        (content / "index.md").write_text(f"---\ntitle: Demo\n{text}---\n{{{{ demo }}}}\n")
        build.build(build.Project.open(project), lambda message: None)
        sites[which] = project / "output", "demo/index.html"
    stock = folder / "stock"
    stock.mkdir()
    Image.fromarray(pixels).save(stock / "sample.png")
    _lay_stock(engine.load(case.path), case, stock)
    return {**sites, "stock": (stock, "index.html")}


def _lay_stock(model: GraphModel, case: Case, folder: Path) -> None:
    weights = container.read(engine.exact(model))
    entries = [{"name": n, "shape": list(v.shape), "dtype": _dtype(v)} for n, v in weights.items()]
    (folder / "weights.bin").write_bytes(b"".join(value.tobytes() for value in weights.values()))
    manifest = [{"paths": ["weights.bin"], "weights": entries}]
    told = {"format": "graph-model", "modelTopology": model.topology, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(told))
    for file in (_RUNTIME / "node_modules/@tensorflow/tfjs-backend-wasm/wasm-out").glob("*.wasm"):
        shutil.copy(file, folder)
    command = [executable(), "--input-type=module", "-e", _BUNDLE, "-", _ENTRY, str(folder / "tf.js")]
    subprocess.run(command, cwd=_RUNTIME, check=True)
    given = json.dumps({"size": case.shape[1:], "scale": case.scale})
    (folder / "index.html").write_text(_STOCK.replace("INPUT", given))


def _dtype(value: Any) -> str:
    return {"f": "float32", "i": "int32", "b": "bool"}[value.dtype.kind]


def opened(site: Path, path: str, before: str, line: Mapping[str, float] | None) -> float:
    """Milliseconds from asking for a page until its first result, in a browser that is new to it."""
    browser = Chromium()
    try:
        with Host(site, packed=True) as host:
            page = browser.new_tab().page
            if line is not None:
                session = page.context.new_cdp_session(page)
                session.send("Network.enable")
                session.send("Network.emulateNetworkConditions", {"offline": False, **line})
            if before:
                page.add_init_script(before)
            page.goto(f"{host.url}{path}", wait_until="commit")
            page.wait_for_function("window.first")
            return float(page.evaluate("window.first"))
    finally:
        browser.close()


def first(name: str, case: Case, opens: int) -> None:
    """Prints how long both pages take, opened in turn."""
    with tempfile.TemporaryDirectory() as folder:
        sites = pages(case, Path(folder))
        for how, line in _LINES.items():
            times: dict[str, list[float]] = {which: [] for which in sites}
            for _ in range(opens):
                for which, (site, path) in sites.items():
                    times[which].append(opened(site, path, "" if which == "stock" else _OURS, line))
            least = {which: min(measured) for which, measured in times.items()}
            median = {which: statistics.median(measured) for which, measured in times.items()}
            for which in times:
                said = f"{name:12} {how}, {which:13}: min {least[which]:6.0f} ms, median {median[which]:6.0f} ms"
                by_least, by_median = (each[which] / each["stock"] for each in (least, median))
                if which != "stock":
                    said += f"; of stock's {by_least:.2f} by minima, {by_median:.2f} by medians"
                print(said, flush=True)


def main() -> None:
    """Prints latencies, then first results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--opens", type=int, default=9)
    parser.add_argument("models", nargs="*", default=list(CASES))
    given = parser.parse_args()
    cases = {name: CASES[name] for name in given.models if CASES[name].path.exists()}
    for name, case in cases.items():
        told(name, latency(case, given.turns))
    for name, case in cases.items():
        if case.scale is not None and given.opens:
            first(name, case, given.opens)


if __name__ == "__main__":
    main()
