"""What decoding a weights file costs: its range coder next to deflate, in the engines that pages meet.

    python benchmarks/decoding.py [--rounds N] [--sizes MEAN ...]

Two million integers as quantized weights have them: Laplace, with scales of rows and columns, one matrix for each mean
size. One file is that of docs/weights-format.md, which the page's own reader reads. The other has the same integers, in
one byte where a matrix fits and else in two, deflated (level 9, raw) and inflated by DecompressionStream. Both end in
the same float32s, which is checked.

A page decodes its weights once, in a new worker, so that is what is measured, JIT compilation included: each way in a
worker of its own, in turn, and under Node in a process of its own.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from numpy.typing import NDArray

from sitegen.host import Host
from sitegen.runtime.node import executable
from sitegen.weights import container, entropy
from sitegen.weights.container import Tensor
from sitegen.weights.entropy import Matrix
from tests.browsers import NAMES, launch

HERE = Path(__file__).parent
_RUNTIME = HERE.parent / "sitegen/runtime"
_READER = _RUNTIME / "src/weights/container.ts"
_WEIGHTS = 2_000_000
_STEP = 0.01
# Standard deviations of the logarithms of scales, and of half octaves, as a ResNet8 has them under `quantize: auto`.
_ROWS, _COLUMNS, _EXPONENTS = 0.25, 0.2, 0.6
_WAYS = ("coded", "deflate")

# Milliseconds of one way in a new worker, and the SHA-256 of what came of it.
Measure = Callable[[str], dict[str, Any]]

# esbuild as build.mjs calls it; an empty coder shows what the coder takes.
_BUNDLE = """
  import { build } from 'esbuild';
  const [entry, outfile, empty] = process.argv.slice(2);
  const contents = 'export class Decoder {} export const contexts = () => {}, matrix = () => {};';
  const without = {
    name: 'without',
    setup: (made) => made.onLoad({ filter: /weights.(coded|range).ts$/ }, () => ({ contents })),
  };
  await build({
    entryPoints: [entry], outfile, bundle: true, minify: true, format: 'iife', globalName: 'made', target: ['es2021'],
    plugins: empty ? [without] : [],
  });
"""

_IN_A_WORKER = """
  new Promise((resolve, reject) => {
    const worker = new Worker('decoding.js');
    const end = (settle, value) => {
      worker.terminate();
      settle(value);
    };
    worker.onmessage = ({ data }) => (data.error ? end(reject, new Error(data.error)) : end(resolve, data));
    worker.onerror = ({ message }) => end(reject, new Error(message));
    worker.postMessage('WAY');
  })
"""

_UNDER_NODE = """
  import { readFileSync } from 'node:fs';
  await import('./decoding.js');
  const [way] = process.argv.slice(2);
  console.log(JSON.stringify(await measure(way, async (name) => new Uint8Array(readFileSync(name)))));
"""


def node(program: str, *arguments: str, folder: Path) -> str:
    """What a module says."""
    command = [executable(), "--input-type=module", "-e", program, "-", *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def matrices(sizes: Sequence[float]) -> list[Matrix]:
    """Integers of these mean sizes, as many of each; the same on every run."""
    chance = np.random.default_rng(5)
    made = []
    for index, size in enumerate(sizes):
        columns = 64 << (index % 4)
        rows = round(_WEIGHTS / len(sizes) / columns)
        scales = np.exp(chance.normal(0, _ROWS, (rows, 1)) + chance.normal(0, _COLUMNS, (1, columns)))
        integers = np.round(chance.laplace(0, 1, (rows, columns)) * scales * size / scales.mean())
        given = (np.round(chance.normal(0, _EXPONENTS, length)).astype(np.int16) for length in (rows, columns))
        made.append(Matrix(integers.clip(-24000, 24000).astype(np.int16), *given))
    return made


def width(matrix: Matrix) -> int:
    """How many bytes hold any of its integers."""
    return 1 if np.abs(matrix.integers).max() < 128 else 2


def exponents(matrix: Matrix) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Those of its rows and its columns."""
    assert matrix.row_exponents is not None
    assert matrix.column_exponents is not None
    return matrix.row_exponents, matrix.column_exponents


def deflated(data: bytes) -> bytes:
    """Raw, as small as zlib gets it."""
    by = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return by.compress(data) + by.flush()


def coded_file(made: Sequence[Matrix]) -> bytes:
    """What the build writes."""
    more = [{"rows": len(matrix.integers), "step": _STEP} for matrix in made]
    tensors = [Tensor(str(i), made[i].integers.shape, "coded", None, told) for i, told in enumerate(more)]
    return container.write(tensors, entropy.encode(made).data)


def deflate_file(made: Sequence[Matrix], planes: bool = False) -> bytes:
    """The same for decoding.js to inflate: all integers, then all exponents; `planes` has low bytes before high ones.

    Planes are not what decoding.js reads: they only show how small deflate could get.
    """
    head = [
        {"rows": m.integers.shape[0], "columns": m.integers.shape[1], "width": width(m), "step": _STEP} for m in made
    ]
    pieces = [matrix.integers.astype(f"<i{width(matrix)}").tobytes() for matrix in made]
    if planes:
        pieces = [piece[at :: width(m)] for m, piece in zip(made, pieces, strict=True) for at in range(width(m))]
    pieces += [e.astype(np.int8).tobytes() for matrix in made for e in exponents(matrix)]
    text = json.dumps(head).encode()
    return len(text).to_bytes(4, "little") + text + deflated(b"".join(pieces))


def numbers(made: Sequence[Matrix]) -> bytes:
    """What both have to come to."""
    values = []
    for matrix in made:
        by_row, by_column = (container.factors(e) for e in exponents(matrix))
        values.append(container.coded_values(matrix.integers, _STEP, by_row, by_column).tobytes())
    return b"".join(values)


@contextmanager
def browser(name: str, folder: Path) -> Iterator[tuple[str, Measure]]:
    """A browser with its version, and a worker of it for each measurement."""
    with Host(folder) as host:
        opened = launch(name)
        try:
            tab = opened.new_tab()
            tab.goto(f"{host.url}index.html")
            yield f"{name} {opened.version}", lambda way: dict(tab.evaluate(_IN_A_WORKER.replace("WAY", way)))
        finally:
            opened.close()


def rounds(measure: Measure, count: int, digest: str) -> dict[str, list[float]]:
    """Milliseconds of each way, measured in turn."""
    times: dict[str, list[float]] = {way: [] for way in _WAYS}
    for _ in range(count):
        for way in _WAYS:
            found = measure(way)
            assert found["digest"] == digest, f"{way}: other numbers"
            times[way].append(found["milliseconds"])
    return times


def report(engine: str, times: dict[str, list[float]], sizes: dict[str, int], weights: int) -> None:
    """A line for each way, and what follows from both."""
    print(engine)
    for way, measured in times.items():
        least, median = min(measured), statistics.median(measured)
        rates = (
            f"{weights / least / 1000:6.1f} and {weights / median / 1000:6.1f} M weights/s, "
            f"{sizes[way] / least / 1000:6.1f} and {sizes[way] / median / 1000:6.1f} MB/s"
        )
        print(f"  {way:8} min {least:6.1f} ms, median {median:6.1f} ms: {rates}")
    coded, deflate = ((min(times[way]), statistics.median(times[way])) for way in _WAYS)
    by_least, by_median = (slow / fast for slow, fast in zip(coded, deflate, strict=True))
    print(f"  coded takes {by_least:.1f} times as long by minima, {by_median:.1f} by medians;")
    # Bytes spared, over the time that coding takes: as if inflating, even of planes, were free.
    spared = 8 * (min(sizes["deflate"], sizes["planes"]) - sizes["coded"])
    least, median = (spared / milliseconds / 1000 for milliseconds in coded)
    print(
        f"  even if inflating took no time it is there first on lines below {least:.1f} Mbit/s, {median:.1f} by medians"
    )


def main() -> None:
    """Prints bytes, then times by engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 2, 4.5, 9.5, 20])
    told = parser.parse_args()
    made = matrices(told.sizes)
    weights = sum(matrix.integers.size for matrix in made)
    files = {"coded": coded_file(made), "deflate": deflate_file(made), "planes": deflate_file(made, planes=True)}
    sizes = {way: len(file) for way, file in files.items()}
    digest = hashlib.sha256(numbers(made)).hexdigest()

    print("bits a weight by mean size: coded, deflated, deflated in planes")
    for matrix in [*made, None]:
        some = made if matrix is None else [matrix]
        count = sum(one.integers.size for one in some)
        bits = (len(file) * 8 / count for file in (coded_file(some), deflate_file(some), deflate_file(some, True)))
        mean = sum(float(np.abs(one.integers).sum()) for one in some) / count
        name = "all" if matrix is None else f"{matrix.integers.shape} int{8 * width(matrix)}"
        print(f"  {name:18} mean {mean:5.2f}:" + "".join(f"{each:6.2f}" for each in bits))
    print(f"{weights} weights: {sizes['coded']} bytes coded, {sizes['deflate']} deflated, {sizes['planes']} in planes")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for way, file in files.items():
            (folder / f"{way}.bin").write_bytes(file)
        (folder / "index.html").write_text("<!doctype html><title>decoding</title>")
        node(_BUNDLE, str(HERE / "decoding.js"), str(folder / "decoding.js"), folder=_RUNTIME)
        code = []
        for empty in ("", "empty"):
            node(_BUNDLE, str(_READER), str(folder / "reader.js"), empty, folder=_RUNTIME)
            script = (folder / "reader.js").read_bytes()
            code.append((len(script), len(gzip.compress(script, 9))))
        (whole, whole_gzip), (rest, rest_gzip) = code
        print(f"code of the coder in a page: {whole - rest} bytes minified, {whole_gzip - rest_gzip} after gzip")

        def under_node(way: str) -> dict[str, Any]:
            return dict(json.loads(node(_UNDER_NODE, way, folder=folder)))

        version = subprocess.run([executable(), "--version"], check=True, capture_output=True, text=True).stdout
        report(f"node {version.strip()}", rounds(under_node, told.rounds, digest), sizes, weights)
        for which in NAMES:
            with browser(which, folder) as (engine, measure):
                report(engine, rounds(measure, told.rounds, digest), sizes, weights)


if __name__ == "__main__":
    main()
